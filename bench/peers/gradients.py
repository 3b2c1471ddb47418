#!/usr/bin/env python3
"""One training step of ours beside PyTorch's, from the same weights on the same batch: the loss and every gradient.

    build/peers/bin/python bench/peers/gradients.py MODEL PHOTOS [--batch 16]

MODEL is a file that `mobilenet convert` reads, PHOTOS a folder. PyTorch computes in float64, so that what differs is
our rounding; beside it stands how far PyTorch's own float32 is from that. Differences are relative to the norm of each
gradient. Those that are zero but for rounding are left out: of shifts that a batch norm takes out again."""

import argparse
import json
import pathlib
import subprocess
import sys
import tempfile

import numpy as np
import torch
import torch_network
from network import layers_of, load_safetensors
from PIL import Image

ROOT = pathlib.Path(__file__).resolve().parents[2]
BUILD = ROOT / "build" / "release"


def by_name(layers):
    return {f"{layer.name}.{part}": array for layer in layers for part, array in layer.tensors.items()}


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
        description = json.loads(metadata["network"])
        layers = layers_of(description, tensors)
        height, width, _ = description["input"]
        files = sorted(pathlib.Path(arguments.photos).rglob("*.[jJ][pP]*[gG]"))[:arguments.batch]
        images = np.stack([np.asarray(Image.open(f).convert("RGB").resize((width, height))) for f in files])
        images = (images / np.float32(127.5) - 1).astype(np.float32)
        labels = (np.arange(len(files)) * 37 % layers[-1].output[2]).astype(np.int32)
        ours = subprocess.run([BUILD / "tests" / "network_tool", "step", model, str(len(files)), out], check=True,
                              input=images.tobytes() + labels.tobytes(), stdout=subprocess.PIPE)
        gradients = by_name(layers_of(description, load_safetensors(out)[1]))

    def pytorch(precision):
        t = {name: torch.tensor(value.astype(precision), requires_grad=True) for name, value in by_name(layers).items()}
        own = [{part: t[f"{layer.name}.{part}"] for part in layer.tensors} for layer in layers]
        logits = torch_network.forward(layers, own, torch.tensor(images.astype(precision)).permute(0, 3, 1, 2))
        loss = torch.nn.functional.cross_entropy(logits, torch.tensor(labels.astype(np.int64)))
        loss.backward()
        return loss.item(), {name: x.grad.numpy() for name, x in t.items() if x.grad is not None}

    def difference(a, b):
        return np.linalg.norm(a - b) / np.linalg.norm(b)

    loss = float(ours.stdout)
    exact_loss, exact = pytorch(np.float64)
    single_loss, single = pytorch(np.float32)
    print(f"{len(files)} photos; loss {loss:.7f}, PyTorch {single_loss:.7f} in float32, {exact_loss:.7f} in float64")
    print("ours to PyTorch's float64, PyTorch's float32 to its float64")
    least = 1e-9 * np.sqrt(sum(np.sum(g ** 2) for g in exact.values()))
    exact = {name: g for name, g in exact.items() if np.linalg.norm(g) > least}
    rows = [(difference(gradients[name], exact[name]), difference(single[name], exact[name]), name) for name in exact]
    for row in rows:
        print("%.1e  %.1e  %s" % row)
    whole = [np.concatenate([g[name].ravel() for name in exact]) for g in (gradients, single, exact)]
    print(f"largest {max(rows)[0]:.1e} {max(r[1] for r in rows):.1e}")
    print(f"whole gradient {difference(whole[0], whole[2]):.1e} {difference(whole[1], whole[2]):.1e}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
