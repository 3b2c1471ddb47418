#!/usr/bin/env python3
"""Fine-tuning in PyTorch, from the weights and on the folders that `mobilenet train SET --from MODEL` takes.

    build/peers/bin/python bench/peers/finetune.py MODEL SET [--rate 0.01] [--epochs 10] [--seed 1] [--threads 2]

MODEL is a file that `mobilenet convert` reads, SET has train/CLASS/* and val/CLASS/*. The recipe is that of tutorials:

1. The head alone, on features that are computed once: a logistic regression with a decay of 0.03, by L-BFGS.
2. Everything: --epochs of SGD, a rate of --rate, momentum 0.9, batch 32, weight decay 1e-4, a cosine to 0, label
   smoothing 0.1, crops of 50 to 100 % of the area, mirrored every second time, batch norms with the batch's statistics
   and PyTorch's momentum of 0.1.

Validation pictures are seen as our programs see them: small ones whole, of others the centred square of 7/8 of the
shorter side. The accuracies are those at the end, the best of nothing; the times are those of all but the imports,
by the clock and of the processors."""

import argparse
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import time

import torch
import torch_network
from network import load
from torch import nn
from torchvision import datasets, transforms

ROOT = pathlib.Path(__file__).resolve().parents[2]
PROGRAM = ROOT / "build" / "release" / "mobilenet"
BATCH, MOMENTUM, DECAY = 32, 0.9, 1e-4
HEAD_DECAY, HEAD_STEPS = 0.03, 200


class Network(nn.Module):
    """A network of ours, its last layer of `classes` new classes."""

    def __init__(self, layers, classes):
        super().__init__()
        self.layers = layers
        self.own = []
        for i, layer in enumerate(layers[:-1]):
            own = {}
            for part, array in layer.tensors.items():
                name = f"{i}_{part}".replace(".", "_")
                value = torch.tensor(array)
                if part in ("norm.mean", "norm.variance"):
                    self.register_buffer(name, value)
                    own[part] = value
                else:
                    own[part] = nn.Parameter(value)
                    self.register_parameter(name, own[part])
            self.own.append(own)
        self.head = nn.Linear(layers[-1].input[2], classes)
        nn.init.zeros_(self.head.weight)
        nn.init.zeros_(self.head.bias)

    def norm(self, x, own, epsilon):
        return nn.functional.batch_norm(x, own["norm.mean"], own["norm.variance"], own["norm.gamma"],
                                        own["norm.beta"], self.training, 0.1, epsilon)

    def features(self, x):
        return torch_network.forward(self.layers[:-1], self.own, x, self.norm).flatten(1)

    def forward(self, x):
        return self.head(self.features(x))


def times():
    """By the clock, and of the processors: of this process and of those it waited for."""
    return time.monotonic(), sum(os.times()[:4])


def since(begin):
    return [round(now - before) for now, before in zip(times(), begin)]


def loaders(folder, side):
    """Batches to train on, and of both sides as they are seen in use."""
    sizes = [image.size for image, _ in (datasets.ImageFolder(folder / "val")[i] for i in range(16))]
    small = max(min(size) for size in sizes) <= 1.5 * side
    tensor = [transforms.ToTensor(), transforms.Normalize([0.5] * 3, [0.5] * 3)]
    whole = [transforms.Resize((side, side))]
    square = [transforms.Resize(side * 8 // 7), transforms.CenterCrop(side)]
    seen = transforms.Compose((whole if small else square) + tensor)
    varied = transforms.Compose([transforms.RandomResizedCrop(side, scale=(0.5, 1)), transforms.RandomHorizontalFlip(),
                                 *tensor])

    def loader(part, transform, **more):
        return torch.utils.data.DataLoader(datasets.ImageFolder(folder / part, transform), BATCH, num_workers=2, **more)

    return (loader("train", varied, shuffle=True, drop_last=True), loader("train", seen), loader("val", seen))


def images_of(batch):
    return batch.to(memory_format=torch.channels_last)


@torch.no_grad()
def accuracy(network, batches):
    network.eval()
    right = [(network(images_of(x)).argmax(1) == y).sum().item() for x, y in batches]
    return sum(right) / len(batches.dataset)


def descend(parameters, rate, steps):
    optimizer = torch.optim.SGD(parameters, rate, MOMENTUM, weight_decay=DECAY)
    return optimizer, torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, steps)


def step(loss, optimizer, schedule):
    optimizer.zero_grad(set_to_none=True)
    loss.backward()
    optimizer.step()
    schedule.step()


def fit_head(network, batches):
    network.eval()
    with torch.no_grad():
        rows = [(network.features(images_of(x)), y) for x, y in batches]
    features, labels = (torch.cat(column) for column in zip(*rows))
    optimizer = torch.optim.LBFGS(network.head.parameters(), max_iter=HEAD_STEPS, line_search_fn="strong_wolfe")

    def loss():
        optimizer.zero_grad()
        value = nn.functional.cross_entropy(network.head(features), labels)
        value = value + HEAD_DECAY / 2 * network.head.weight.square().sum()
        value.backward()
        return value

    optimizer.step(loss)


def tune(network, batches, rate, epochs):
    network.train()
    optimizer, schedule = descend(network.parameters(), rate, epochs * len(batches))
    for _ in range(epochs):
        for x, y in batches:
            logits = network(images_of(x))
            step(nn.functional.cross_entropy(logits, y, label_smoothing=0.1), optimizer, schedule)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model")
    parser.add_argument("set", type=pathlib.Path)
    parser.add_argument("--rate", type=float, default=0.01)
    parser.add_argument("--epochs", type=int, default=10)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--threads", type=int, default=2)
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    torch.manual_seed(arguments.seed)
    with tempfile.TemporaryDirectory() as folder:
        model = pathlib.Path(folder) / "model.safetensors"
        subprocess.run([PROGRAM, "convert", arguments.model, model], check=True, stdout=subprocess.DEVNULL)
        (side, _, _), layers = load(model)
    begin = times()
    training, seen, validation = loaders(arguments.set, side)
    network = Network(layers, len(validation.dataset.classes)).to(memory_format=torch.channels_last)
    fit_head(network, seen)
    result = {"seed": arguments.seed, "head": accuracy(network, validation)}
    result["head_seconds"], result["head_processor_seconds"] = since(begin)
    tune(network, training, arguments.rate, arguments.epochs)
    result["whole"] = accuracy(network, validation)
    result["seconds"], result["processor_seconds"] = since(begin)
    print(json.dumps(result))
    return 0


if __name__ == "__main__":
    sys.exit(main())
