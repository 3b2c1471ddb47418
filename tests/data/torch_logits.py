#!/usr/bin/env python3
"""Prints the logits that timm's MobileNets V4 and V3 and torchvision's V3 have for 3 classes with weights made of
their names, which tests/formats/torch_tensors.cpp makes the same way: a file of them would be too large. Needs
torch, timm and torchvision."""

import numpy as np
import timm
import torch
from timm.models import mobilenetv3
from torchvision.models import mobilenetv3 as torchvision_v3


def noise(name, count):
    """From -1 to 1, of 24 bits: a hash of the name and the index."""
    seed = 2166136261
    for byte in name.encode():
        seed = (seed ^ byte) * 16777619 % 2**32
    x = np.arange(count, dtype=np.uint32) + np.uint32(seed)
    for factor, shift in [(0x9E3779B1, 15), (0x85EBCA77, 13)]:
        x = x * np.uint32(factor)
        x ^= x >> np.uint32(shift)
    return (x >> np.uint32(8)).astype(np.float64) / 2**23 - 1


def value(name, shape):
    values = noise(name, int(np.prod(shape)))
    if len(shape) > 1:
        values *= np.sqrt(2 / np.prod(shape[1:]))
    elif name.endswith((".running_mean", ".bias")):
        values *= 0.3
    else:
        values = 1 + 0.5 * values
    return torch.tensor(values.astype(np.float32).reshape(shape))


def torchvision_model(name, alpha):
    blocks, last = torchvision_v3._mobilenet_v3_conf(name, width_mult=alpha)
    return torchvision_v3.MobileNetV3(blocks, last, num_classes=3)


def networks():
    for name in ["mobilenetv4_conv_small_035", "mobilenetv4_conv_small_050", "mobilenetv4_conv_small",
                 "mobilenetv4_conv_medium", "mobilenetv3_large_100", "mobilenetv3_small_100",
                 "tf_mobilenetv3_large_minimal_100", "tf_mobilenetv3_small_minimal_100"]:
        yield name, timm.create_model(name, num_classes=3)
    for alpha in [0.35, 0.75]:
        yield f"timm's V3-Small {alpha}", mobilenetv3._gen_mobilenet_v3("mobilenetv3_small_100", alpha, num_classes=3)
    for name in ["mobilenet_v3_large", "mobilenet_v3_small"]:
        for alpha in [0.35, 1.0]:
            yield f"torchvision's {name} {alpha}", torchvision_model(name, alpha)


def main():
    np.seterr(over="ignore")
    pixels = (np.arange(224 * 224 * 3, dtype=np.uint64) * 2654435761 % 2**32 >> 24).astype(np.float32) / 127.5 - 1
    image = torch.tensor(pixels.astype(np.float32).reshape(1, 224, 224, 3).transpose(0, 3, 1, 2))
    for name, model in networks():
        model.eval().load_state_dict({key: tensor if tensor.dim() == 0 else value(key, tuple(tensor.shape))
                                      for key, tensor in model.state_dict().items()})
        with torch.no_grad():
            print(name, model(image).tolist())


if __name__ == "__main__":
    main()
