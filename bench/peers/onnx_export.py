"""Writes one of our model files as ONNX, for the runtimes that read it. Batch norms stay as they are: folding them is
the runtime's business, as it is ours."""

import json
import struct

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper


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


V1_STRIDES = {"conv1": 2, "block2.depthwise": 2, "block4.depthwise": 2, "block6.depthwise": 2, "block12.depthwise": 2}


class Writer:
    def __init__(self, tensors, epsilon):
        self.tensors, self.epsilon = tensors, epsilon
        self.nodes, self.constants, self.current = [], [], "input"

    def constant(self, name, array):
        self.constants.append(numpy_helper.from_array(np.ascontiguousarray(array, np.float32), name))
        return name

    def add(self, kind, inputs, name, **attributes):
        self.nodes.append(helper.make_node(kind, [self.current, *inputs], [name], name=name, **attributes))
        self.current = name

    def layer(self, name):
        """Convolution, batch norm, ReLU6, in NCHW."""
        weight = self.tensors[name + ".weight"]
        groups = 1
        if weight.ndim == 2:  # pointwise [in, out]
            weight = weight.T[:, :, None, None]
        elif weight.ndim == 3:  # depthwise [k, k, channels]
            groups = weight.shape[2]
            weight = weight.transpose(2, 0, 1)[:, None]
        else:  # [k, k, in, out]
            weight = weight.transpose(3, 2, 0, 1)
        stride = V1_STRIDES.get(name, 1)
        kernel = list(weight.shape[2:])
        self.add("Conv", [self.constant(name + ".weight", weight)], name, group=groups, kernel_shape=kernel,
                 strides=[stride, stride], auto_pad="SAME_UPPER")
        parts = [self.constant(f"{name}.{p}", self.tensors[f"{name}.norm.{p}"])
                 for p in ("gamma", "beta", "mean", "variance")]
        self.add("BatchNormalization", parts, name + ".norm", epsilon=self.epsilon)
        self.add("Clip", ["zero", "six"], name + ".relu6")


def export(model_path, onnx_path):
    metadata, tensors = load_safetensors(model_path)
    options = json.loads(metadata["network"])
    writer = Writer(tensors, options["epsilon"])
    writer.constant("zero", np.float32(0))
    writer.constant("six", np.float32(6))
    writer.layer("conv1")
    for block in range(1, 14):
        writer.layer(f"block{block}.depthwise")
        writer.layer(f"block{block}.pointwise")
    writer.add("GlobalAveragePool", [], "pool")
    writer.add("Flatten", [], "flat")
    writer.add("Gemm", [writer.constant("w", tensors["classifier.weight"]), writer.constant("b", tensors["classifier.bias"])],
               "logits")
    side, classes = options["resolution"], options["classes"]
    graph = helper.make_graph(
        writer.nodes, "mobilenet_v1",
        [helper.make_tensor_value_info("input", TensorProto.FLOAT, [1, 3, side, side])],
        [helper.make_tensor_value_info("logits", TensorProto.FLOAT, [1, classes])], writer.constants)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    onnx.checker.check_model(model)
    onnx.save(model, onnx_path)
