"""Writes one of our model files as float32 TFLite, with the schema that our importer is made from."""

import importlib
import pathlib
import subprocess
import sys
import tempfile

import flatbuffers
import network
import numpy as np

SCHEMA = pathlib.Path(__file__).resolve().parents[2] / "src" / "formats" / "tflite.fbs"
# The format's numbers: of operators, of their options, and so on.
ADD, AVERAGE_POOL, CONVOLUTION, DEPTHWISE, FULLY_CONNECTED, MULTIPLY, PAD, HARD_SWISH = CODES = [0, 1, 3, 4, 9, 18, 34, 117]
OPTIONS = {ADD: 11, AVERAGE_POOL: 5, CONVOLUTION: 1, DEPTHWISE: 2, FULLY_CONNECTED: 8, MULTIPLY: 21, PAD: 0,
           HARD_SWISH: 0}
# Those that are operators of their own are not fused.
ACTIVATIONS = {"none": 0, "relu": 1, "relu6": 3, "hard-swish": 0, "hard-sigmoid": 0}
SAME, VALID = 0, 1
FLOAT32, INT32 = 0, 2


def import_schema():
    """The modules of the format's tables, by name."""
    with tempfile.TemporaryDirectory() as generated:
        subprocess.run(["flatc", "--python", "--gen-object-api", "-o", generated, SCHEMA], check=True)
        sys.path.insert(0, generated)
        names = [file.stem for file in pathlib.Path(generated, "mobilenet", "tflite").glob("[A-Z]*.py")]
        return {name: importlib.import_module("mobilenet.tflite." + name) for name in names}


def is_same(layer):
    """Whether TensorFlow's "same" pads so: as little as the output size needs, an odd rest below and to the right."""
    top, bottom, left, right = layer.padding
    for side, output, before, after in zip(layer.input, layer.output, (top, left), (bottom, right)):
        total = max(0, (output - 1) * layer.stride + layer.kernel - side)
        if output != -(-side // layer.stride) or (before, after) != (total // 2, total - total // 2):
            return False
    return True


class Writer:
    def __init__(self, layers):
        self.schema = import_schema()
        self.tensors, self.buffers, self.operators = [], [self.new("Buffer")], []
        self.names, self.maps = network.map_names(layers), {}

    def new(self, table, **fields):
        item = getattr(self.schema[table], table + "T")()
        for name, value in fields.items():
            setattr(item, name, value)
        return item

    def tensor(self, name, shape, values=None):
        buffer = 0  # the empty one
        if values is not None:
            buffer = len(self.buffers)
            self.buffers.append(self.new("Buffer", data=np.frombuffer(values.tobytes(), np.uint8)))
        kind = INT32 if values is not None and values.dtype == np.int32 else FLOAT32
        self.tensors.append(self.new("Tensor", name=name, shape=list(shape), buffer=buffer, type=kind))
        return len(self.tensors) - 1

    def constant(self, name, values):
        return self.tensor(name, values.shape, values)

    def operator(self, code, inputs, output, options=None):
        self.operators.append(self.new("Operator", opcodeIndex=CODES.index(code), inputs=inputs, outputs=[output],
                                       optionsType=OPTIONS[code], options=options))
        return output

    def padded(self, layer, source):
        """(`source` as a convolution reads it, the padding that is left to it)."""
        if is_same(layer):
            return source, SAME
        top, bottom, left, right = layer.padding
        if layer.padding != [0, 0, 0, 0]:
            pads = np.array([[0, 0], [top, bottom], [left, right], [0, 0]], np.int32)
            height, width, channels = layer.input
            whole = self.tensor(layer.name + ".padded", [1, height + top + bottom, width + left + right, channels])
            source = self.operator(PAD, [source, self.constant(layer.name + ".pads", pads)], whole)
        return source, VALID

    def window(self, layer, source, parameters, output):
        table, code, more = "Conv2DOptions", CONVOLUTION, {}
        if layer.kind == "depthwise":
            table, code, more = "DepthwiseConv2DOptions", DEPTHWISE, {"depthMultiplier": 1}
        source, padding = self.padded(layer, source)
        options = self.new(table, padding=padding, strideW=layer.stride, strideH=layer.stride, dilationW=1, dilationH=1,
                           fusedActivation=ACTIVATIONS[layer.activation], **more)
        self.operator(code, [source, *parameters], output, options)

    def curve(self, layer, source, shape, output):
        """What follows a layer whose activation bends: TensorFlow's operators for it."""
        if layer.activation == "hard-swish":
            return self.operator(HARD_SWISH, [source], output)
        three, sixth = (self.constant(f"{layer.name}.{name}", np.array([value], np.float32))
                        for name, value in (("three", 3), ("sixth", 1 / 6)))
        held = self.operator(ADD, [source, three], self.tensor(layer.name + ".held", shape),
                             self.new("AddOptions", fusedActivation=ACTIVATIONS["relu6"]))
        return self.operator(MULTIPLY, [held, sixth], output, self.new("MulOptions", fusedActivation=0))

    def layer(self, index, layer):
        inputs, activation = [self.maps[i] for i in layer.inputs], ACTIVATIONS[layer.activation]
        connected = layer.kind == "fully connected"
        shape = [1, layer.output[2]] if connected else [1, *layer.output]
        made = output = self.maps[index] = self.tensor(self.names[index], shape)
        bends = layer.activation.startswith("hard")
        if bends:
            output = self.tensor(layer.name + ".straight", shape)
        if layer.kind == "add":
            self.operator(ADD, inputs, output, self.new("AddOptions", fusedActivation=activation))
        elif layer.kind == "scale":
            self.operator(MULTIPLY, inputs, output, self.new("MulOptions", fusedActivation=activation))
        elif layer.kind == "global average pool":
            height, width, _ = layer.input
            options = self.new("Pool2DOptions", padding=VALID, strideW=1, strideH=1, filterHeight=height,
                               filterWidth=width)
            self.operator(AVERAGE_POOL, inputs, output, options)
        else:
            weight = layer.tensors["weight"]
            if not connected:
                weight = weight.transpose((1, 2, 3, 0) if layer.kind == "depthwise" else (0, 2, 3, 1))
            parameters = [self.constant(layer.name + ".weight", weight),
                          self.constant(layer.name + ".bias", layer.tensors["bias"])]
            if connected:
                self.operator(FULLY_CONNECTED, [*inputs, *parameters], output,
                              self.new("FullyConnectedOptions", fusedActivation=activation))
            else:
                self.window(layer, inputs[0], parameters, output)
        if bends:
            self.curve(layer, output, shape, made)


def export(model_path, tflite_path):
    shape, layers = network.load_folded(model_path)
    writer = Writer(layers)
    writer.maps[-1] = writer.tensor("input", [1, *shape])
    for index, layer in enumerate(layers):
        writer.layer(index, layer)
    graph = writer.new("SubGraph", tensors=writer.tensors, operators=writer.operators, inputs=[writer.maps[-1]],
                       outputs=[writer.maps[len(layers) - 1]])
    codes = [writer.new("OperatorCode", shortCode=code, code=code, version=1) for code in CODES]
    model = writer.new("Model", version=3, subgraphs=[graph], buffers=writer.buffers, operatorCodes=codes)
    builder = flatbuffers.Builder(1 << 20)
    builder.Finish(model.Pack(builder), b"TFL3")
    pathlib.Path(tflite_path).write_bytes(builder.Output())
