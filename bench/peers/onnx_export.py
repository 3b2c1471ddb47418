"""Writes one of our model files as ONNX, for the runtimes that read it. Batch norms stay as they are: folding them is
the runtime's business, as it is ours."""

import network
import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

ACTIVATIONS = {"none": [], "relu": [("Relu", [], {})], "relu6": [("Clip", ["zero", "six"], {})],
               "hard-swish": [("HardSwish", [], {})], "hard-sigmoid": [("HardSigmoid", [], {"alpha": 1 / 6, "beta": 0.5})]}


def operators(layer, others, constant):
    """A layer's operators in order, each with its inputs and attributes. The first input is what came before; `others`
    are the layer's further ones."""
    if layer.kind == "add":
        yield "Add", others, {}
    elif layer.kind == "scale":
        yield "Mul", others, {}
    elif layer.kind == "global average pool":
        yield "GlobalAveragePool", [], {}
    else:
        parameters = [constant(layer, part) for part in ("weight", "bias") if part in layer.tensors]
        if layer.kind == "fully connected":
            yield "Flatten", [], {}
            yield "Gemm", parameters, {"transB": 1}
        else:
            top, bottom, left, right = layer.padding
            yield "Conv", parameters, {"group": layer.groups, "kernel_shape": [layer.kernel] * 2,
                                       "strides": [layer.stride] * 2, "pads": [top, left, bottom, right]}
    if layer.batch_norm:
        yield "BatchNormalization", [constant(layer, part) for part in network.PARTS[2:]], {"epsilon": layer.epsilon}
    yield from ACTIVATIONS[layer.activation]


def export(model_path, onnx_path):
    (height, width, channels), layers = network.load(model_path)
    maps = network.map_names(layers)
    nodes = []
    constants = [numpy_helper.from_array(np.float32(value), name) for name, value in (("zero", 0), ("six", 6))]

    def constant(layer, part):
        constants.append(numpy_helper.from_array(layer.tensors[part], f"{layer.name}.{part}"))
        return constants[-1].name

    for i, layer in enumerate(layers):
        current, *others = (maps[index] for index in layer.inputs)
        steps = list(operators(layer, others, constant))
        outputs = [*(f"{layer.name}.{operator}" for operator, _, _ in steps[:-1]), maps[i]]
        for (operator, inputs, attributes), output in zip(steps, outputs):
            nodes.append(helper.make_node(operator, [current, *inputs], [output], name=output, **attributes))
            current = output
    rows, columns, classes = layers[-1].output
    shape = [1, classes] if layers[-1].kind == "fully connected" else [1, classes, rows, columns]
    graph = helper.make_graph(
        nodes, "mobilenet", [helper.make_tensor_value_info("input", TensorProto.FLOAT, [1, channels, height, width])],
        [helper.make_tensor_value_info("logits", TensorProto.FLOAT, shape)], constants)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    onnx.checker.check_model(model)
    onnx.save(model, onnx_path)
