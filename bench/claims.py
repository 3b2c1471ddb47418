#!/usr/bin/env python3
"""The claims behind MobileNet, measured by training: separable against standard convolutions, alpha, rho, narrow against
shallow. Prints the tables that docs/results.md holds.

    python3 bench/claims.py CIFAR10 RUNS [--seeds 1 2 3] [--only alpha]

CIFAR10 is a folder of pictures (train/CLASS/*, test/CLASS/*). Each network's training has a folder in RUNS; what is
finished there is not trained again, and what was interrupted goes on, so that the script can be stopped at any time."""

import argparse
import json
import os
import pathlib
import statistics
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[1]
PROGRAM = ROOT / "build" / "release" / "mobilenet"

PICTURES = 50_000
BATCH = "128"
# The same course for all: what differs is the network.
COURSE = ["--epochs", "12", "--batch", BATCH, "--erase", "0.25", "--output-stride", "16", "--precision", "auto",
          "--validation", "test"]
SETS = {
    "separable against standard": [
        ("separable, alpha 0.25", ["--alpha", "0.25"]),
        ("standard, alpha 0.25", ["--alpha", "0.25", "--standard"]),
        ("separable, alpha 0.5", ["--alpha", "0.5"]),
        ("standard, alpha 0.5", ["--alpha", "0.5", "--standard"]),
    ],
    "alpha": [(f"alpha {a}", ["--alpha", a]) for a in ("1", "0.75", "0.5", "0.25")],
    "rho": [(f"alpha 0.5, {r} x {r}", ["--alpha", "0.5", "--resolution", r]) for r in ("64", "48", "40", "32")],
    "narrow against shallow": [
        ("narrow, alpha 0.75", ["--alpha", "0.75"]),
        ("shallow, alpha 1", ["--alpha", "1", "--shallow"]),
    ],
}


def run(*arguments):
    done = subprocess.run([PROGRAM, *map(str, arguments)], stdout=subprocess.PIPE, text=True, check=True)
    return json.loads(done.stdout)


def train(data, folder, options, seed):
    """The JSON of `mobilenet train`, and the model."""
    if "--resolution" not in options:
        options = [*options, "--resolution", "32"]
    name = "-".join(o.lstrip("-") for o in options) + f"-{seed}"
    result, model, run_folder = folder / f"{name}.json", folder / f"{name}.safetensors", folder / f"{name}.run"
    if not result.exists():
        resume = "--resume" if (run_folder / "checkpoint.safetensors").exists() else "--force"
        print(f"training {name}", file=sys.stderr)
        trained = run("train", data, "--out", model, *COURSE, *options, "--seed", seed, "--json", resume)
        result.write_text(json.dumps(trained))
    trained = json.loads(result.read_text())
    return trained, model


def measure(model):
    """What an image of `model` costs, how long it takes, and how long an epoch of training takes."""
    cost = run("cost", "--model", model, "--json")
    bench = run("bench", "--model", model, "--seconds", "1", "--json")
    training = run("bench", "--train", "--batch", BATCH, "--model", model, "--precision", "auto", "--threads",
                   len(os.sched_getaffinity(0)), "--seconds", "2", "--json")
    return cost, bench["median_ms"], PICTURES / training["images_per_second"]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("cifar10", type=pathlib.Path)
    parser.add_argument("runs", type=pathlib.Path)
    parser.add_argument("--seeds", type=int, nargs="+", default=[1])
    parser.add_argument("--only", choices=SETS)
    arguments = parser.parse_args()
    arguments.runs.mkdir(parents=True, exist_ok=True)
    for title, networks in SETS.items():
        if arguments.only not in (None, title):
            continue
        print(f"\n{title}\n")
        print("| network | top-1 | spread over seeds | parameters | mult-adds | an epoch of training | "
              "one image, one thread |")
        print("| --- | ---: | ---: | ---: | ---: | ---: | ---: |")
        for name, options in networks:
            results = [train(arguments.cifar10, arguments.runs, options, seed) for seed in arguments.seeds]
            top1 = [100 * trained["validation_top1"] for trained, _ in results]
            cost, latency, seconds = measure(results[0][1])
            spread = f"{min(top1):.2f} to {max(top1):.2f}" if len(top1) > 1 else "one seed"
            print(f"| {name} | {statistics.mean(top1):.2f} % | {spread} | {cost['params'] / 1e6:.2f} M | "
                  f"{cost['macs'] / 1e6:.1f} M | {seconds:.1f} s | {latency:.3f} ms |", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
