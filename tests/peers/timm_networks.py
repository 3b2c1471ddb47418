"""Our import of timm's and torchvision's whole networks beside these themselves, weights and batch norm statistics random:
network_tool -> exit status. 77 where torch, torchvision or timm is missing (a skipped test)."""

import pathlib
import subprocess
import sys
import tempfile

try:
    import numpy as np
    import timm
    import torch
    import torchvision
except ImportError as error:
    print(f"skipped: {error}")
    sys.exit(77)

NETWORKS = ["mobilenetv1_100", "mobilenetv2_100", "mobilenetv3_large_100", "mobilenetv3_large_075",
            "mobilenetv3_small_100", "mobilenetv3_small_050", "tf_mobilenetv3_large_minimal_100",
            "tf_mobilenetv3_small_minimal_100", "mobilenet_v3_large", "mobilenet_v3_small",
            "mobilenetv4_conv_small_035", "mobilenetv4_conv_small_050", "mobilenetv4_conv_small",
            "mobilenetv4_conv_medium", "mobilenetv4_conv_large"]
tool = sys.argv[1]
file = pathlib.Path(tempfile.mkdtemp()) / "weights.pth"
failed = False


def randomise(model):
    """Statistics near those of random pictures, so that values stay within bounds, but not just these."""
    norms = [module for module in model.modules() if isinstance(module, torch.nn.BatchNorm2d)]
    for norm in norms:
        norm.momentum = None  # the mean of all batches
    with torch.no_grad():
        model.train()(torch.rand(16, 3, 96, 96) * 2 - 1)
        for norm in norms:
            norm.running_mean += 0.3 * torch.randn_like(norm.running_mean) * norm.running_var.sqrt()
            norm.running_var *= torch.empty_like(norm.running_var).uniform_(0.7, 1.5)
            norm.weight.uniform_(0.4, 0.9)
            norm.bias.normal_(0, 0.3)
    return model.eval()


torch.manual_seed(1)
images = np.random.default_rng(1).uniform(-1, 1, (2, 224, 224, 3)).astype(np.float32)
for name in NETWORKS:
    source = torchvision.models if hasattr(torchvision.models, name) else None
    model = getattr(source, name)(num_classes=10) if source else timm.create_model(name, num_classes=10)
    model = randomise(model)
    torch.save(model.state_dict(), file)
    with torch.no_grad():
        expected = model(torch.tensor(images.transpose(0, 3, 1, 2))).numpy()
    output = subprocess.run([tool, "run", file], input=images.tobytes(), capture_output=True, check=True).stdout
    difference = np.abs(np.frombuffer(output, np.float32).reshape(expected.shape) - expected).max()
    spread = np.ptp(expected)
    failed |= not (difference < 1e-3 and spread > 0.01)
    print(f"{name}: largest difference {difference:.1e}, logits spread over {spread:.2f}")
sys.exit(failed)
