#!/usr/bin/env python3
"""One training step of ours beside PyTorch's, from the same weights on the same batch: the loss and every gradient.

    build/peers/bin/python bench/peers/gradients.py MODEL PHOTOS [--batch 16]

MODEL is a V1 file that `mobilenet convert` reads, PHOTOS a folder. PyTorch computes in float64, so that what differs is
our rounding; beside it stands how far PyTorch's own float32 is from that. Differences are relative to the norm of each
gradient."""

import argparse
import json
import pathlib
import subprocess
import sys
import tempfile

import numpy as np
import torch
import torch.nn.functional as F
from onnx_export import V1_STRIDES, load_safetensors
from PIL import Image

ROOT = pathlib.Path(__file__).resolve().parents[2]
BUILD = ROOT / "build" / "release"


def same_padding(x, kernel, stride):
    """TensorFlow's: as little as the output size needs, an odd rest below and to the right."""
    side = x.shape[-1]
    total = max((-(-side // stride) - 1) * stride + kernel - side, 0)
    return F.pad(x, (total // 2, total - total // 2, total // 2, total - total // 2))


def forward(x, t, epsilon):
    def block(x, name, stride, groups):
        weight = t[name + ".weight"]
        if weight.ndim == 2:
            weight = weight.T[:, :, None, None]
        elif weight.ndim == 3:
            weight = weight.permute(2, 0, 1)[:, None]
        else:
            weight = weight.permute(3, 2, 0, 1)
        x = F.conv2d(same_padding(x, weight.shape[-1], stride), weight, stride=stride, groups=groups)
        x = F.batch_norm(x, None, None, t[name + ".norm.gamma"], t[name + ".norm.beta"], training=True, eps=epsilon)
        return F.hardtanh(x, 0, 6)

    x = block(x, "conv1", 2, 1)
    for b in range(1, 14):
        x = block(x, f"block{b}.depthwise", V1_STRIDES.get(f"block{b}.depthwise", 1), x.shape[1])
        x = block(x, f"block{b}.pointwise", 1, 1)
    return x.mean((2, 3)) @ t["classifier.weight"] + t["classifier.bias"]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model")
    parser.add_argument("photos")
    parser.add_argument("--batch", type=int, default=16)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        model = pathlib.Path(folder) / "model.safetensors"
        out = pathlib.Path(folder) / "gradients.safetensors"
        subprocess.run([BUILD / "mobilenet", "convert", arguments.model, model], check=True, stdout=subprocess.DEVNULL)
        metadata, tensors = load_safetensors(model)
        options = json.loads(metadata["network"])
        side = options["resolution"]
        files = sorted(pathlib.Path(arguments.photos).rglob("*.[jJ][pP]*[gG]"))[:arguments.batch]
        images = np.stack([np.asarray(Image.open(f).convert("RGB").resize((side, side))) for f in files])
        images = (images / np.float32(127.5) - 1).astype(np.float32)
        labels = (np.arange(len(files)) * 37 % options["classes"]).astype(np.int32)
        ours = subprocess.run([BUILD / "tests" / "network_tool", "step", model, str(len(files)), out], check=True,
                              input=images.tobytes() + labels.tobytes(), stdout=subprocess.PIPE)
        gradients = load_safetensors(out)[1]

    def pytorch(precision):
        t = {name: torch.tensor(value.astype(precision), requires_grad=True) for name, value in tensors.items()}
        logits = forward(torch.tensor(images.astype(precision)).permute(0, 3, 1, 2), t, options["epsilon"])
        loss = F.cross_entropy(logits, torch.tensor(labels.astype(np.int64)))
        loss.backward()
        return loss.item(), {name: x.grad.numpy() for name, x in t.items() if x.grad is not None}

    def difference(a, b):
        return np.linalg.norm(a - b) / np.linalg.norm(b)

    loss = float(ours.stdout)
    exact_loss, exact = pytorch(np.float64)
    single_loss, single = pytorch(np.float32)
    print(f"{len(files)} photos; loss {loss:.7f}, PyTorch {single_loss:.7f} in float32, {exact_loss:.7f} in float64")
    print("ours to PyTorch's float64, PyTorch's float32 to its float64")
    rows = [(difference(gradients[name], exact[name]), difference(single[name], exact[name]), name) for name in exact]
    for row in rows:
        print("%.1e  %.1e  %s" % row)
    whole = [np.concatenate([g[name].ravel() for name in exact]) for g in (gradients, single, exact)]
    print(f"largest {max(rows)[0]:.1e} {max(r[1] for r in rows):.1e}")
    print(f"whole gradient {difference(whole[0], whole[2]):.1e} {difference(whole[1], whole[2]):.1e}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
