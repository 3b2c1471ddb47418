"""Writes one of our model files as float32 TFLite, with the schema that our importer is made from."""

import pathlib
import subprocess
import sys
import tempfile

import flatbuffers
import folded
import numpy as np

SCHEMA = pathlib.Path(__file__).resolve().parents[2] / "src" / "formats" / "tflite.fbs"
CONVOLUTION, DEPTHWISE, AVERAGE_POOL, FULLY_CONNECTED = 3, 4, 1, 9  # the format's numbers of operators
RELU6 = 3


def export(model_path, tflite_path):
    with tempfile.TemporaryDirectory() as generated:
        subprocess.run(["flatc", "--python", "--gen-object-api", "-o", generated, SCHEMA], check=True)
        sys.path.insert(0, generated)
        from mobilenet.tflite import (Buffer, Conv2DOptions, DepthwiseConv2DOptions, FullyConnectedOptions, Model,
                                      Operator, OperatorCode, Options, Pool2DOptions, SubGraph, Tensor)

    side, classes, layers = folded.load(model_path)
    tensors, buffers, operators = [], [Buffer.BufferT()], []

    def tensor(name, shape, values=None):
        item = Tensor.TensorT()
        item.name, item.shape, item.buffer = name, list(shape), 0
        if values is not None:
            buffer = Buffer.BufferT()
            buffer.data = np.frombuffer(np.ascontiguousarray(values, np.float32).tobytes(), np.uint8)
            item.buffer = len(buffers)
            buffers.append(buffer)
        tensors.append(item)
        return len(tensors) - 1

    def operator(code, kind, options, inputs, output):
        item = Operator.OperatorT()
        item.opcodeIndex, item.inputs, item.outputs = CODES.index(code), inputs, [output]
        item.optionsType, item.options = kind, options
        operators.append(item)
        return output

    CODES = [CONVOLUTION, DEPTHWISE, AVERAGE_POOL, FULLY_CONNECTED]
    current = first = tensor("input", [1, side, side, 3])
    for layer in layers[:-1]:
        side, _, _ = folded.padding(side, layer.weight.shape[0], layer.stride)
        if layer.kind == "depthwise":
            options, kind, code = DepthwiseConv2DOptions.DepthwiseConv2DOptionsT(), Options.Options.DepthwiseConv2DOptions, DEPTHWISE
            options.depthMultiplier = 1
            weight = layer.weight[None]
        else:
            options, kind, code = Conv2DOptions.Conv2DOptionsT(), Options.Options.Conv2DOptions, CONVOLUTION
            weight = layer.weight.transpose(3, 0, 1, 2)
        options.padding, options.fusedActivation = 0, RELU6
        options.strideW = options.strideH = layer.stride
        options.dilationWFactor = options.dilationHFactor = 1
        inputs = [current, tensor(layer.name + ".weight", weight.shape, weight),
                  tensor(layer.name + ".bias", layer.bias.shape, layer.bias)]
        current = operator(code, kind, options, inputs, tensor(layer.name, [1, side, side, len(layer.bias)]))
    pool = Pool2DOptions.Pool2DOptionsT()
    pool.padding, pool.fusedActivation = 1, 0
    pool.strideW = pool.strideH = pool.filterWidth = pool.filterHeight = side
    channels = len(layers[-2].bias)
    current = operator(AVERAGE_POOL, Options.Options.Pool2DOptions, pool, [current], tensor("pool", [1, 1, 1, channels]))
    weight = layers[-1].weight.T
    inputs = [current, tensor("classifier.weight", weight.shape, weight),
              tensor("classifier.bias", [classes], layers[-1].bias)]
    options = FullyConnectedOptions.FullyConnectedOptionsT()
    options.fusedActivation = 0
    current = operator(FULLY_CONNECTED, Options.Options.FullyConnectedOptions, options, inputs,
                       tensor("logits", [1, classes]))

    graph = SubGraph.SubGraphT()
    graph.tensors, graph.operators, graph.inputs, graph.outputs = tensors, operators, [first], [current]
    model = Model.ModelT()
    model.version, model.subgraphs, model.buffers, model.operatorCodes = 3, [graph], buffers, []
    for code in CODES:
        item = OperatorCode.OperatorCodeT()
        item.shortCode = item.code = code
        item.version = 1
        model.operatorCodes.append(item)
    builder = flatbuffers.Builder(1 << 20)
    builder.Finish(model.Pack(builder), b"TFL3")
    pathlib.Path(tflite_path).write_bytes(builder.Output())
