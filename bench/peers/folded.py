"""A model file of ours as a list of layers with batch norms folded, for runtimes that fold nothing themselves."""

import dataclasses
import json

import numpy as np
from onnx_export import V1_STRIDES, load_safetensors


@dataclasses.dataclass
class Layer:
    name: str
    kind: str  # "convolution", "depthwise", "fully connected"
    weight: np.ndarray  # [k, k, in, out]; [k, k, channels]; [in, out]
    bias: np.ndarray
    stride: int = 1


def load(path):
    """(side, classes, layers). The pooling stands before the last layer."""
    metadata, tensors = load_safetensors(path)
    options = json.loads(metadata["network"])

    def fold(name):
        gamma, beta, mean, variance = (tensors[f"{name}.norm.{p}"].astype(np.float64)
                                       for p in ("gamma", "beta", "mean", "variance"))
        scale = gamma / np.sqrt(variance + options["epsilon"])
        weight = (tensors[name + ".weight"].astype(np.float64) * scale).astype(np.float32)
        if weight.ndim == 2:  # pointwise
            weight = weight[None, None]
        kind = "depthwise" if weight.ndim == 3 else "convolution"
        return Layer(name, kind, weight, (beta - mean * scale).astype(np.float32), V1_STRIDES.get(name, 1))

    names = ["conv1"] + [f"block{b}.{part}" for b in range(1, 14) for part in ("depthwise", "pointwise")]
    layers = [fold(name) for name in names]
    layers.append(Layer("classifier", "fully connected", tensors["classifier.weight"], tensors["classifier.bias"]))
    return options["resolution"], options["classes"], layers


def padding(side, kernel, stride):
    """TensorFlow's "same": (output side, zeros before, zeros after)."""
    output = -(-side // stride)
    total = max(0, (output - 1) * stride + kernel - side)
    return output, total // 2, total - total // 2
