"""Writes one of our model files as ncnn's .param and .bin."""

import collections

import network
import numpy as np

# What a convolution or product does to its sums, and the same as a layer of its own.
ACTIVATIONS = {"none": "", "relu": " 9=1", "relu6": " 9=3 -23310=2,0.000000e+00,6.000000e+00",
               "hard-swish": " 9=6 -23310=2,1.666667e-01,5.000000e-01"}
ACTIVATION_LAYERS = {"relu": ("ReLU", ""), "relu6": ("Clip", " 0=0.000000e+00 1=6.000000e+00"),
                     "hard-swish": ("HardSwish", " 0=1.666667e-01 1=5.000000e-01"),
                     "hard-sigmoid": ("HardSigmoid", " 0=1.666667e-01 1=5.000000e-01")}


class Writer:
    def __init__(self, layers):
        self.lines, self.weights, self.maps = [], [], 0
        self.readers = collections.Counter(index for layer in layers for index in layer.inputs)
        self.names = network.map_names(layers)
        self.unread = {}  # by map: the names under which it can still be read

    def line(self, kind, name, inputs, outputs, settings=""):
        self.lines.append(" ".join([kind, name, str(len(inputs)), str(len(outputs)), *inputs, *outputs]) + settings)
        self.maps += len(outputs)

    def made(self, index):
        """In ncnn a map has one reader: one with several is split."""
        name, readers = self.names[index], self.readers[index]
        self.unread[index] = [name] if readers < 2 else [f"{name}.{i}" for i in range(readers)]
        if readers > 1:
            self.line("Split", name + ".split", [name], self.unread[index])

    def constants(self, tensors):
        self.weights += [np.uint32(0).tobytes(), tensors["weight"].tobytes(), tensors["bias"].tobytes()]  # 0: float32

    def layer(self, index, layer):
        name, outputs, activation = layer.name, layer.output[2], ACTIVATIONS.get(layer.activation, "")
        inputs, output = [self.unread[i].pop() for i in layer.inputs], [self.names[index]]
        size = layer.tensors["weight"].size if "weight" in layer.tensors else 0
        apart = layer.activation not in ACTIVATIONS or layer.kind == "add" and layer.activation != "none"
        made, output = output, [name + ".sum"] if apart else output
        if layer.kind in ("add", "scale"):
            self.line("BinaryOp", name, inputs, output, " 0=0" if layer.kind == "add" else " 0=2")
        elif layer.kind == "global average pool":
            self.line("Pooling", name, inputs, output, " 0=1 4=1")
        elif layer.kind == "fully connected" or layer.kind == "pointwise" and layer.input[:2] == [1, 1]:
            self.line("InnerProduct", name, inputs, output, f" 0={outputs} 1=1 2={size}{activation}")
            self.constants(layer.tensors)
        else:
            top, bottom, left, right = layer.padding
            kind, groups = "Convolution", ""
            if layer.kind == "depthwise":
                kind, groups = "ConvolutionDepthWise", f" 7={outputs}"
            self.line(kind, name, inputs, output,
                      f" 0={outputs} 1={layer.kernel} 3={layer.stride} 4={left} 15={right} 14={top} 16={bottom} 5=1"
                      f" 6={size}{groups}{activation}")
            self.constants(layer.tensors)
        if apart:
            kind, settings = ACTIVATION_LAYERS[layer.activation]
            self.line(kind, name + ".activation", output, made, settings)
        self.made(index)


def export(model_path, param_path, bin_path):
    _, layers = network.load_folded(model_path)
    writer = Writer(layers)
    writer.line("Input", "input", [], ["input"])
    writer.made(-1)
    for index, layer in enumerate(layers):
        writer.layer(index, layer)
    with open(param_path, "w") as file:
        file.write(f"7767517\n{len(writer.lines)} {writer.maps}\n" + "\n".join(writer.lines) + "\n")
    with open(bin_path, "wb") as file:
        file.write(b"".join(writer.weights))
