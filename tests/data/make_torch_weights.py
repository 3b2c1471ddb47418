#!/usr/bin/env python3
"""Makes tests/data/timm_v1.pth: a MobileNet V1 of alpha 0.125 and 3 classes under timm's names, in half precision as
PyTorch saves state dictionaries, and prints its logits. Needs torch and timm."""

import pathlib

import numpy as np
import timm
import torch


def main():
    torch.manual_seed(1)
    model = timm.models.efficientnet._gen_mobilenet_v1("mobilenetv1_100", 0.125, num_classes=3)
    with torch.no_grad():
        for name, values in model.state_dict().items():
            if name.endswith("running_mean"):
                values.normal_(0, 0.3)
            elif name.endswith("running_var"):
                values.uniform_(0.5, 1.5)
            elif values.dim() == 1 and name.endswith(".weight"):
                values.uniform_(0.5, 1.5)
            elif values.dim() == 1 and name.endswith(".bias"):
                values.normal_(0, 0.3)
    model.half()
    torch.save(model.state_dict(), pathlib.Path(__file__).with_name("timm_v1.pth"))
    model.float().eval()
    pixels = (np.arange(224 * 224 * 3, dtype=np.uint64) * 2654435761 % 2**32 >> 24).astype(np.float32) / 127.5 - 1
    with torch.no_grad():
        print(model(torch.tensor(pixels.astype(np.float32).reshape(1, 224, 224, 3).transpose(0, 3, 1, 2))))


if __name__ == "__main__":
    main()
