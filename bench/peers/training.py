#!/usr/bin/env python3
"""Our training steps beside PyTorch's and TensorFlow's: images a second and peak memory, same network, same batch.

    python3 -m venv build/peers && build/peers/bin/pip install -r bench/peers/requirements.txt
    build/peers/bin/python bench/peers/training.py --threads 2

A step is forward, backward and SGD with Nesterov momentum on random pixels, in float32 or, with --precision bfloat16, in
the bfloat16 mode of each side: ours, PyTorch's autocast, Keras's mixed_bfloat16. Each side has a process of its
own and all take turns, round after round; PyTorch runs channels-last, TensorFlow as a compiled function, as their
documentation advises for processors. Prints a Markdown table of medians over the rounds. What is not installed is named
as missing."""

import argparse
import importlib.util
import json
import os
import pathlib
import resource
import statistics
import subprocess
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
PROGRAM = ROOT / "build" / "release" / "mobilenet"
CASES = [("v1", 0.5, 32, 128), ("v1", 1.0, 32, 128), ("v1", 0.5, 96, 64), ("v1", 1.0, 96, 64), ("v1", 0.5, 224, 32),
         ("v1", 1.0, 224, 32), ("v2", 1.0, 96, 64), ("v2", 1.0, 224, 32), ("v3-large", 1.0, 96, 64),
         ("v3-large", 1.0, 224, 32)]
CHANNELS = [64, 128, 128, 256, 256, 512, 512, 512, 512, 512, 512, 1024, 1024]
STRIDES = [1, 2, 1, 2, 1, 2, 1, 1, 1, 1, 1, 2, 1]


def pytorch_v1(alpha):
    from torch import nn

    layers = []

    def add(inputs, outputs, kernel, stride, groups=1):
        layers.extend([nn.Conv2d(inputs, outputs, kernel, stride, kernel // 2, groups=groups, bias=False),
                       nn.BatchNorm2d(outputs), nn.ReLU6(inplace=True)])

    width = int(32 * alpha)
    add(3, width, 3, 2)
    for channels, stride in zip(CHANNELS, STRIDES):
        add(width, width, 3, stride, width)
        add(width, int(channels * alpha), 1, 1)
        width = int(channels * alpha)
    return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(width, 10))


def pytorch(version, alpha, resolution, batch, threads, precision):
    import torch
    import torchvision
    from torch import nn

    torch.set_num_threads(threads)
    if version == "v1":
        model = pytorch_v1(alpha)
    else:
        make = {"v2": torchvision.models.mobilenet_v2, "v3-large": torchvision.models.mobilenet_v3_large}[version]
        model = make(width_mult=alpha, num_classes=10, dropout=0)
    model = model.to(memory_format=torch.channels_last).train()
    optimizer = torch.optim.SGD(model.parameters(), lr=1e-4, momentum=0.9, nesterov=True, weight_decay=5e-4)
    images = torch.rand(batch, 3, resolution, resolution).to(memory_format=torch.channels_last)
    labels = torch.randint(0, 10, (batch,))
    loss = nn.CrossEntropyLoss()

    def step():
        optimizer.zero_grad(set_to_none=True)
        with torch.autocast("cpu", dtype=torch.bfloat16, enabled=precision == "bfloat16"):
            value = loss(model(images), labels)
        value.backward()
        optimizer.step()

    return step


def tensorflow(version, alpha, resolution, batch, threads, precision):
    os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
    import tensorflow as tf

    tf.config.threading.set_intra_op_parallelism_threads(threads)
    tf.config.threading.set_inter_op_parallelism_threads(1)
    if precision == "bfloat16":
        tf.keras.mixed_precision.set_global_policy("mixed_bfloat16")
    applications = tf.keras.applications
    make, more = {"v1": (applications.MobileNet, {"dropout": 0}), "v2": (applications.MobileNetV2, {}),
                  "v3-large": (applications.MobileNetV3Large, {"dropout_rate": 0, "include_preprocessing": False})}[version]
    model = make(input_shape=(resolution, resolution, 3), alpha=alpha, weights=None, classes=10,
                 classifier_activation=None, **more)
    optimizer = tf.keras.optimizers.SGD(1e-4, momentum=0.9, nesterov=True, weight_decay=5e-4)
    optimizer.build(model.trainable_variables)
    images = tf.random.uniform((batch, resolution, resolution, 3))
    labels = tf.random.uniform((batch,), 0, 10, tf.int32)
    loss = tf.keras.losses.SparseCategoricalCrossentropy(from_logits=True)

    @tf.function
    def train():
        with tf.GradientTape() as tape:
            value = loss(labels, model(images, training=True))
        optimizer.apply_gradients(zip(tape.gradient(value, model.trainable_variables), model.trainable_variables))
        return value

    return lambda: train().numpy()


