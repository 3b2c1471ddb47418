"""Our import and export of float32 TFLite files beside LiteRT itself, on random inputs: network_tool MODEL -> exit
status. MODEL is a .tflite of others; published weights that lie beside it are written, too. 77 where LiteRT or the file
is missing (a skipped test)."""

import pathlib
import subprocess
import sys
import tempfile

try:
    import numpy as np
    from ai_edge_litert.interpreter import Interpreter
except ImportError as error:
    print(f"skipped: {error}: scripts/python installs it")
    sys.exit(77)

tool, model = sys.argv[1:]
if not pathlib.Path(model).exists():
    print(f"skipped: {model} is missing")
    sys.exit(77)

folder = pathlib.Path(tempfile.mkdtemp())
failed = False


def ours(file, images):
    output = subprocess.run([tool, "run", file], input=images.tobytes(), capture_output=True, check=True).stdout
    return np.frombuffer(output, np.float32).reshape(len(images), -1).astype(np.float64)


def litert(file, count):
    """Random images, and LiteRT's answers: one by one, and as one batch, which must be the same."""
    interpreter = Interpreter(model_path=file)
    source, target = interpreter.get_input_details()[0], interpreter.get_output_details()[0]
    images = np.random.default_rng(1).uniform(-1, 1, (count, *source["shape"][1:])).astype(np.float32)

    def run(batch):
        interpreter.resize_tensor_input(source["index"], batch.shape)
        interpreter.allocate_tensors()
        interpreter.set_tensor(source["index"], batch)
        interpreter.invoke()
        return interpreter.get_tensor(target["index"]).reshape(len(batch), -1).copy()

    answers = np.concatenate([run(image[None]) for image in images])
    return images, answers, np.abs(run(images) - answers).max()


def softmax(logits):
    exponentials = np.exp(logits - logits.max(1, keepdims=True))
    return exponentials / exponentials.sum(1, keepdims=True)


def compare(what, expected, found, batched=0):
    """Of probabilities the logarithms, which differ where the probabilities themselves are all alike."""
    global failed
    difference, spread = np.abs(found - expected).max(), np.ptp(expected, axis=0).max()
    failed |= not (difference < 1e-4 * max(1, spread) and spread > 20 * difference and batched < 1e-5)
    print(f"{what}: largest difference {difference:.1e}, answers spread over {spread:.1e} from input to input")


def read(file):
    images, expected, batched = litert(file, 50)
    compare(f"read: {pathlib.Path(file).name}", np.log(expected), np.log(softmax(ours(file, images))), batched)


def written(what, safetensors, ends_with=softmax):
    file = str(folder / "m.tflite")
    subprocess.run([tool, "convert", safetensors, file], check=True)
    images, expected, batched = litert(file, 4)
    scale = (lambda x: x) if ends_with is None else np.log
    for name, source in [(f"written: {what}", safetensors), ("    read back", file)]:
        logits = ours(source, images)
        compare(name, scale(expected), scale(logits if ends_with is None else ends_with(logits)), batched)


def made(version, alpha, resolution, classes, padding="same", ends_with=softmax):
    file = str(folder / "m.safetensors")
    subprocess.run([tool, "make", version, str(alpha), str(resolution), str(classes), file, padding], check=True)
    written(f"{version}, alpha {alpha}, {resolution} pixels, {classes} classes, {padding}", file, ends_with)


read(model)
for style in ["same", "symmetric", "keras"]:
    for pixels in [96, 100, 129]:
        made("v1", 0.25, pixels, 10, style)
        made("v2", 0.35, pixels, 10, style)
# Without a classifier: plain ReLUs and random weights make logits of which most probabilities are 0.
made("v3-large", 0.35, 96, 10)
made("v3-small", 0.5, 97, 0, "symmetric", ends_with=None)
made("v4-conv-small", 0.35, 97, 0, "symmetric", ends_with=None)
made("v4-conv-small", 0.35, 96, 0, "same", ends_with=None)
made("v1", 0.25, 96, 1, ends_with=lambda logits: 1 / (1 + np.exp(-logits)))
made("v1", 0.25, 96, 0, ends_with=None)
made("v2", 1.0, 97, 0, ends_with=None)
for name in ["mobilenet_v1_0.25_224.safetensors", "mobilenet_v2_1.0_224_torchvision.safetensors", "efficientnet-lite0.pth"]:
    published = pathlib.Path(model).parent / name
    if published.exists():
        written(name, str(published))
sys.exit(failed)
