"""A network of ours in PyTorch."""

from torch.nn import functional

ACTIVATIONS = {"none": lambda x: x, "relu": functional.relu, "relu6": functional.relu6,
               "hard-swish": functional.hardswish, "hard-sigmoid": functional.hardsigmoid}


def batch_statistics(x, own, epsilon):
    """A batch norm as in training."""
    return functional.batch_norm(x, None, None, own["norm.gamma"], own["norm.beta"], training=True, eps=epsilon)


def forward(layers, tensors, x, norm=batch_statistics):
    """Logits of NCHW images. `tensors` has layer.tensors of each layer as PyTorch's."""
    maps = {-1: x}
    for i, (layer, own) in enumerate(zip(layers, tensors)):
        x, *others = (maps[index] for index in layer.inputs)
        if layer.kind == "add":
            x = x + others[0]
        elif layer.kind == "scale":
            x = x * others[0]
        elif layer.kind == "global average pool":
            x = x.mean((2, 3), keepdim=True)
        elif layer.kind == "fully connected":
            x = functional.linear(x.flatten(1), own["weight"], own.get("bias"))
        else:
            top, bottom, left, right = layer.padding
            if top != bottom or left != right:
                x, top, left = functional.pad(x, (left, right, top, bottom)), 0, 0
            x = functional.conv2d(x, own["weight"], own.get("bias"), layer.stride, (top, left), 1, layer.groups)
        if layer.batch_norm:
            x = norm(x, own, layer.epsilon)
        maps[i] = ACTIVATIONS[layer.activation](x)
    return maps[len(layers) - 1]
