"""Weights that we write with timm's names, in timm's own networks, on random inputs: network_tool [WEIGHTS] -> exit
status. WEIGHTS are published ones of torchvision's V2, where they are there. 77 where timm is missing (a skipped
test)."""

import pathlib
import subprocess
import sys
import tempfile

try:
    import numpy as np
    import timm
    import torch
    from safetensors.torch import load_file
except ImportError as error:
    print(f"skipped: {error}")
    sys.exit(77)

tool = sys.argv[1]
folder = pathlib.Path(tempfile.mkdtemp())
failed = False


def ours(file, images):
    output = subprocess.run([tool, "run", file], input=images.tobytes(), capture_output=True, check=True).stdout
    return np.frombuffer(output, np.float32).reshape(len(images), -1)


def compare(name, file, size, classes):
    global failed
    written = str(folder / "m.timm.safetensors")
    subprocess.run([tool, "convert", file, written], check=True)
    model = timm.create_model(name, num_classes=classes).eval()
    model.load_state_dict(load_file(written))
    images = np.random.default_rng(1).uniform(-1, 1, (4, size, size, 3)).astype(np.float32)
    with torch.no_grad():
        expected = model(torch.from_numpy(images).permute(0, 3, 1, 2)).numpy()
    for what, source in [(f"written: {name}, {size} pixels, {classes} classes", file), ("    read back", written)]:
        difference, spread = np.abs(ours(source, images) - expected).max(), np.ptp(expected)
        failed |= not (difference < 1e-5 * max(10, spread) and spread > 0.01)
        print(f"{what}: largest difference {difference:.1e}, logits spread over {spread:.2f}")


for name, version, alpha in [("mobilenetv1_100", "v1", 1), ("mobilenetv2_035", "v2", 0.35), ("mobilenetv2_050", "v2", 0.5),
                             ("mobilenetv2_075", "v2", 0.75), ("mobilenetv2_100", "v2", 1), ("mobilenetv2_140", "v2", 1.4),
                             ("mobilenetv3_large_075", "v3-large", 0.75), ("mobilenetv3_large_100", "v3-large", 1),
                             ("mobilenetv3_small_050", "v3-small", 0.5), ("mobilenetv3_small_100", "v3-small", 1),
                             ("tf_mobilenetv3_large_100", "v3-large", 1), ("tf_mobilenetv3_small_075", "v3-small", 0.75),
                             ("tf_mobilenetv3_small_minimal_100", "v3-small-minimalistic", 1),
                             ("mobilenetv4_conv_small_035", "v4-conv-small", 0.35), ("mobilenetv4_conv_small", "v4-conv-small", 1),
                             ("mobilenetv4_conv_medium", "v4-conv-medium", 1)]:
    # On maps of odd sides both paddings are the same, of which a file with folded batch norms doesn't say which it is.
    for size, classes in [(96, 10), (98 if name.startswith("tf_") else 97, 0)]:
        plain, folded = str(folder / "m.safetensors"), str(folder / "m.onnx")
        style = ["same" if name.startswith("tf_") else "symmetric"] + (["timm"] if version.startswith("v3") else [])
        subprocess.run([tool, "make", version, str(alpha), str(size), str(classes), plain] + style, check=True)
        compare(name, plain, size, classes)
        # Batch norms that were folded.
        subprocess.run([tool, "convert", plain, folded], check=True)
        compare(name, folded, size, classes)
if len(sys.argv) > 2 and pathlib.Path(sys.argv[2]).exists():
    compare("mobilenetv2_100", sys.argv[2], 224, 1000)
sys.exit(failed)
