#!/usr/bin/env python3
"""Photos to network inputs: ours beside Pillow, on the same files, in turns, on one core.

    bench/peers/image.py [--bench build/release/bench/image_bench] [--photo FILE] [--rounds 7]

Prints a Markdown table of medians. Needs bench/peers/requirements.txt.
"""

import argparse
import json
import os
import pathlib
import platform
import statistics
import subprocess
import tempfile
import time

import numpy
import PIL
from PIL import Image

ROOT = pathlib.Path(__file__).resolve().parents[2]
SIDE = 224
CROP = 0.875


def processor():
    for line in open("/proc/cpuinfo", encoding="utf-8"):
        if line.startswith(("model name", "Model")):
            return line.split(":", 1)[1].strip()
    return platform.processor()


def make_pictures(photo, folder):
    """The two files of the benchmark: 12 megapixels, and the size of ImageNet's photos."""
    names = {}
    if photo is None:
        noise = numpy.random.default_rng(0).integers(0, 256, (60, 80, 3), dtype=numpy.uint8)
        source = Image.fromarray(noise).resize((1280, 960), Image.Resampling.BICUBIC)
    else:
        source = Image.open(photo).convert("RGB")
    for name, size in {"large": (4000, 3000), "small": (500, 375)}.items():
        names[name] = os.path.join(folder, name + ".jpg")
        source.resize(size, Image.Resampling.BICUBIC).save(names[name], quality=90)
    return names


def pillow_decode(data):
    image = Image.open(data).convert("RGB")
    image.load()
    return image


def pillow_resize(image, resample=Image.Resampling.BILINEAR):
    left, top = image.width * (1 - CROP) / 2, image.height * (1 - CROP) / 2
    return image.resize((SIDE, SIDE), resample, box=(left, top, image.width - left, image.height - top))


def pillow_input(data):
    return numpy.asarray(pillow_resize(pillow_decode(data)), numpy.float32) / 127.5 - 1


def pillow_draft_input(data):
    """Pillow with libjpeg's scaled decoding switched on by hand, as few programs do."""
    image = Image.open(data)
    side = round(SIDE / CROP) * 2
    image.draft("RGB", (side, side))
    return numpy.asarray(pillow_resize(image.convert("RGB")), numpy.float32) / 127.5 - 1


def seconds(function, argument, least=0.3):
    """The mean of as many calls as fill `least` seconds."""
    calls, start = 0, time.perf_counter()
    while True:
        function(argument)
        calls += 1
        elapsed = time.perf_counter() - start
        if elapsed >= least:
            return elapsed / calls


def pillow_times(pictures):
    times = {}
    for size, file in pictures.items():
        decoded = pillow_decode(file)
        times[size + "/decode"] = seconds(pillow_decode, file)
        times[size + "/input"] = seconds(pillow_input, file)
        times[size + "/input, draft"] = seconds(pillow_draft_input, file)
        times[size + "/resize_bilinear"] = seconds(pillow_resize, decoded)
        times[size + "/resize_bicubic"] = seconds(lambda i: pillow_resize(i, Image.Resampling.BICUBIC), decoded)
    return times


def our_times(bench, pictures):
    environment = dict(os.environ)
    for size, file in pictures.items():
        environment["MOBILENET_BENCH_" + size.upper()] = file
    run = subprocess.run([bench, "--benchmark_format=json", "--benchmark_min_time=0.3"], env=environment,
                         check=True, capture_output=True, text=True)
    return {b["name"]: b["real_time"] / 1000 for b in json.loads(run.stdout)["benchmarks"]}


# What, our benchmark, Pillow's.
ROWS = [
    ("12 MP JPEG, every pixel decoded", "large/decode", "large/decode"),
    ("12 MP JPEG to 224x224 input, every pixel decoded", "large/input_unscaled", "large/input"),
    ("12 MP JPEG to 224x224 input", "large/input", "large/input"),
    ("12 MP JPEG to 224x224 input, Pillow's draft mode", "large/input", "large/input, draft"),
    ("500x375 JPEG, decoded", "small/decode", "small/decode"),
    ("500x375 JPEG to 224x224 input", "small/input", "small/input"),
    ("12 MP pixels to 224x224, bilinear", "large/resize_bilinear", "large/resize_bilinear"),
    ("500x375 pixels to 224x224, bilinear", "small/resize_bilinear", "small/resize_bilinear"),
    ("500x375 pixels to 224x224, bicubic", "small/resize_bicubic", "small/resize_bicubic"),
]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bench", default=ROOT / "build/release/bench/image_bench")
    parser.add_argument("--photo", help="a photo to make the pictures from (default: smooth noise)")
    parser.add_argument("--rounds", type=int, default=7)
    arguments = parser.parse_args()

    ours, pillow = [], []
    with tempfile.TemporaryDirectory() as folder:
        pictures = make_pictures(arguments.photo, folder)
        for _ in range(arguments.rounds):
            ours.append(our_times(arguments.bench, pictures))
            pillow.append(pillow_times(pictures))

    def median(runs, name):
        return statistics.median(run[name] for run in runs) * 1000

    print(f"{processor()}, {arguments.rounds} rounds in turns, medians; Pillow {PIL.__version__}\n")
    print("| what | mobilenet.cpp | Pillow | ratio |")
    print("| --- | ---: | ---: | ---: |")
    for what, our_name, pillow_name in ROWS:
        us, them = median(ours, our_name), median(pillow, pillow_name)
        print(f"| {what} | {us:.2f} ms | {them:.2f} ms | {them / us:.2f} |")


if __name__ == "__main__":
    main()
