"""The answers of ONNX Runtime for an input that the tests make, too."""

import json

import numpy as np
import onnx
import onnxruntime


def noise(count):
    """tests/random.h's RandomValues(count, 7)."""
    state, values = (7 * 2654435761 + 1) % 2**32, np.empty(count, np.float32)
    for i in range(count):
        state = (state * 1664525 + 1013904223) % 2**32
        values[i] = np.float32(state >> 8) / np.float32(2**23) - np.float32(1)
    return values


def strip(file):
    """Without what exporters note about the machine that they ran on."""
    model = onnx.load(file, load_external_data=False)
    for part in [model, model.graph, *model.graph.node, *model.graph.initializer, *model.graph.input,
                 *model.graph.output]:
        part.ClearField("metadata_props")
        part.ClearField("doc_string")
    model.graph.ClearField("value_info")
    onnx.save(model, file)


def write_answers(path, files):
    answers = {}
    for file in files:
        strip(file)
        session = onnxruntime.InferenceSession(file, providers=["CPUExecutionProvider"])
        source = session.get_inputs()[0]
        shape = [n if isinstance(n, int) else 1 for n in source.shape[1:]]
        nchw = shape[0] == 3
        height, width = shape[1:] if nchw else shape[:2]
        image = noise(height * width * 3).reshape(1, height, width, 3)
        image = image.transpose(0, 3, 1, 2).copy() if nchw else image
        image = np.repeat(image, source.shape[0] if isinstance(source.shape[0], int) else 1, 0)
        answers[file] = [float(x) for x in session.run(None, {source.name: image})[0][0]]
    with open(path, "w") as out:
        json.dump(answers, out, indent=1)
        out.write("\n")