PEERS = {"PyTorch": (pytorch, "torch"), "TensorFlow": (tensorflow, "tensorflow")}


def measure(step, seconds):
    step()
    times = []
    end = time.perf_counter() + seconds
    while time.perf_counter() < end or len(times) < 3:
        begin = time.perf_counter()
        step()
        times.append(time.perf_counter() - begin)
    return statistics.median(times)


def serve(name, version, alpha, resolution, batch, threads, seconds, precision):
    os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:threads])
    answers = os.dup(1)  # some print
    os.dup2(2, 1)
    step = measure(PEERS[name][0](version, alpha, resolution, batch, threads, precision), seconds)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    os.write(answers, json.dumps({"images_per_second": batch / step, "peak_memory_bytes": peak}).encode())


def ours(version, alpha, resolution, batch, threads, seconds, precision):
    command = [PROGRAM, "bench", "--train", "--json", "--version", version, "--alpha", str(alpha), "--resolution", str(resolution), "--batch",
               str(batch), "--threads", str(threads), "--seconds", str(seconds), "--precision", precision]
    return json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


def peer(name, version, alpha, resolution, batch, threads, seconds, precision):
    command = [sys.executable, __file__, "--serve", name, version, str(alpha), str(resolution), str(batch), str(threads),
               str(seconds), precision]
    return json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=3)
    parser.add_argument("--versions", nargs="+", choices=("v1", "v2", "v3-large"), default=("v1", "v2", "v3-large"))
    parser.add_argument("--precision", choices=("float32", "bfloat16"), default="float32")
    parser.add_argument("--serve", nargs=8, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.serve:
        name, version, alpha, resolution, batch, threads, seconds, precision = arguments.serve
        return serve(name, version, float(alpha), int(resolution), int(batch), int(threads), float(seconds), precision)

    sides = {"mobilenet.cpp": ours}
    for name, (_, module) in PEERS.items():
        if importlib.util.find_spec(module):
            sides[name] = lambda *case, name=name: peer(name, *case)
        else:
            print(f"{name}: not installed, left out")
    print(f"| network, batch | " + " | ".join(f"{name}, images/s | memory" for name in sides) +
          " | ours / fastest other | pointwise layers, of the float32 peak |")
    print("| --- |" + " ---: | ---: |" * len(sides) + " ---: | ---: |")
    for version, alpha, resolution, batch in CASES:
        if version not in arguments.versions:
            continue
        results = {name: [] for name in sides}
        for _ in range(arguments.rounds):
            for name, run in sides.items():
                results[name].append(
                    run(version, alpha, resolution, batch, arguments.threads, arguments.seconds, arguments.precision))
        middle = {name: statistics.median(r["images_per_second"] for r in list_) for name, list_ in results.items()}
        memory = {name: statistics.median(r["peak_memory_bytes"] for r in list_) for name, list_ in results.items()}
        share = statistics.median(r["pointwise_peak_share"] for r in results["mobilenet.cpp"])
        others = [value for name, value in middle.items() if name != "mobilenet.cpp"]
        ratio = f"{middle['mobilenet.cpp'] / max(others):.2f}" if others else "-"
        print(f"| {version.capitalize()} {alpha}-{resolution}, {batch} | " +
              " | ".join(f"{middle[name]:.0f} | {memory[name] / 1e6:.0f} MB" for name in sides) +
              f" | {ratio} | {100 * share:.0f} % |", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
