#!/usr/bin/env python3
"""Makes tests/data/keras_weights.h5: a MobileNet V1 of alpha 0.01 and 5 classes under keras.applications' names, as
Keras saves weights alone. Needs h5py and numpy."""

import pathlib

import h5py
import numpy as np

CHANNELS = [64, 128, 128, 256, 256, 512, 512, 512, 512, 512, 512, 1024, 1024]


def main():
    count = 0
    with h5py.File(pathlib.Path(__file__).with_name("keras_weights.h5"), "w") as file:

        def write(layer, name, shape):
            nonlocal count
            size = int(np.prod(shape))
            values = (np.arange(size) + count).astype(np.float32).reshape(shape) / 100
            file.create_dataset(f"{layer}/{layer}/{name}:0", data=values)
            count += 1

        def norm(layer, channels):
            for name in ("gamma", "beta", "moving_mean", "moving_variance"):
                write(layer + "_bn", name, [channels])

        def width(channels):
            return max(8, int(0.01 * channels))

        last = width(32)
        write("conv1", "kernel", [3, 3, 3, last])
        norm("conv1", last)
        for block, channels in enumerate(CHANNELS, 1):
            write(f"conv_dw_{block}", "depthwise_kernel", [3, 3, last, 1])
            norm(f"conv_dw_{block}", last)
            write(f"conv_pw_{block}", "kernel", [1, 1, last, width(channels)])
            last = width(channels)
            norm(f"conv_pw_{block}", last)
        write("conv_preds", "kernel", [1, 1, last, 5])
        write("conv_preds", "bias", [5])


if __name__ == "__main__":
    main()
