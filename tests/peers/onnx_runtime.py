"""Our import and export of ONNX beside ONNX Runtime and the onnx package's checker, on random inputs:
network_tool -> exit status. With torch, torchvision and timm there, also what their exporters write, old and new. 77
where onnxruntime or onnx is missing (a skipped test)."""

import pathlib
import subprocess
import sys
import tempfile

try:
    import numpy as np
    import onnx
    import onnxruntime
except ImportError as error:
    print(f"skipped: {error}: scripts/python installs it")
    sys.exit(77)

tool = sys.argv[1]
folder = pathlib.Path(tempfile.mkdtemp())
failed = False


def ours(model, images):
    output = subprocess.run([tool, "run", model], input=images.tobytes(), capture_output=True, check=True).stdout
    return np.frombuffer(output, np.float32).reshape(len(images), -1)


def compare(what, file, model=None):
    """The answers of ONNX Runtime for `file`, and ours for `model`, which is the file where there is none."""
    global failed
    session = onnxruntime.InferenceSession(file, providers=["CPUExecutionProvider"])
    source = session.get_inputs()[0]
    channels, height, width = source.shape[1:]
    images = np.random.default_rng(1).uniform(-1, 1, (4, height, width, channels)).astype(np.float32)
    expected = np.concatenate([session.run(None, {source.name: np.ascontiguousarray(i[None].transpose(0, 3, 1, 2))})[0]
                               for i in images])
    difference = np.abs(ours(model or file, images) - expected).max()
    spread = np.ptp(expected)
    failed |= not (difference < 1e-4 * max(1, spread) and spread > 0.01)
    print(f"{what}: largest difference {difference:.1e}, logits spread over {spread:.2f}")


def export(version, alpha, resolution):
    model, file = str(folder / "m.safetensors"), str(folder / "m.onnx")
    subprocess.run([tool, "make", version, str(alpha), str(resolution), "10", model], check=True)
    subprocess.run([tool, "convert", model, file], check=True)
    onnx.checker.check_model(file, full_check=True)
    compare(f"written: {version}, alpha {alpha}, {resolution} pixels", file, model)
    compare("    read back", file)


def randomise(model):
    import torch
    for module in model.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            for values, low in [(module.weight.data, 0.5), (module.bias.data, -0.5), (module.running_mean, -0.5),
                                (module.running_var, 0.5)]:
                values.uniform_(low, low + 1)
    return model.eval()


def read_torch():
    try:
        import timm
        import torch
        import torchvision
        import onnxscript  # noqa: F401, which the new exporter needs
    except ImportError as error:
        print(f"not compared with PyTorch's exporters: {error}")
        return
    torch.manual_seed(1)
    models = {"torchvision mobilenet_v2": torchvision.models.mobilenet_v2(num_classes=10),
              "torchvision mobilenet_v3_small": torchvision.models.mobilenet_v3_small(num_classes=10)}
    for name in ["mobilenetv1_100", "mobilenetv2_050", "mobilenetv3_small_050", "mobilenetv4_conv_small_050",
                 "efficientnet_lite0"]:
        models[f"timm {name}"] = timm.create_model(name, num_classes=10)
    for name, model in models.items():
        for new in [False, True]:
            file = str(folder / "torch.onnx")
            torch.onnx.export(randomise(model), (torch.zeros(1, 3, 128, 96),), file, dynamo=new)
            compare(f"read: {name}, {'new' if new else 'old'} exporter", file)


export("v1", 0.25, 96)
export("v1", 0.5, 100)
export("v2", 0.35, 96)
export("v2", 1.0, 129)
export("v3-large", 0.35, 97)
export("v3-small", 0.5, 96)
export("v3-small-minimalistic", 0.35, 96)
export("v4-conv-small", 0.35, 96)
export("v4-conv-medium", 0.35, 97)
read_torch()
sys.exit(failed)
