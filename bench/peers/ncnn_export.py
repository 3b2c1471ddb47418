"""Writes one of our model files as ncnn's .param and .bin."""

import folded
import numpy as np

RELU6 = "9=3 -23310=2,0.000000e+00,6.000000e+00"  # activation: clip, and its two bounds


def export(model_path, param_path, bin_path):
    side, classes, layers = folded.load(model_path)
    lines, weights = ["Input input 0 1 input"], []

    def constant(array, tag):
        if tag:  # float32
            weights.append(np.uint32(0).tobytes())
        weights.append(np.ascontiguousarray(array, np.float32).tobytes())

    current = "input"
    for layer in layers[:-1]:
        kernel, outputs = layer.weight.shape[0], len(layer.bias)
        side, before, after = folded.padding(side, kernel, layer.stride)
        if layer.kind == "depthwise":
            kind, extra, array = "ConvolutionDepthWise", f"7={outputs} ", layer.weight.transpose(2, 0, 1)
        else:
            kind, extra, array = "Convolution", "", layer.weight.transpose(3, 2, 0, 1)
        lines.append(f"{kind} {layer.name} 1 1 {current} {layer.name} 0={outputs} 1={kernel} 3={layer.stride} 4={before} "
                     f"15={after} 14={before} 16={after} 5=1 6={array.size} {extra}{RELU6}")
        constant(array, True)
        constant(layer.bias, False)
        current = layer.name
    lines.append(f"Pooling pool 1 1 {current} pool 0=1 4=1")  # average, global
    weight = layers[-1].weight.T
    lines.append(f"InnerProduct classifier 1 1 pool logits 0={classes} 1=1 2={weight.size}")
    constant(weight, True)
    constant(layers[-1].bias, False)
    with open(param_path, "w") as file:
        file.write(f"7767517\n{len(lines)} {len(lines)}\n" + "\n".join(lines) + "\n")
    with open(bin_path, "wb") as file:
        file.write(b"".join(weights))
