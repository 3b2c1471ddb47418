"""Our model files as Python sees them: the layers in order, each with its tensors as other runtimes lay them out."""

import dataclasses
import json
import struct

import numpy as np

PARTS = ("weight", "bias", "norm.gamma", "norm.beta", "norm.mean", "norm.variance")


@dataclasses.dataclass
class Layer:
    """include/mobilenet/network.h says what the fields mean."""

    name: str
    kind: str
    inputs: list
    input: list
    output: list
    kernel: int
    stride: int
    padding: list  # top, bottom, left, right
    batch_norm: bool
    bias: bool
    epsilon: float
    activation: str
    tensors: dict  # by part; a weight is [out, in, kernel, kernel], [channels, 1, kernel, kernel] or [out, in]

    @property
    def groups(self):
        return self.input[2] if self.kind == "depthwise" else 1


def load_safetensors(path):
    """(metadata, {name: array}) of a safetensors file of float32 tensors."""
    with open(path, "rb") as file:
        data = file.read()
    (length,) = struct.unpack("<Q", data[:8])
    header = json.loads(data[8 : 8 + length])
    metadata = header.pop("__metadata__", {})
    tensors = {}
    for name, item in header.items():
        begin, end = (8 + length + offset for offset in item["data_offsets"])
        tensors[name] = np.frombuffer(data[begin:end], np.float32).reshape(item["shape"])
    return metadata, tensors


def lay_out(weight, kind):
    if kind == "fully connected":  # [in, out]
        weight = weight.T
    elif weight.ndim == 2:  # the same, of a pointwise layer
        weight = weight.T[:, :, None, None]
    elif kind == "depthwise":  # [k, k, channels]
        weight = weight.transpose(2, 0, 1)[:, None]
    else:  # [k, k, in, out]
        weight = weight.transpose(3, 2, 0, 1)
    return np.ascontiguousarray(weight)


def layers_of(description, tensors):
    """Layers from the metadata "network". Only the last one is ever fully connected: one before it becomes a pointwise
    one, which is the same on its map of 1 x 1."""
    layers = [Layer(**fields, tensors={}) for fields in description["layers"]]
    for layer in layers:
        if layer.kind == "fully connected" and layer is not layers[-1]:
            layer.kind = "pointwise"
        layer.tensors = {part: tensors[f"{layer.name}.{part}"] for part in PARTS if f"{layer.name}.{part}" in tensors}
        if "weight" in layer.tensors:
            layer.tensors["weight"] = lay_out(layer.tensors["weight"], layer.kind)
    return layers


def load(path):
    """The shape of the input, and the layers."""
    metadata, tensors = load_safetensors(path)
    description = json.loads(metadata["network"])
    return description["input"], layers_of(description, tensors)


def fold(layer):
    """The same layer with a bias and no batch norm, for runtimes that fold nothing themselves."""
    if "weight" not in layer.tensors:
        return layer
    weight = layer.tensors["weight"].astype(np.float64)
    bias = layer.tensors.get("bias", np.zeros(layer.output[2])).astype(np.float64)
    if layer.batch_norm:
        gamma, beta, mean, variance = (layer.tensors[part].astype(np.float64) for part in PARTS[2:])
        scale = gamma / np.sqrt(variance + layer.epsilon)
        weight *= scale.reshape(-1, *[1] * (weight.ndim - 1))
        bias = beta + (bias - mean) * scale
    tensors = {"weight": weight.astype(np.float32), "bias": bias.astype(np.float32)}
    return dataclasses.replace(layer, batch_norm=False, bias=True, tensors=tensors)


def load_folded(path):
    shape, layers = load(path)
    return shape, [fold(layer) for layer in layers]


def map_names(layers):
    """What the files that we write call each map, by its index in Layer.inputs."""
    return {-1: "input"} | {i: layer.name for i, layer in enumerate(layers)} | {len(layers) - 1: "logits"}
