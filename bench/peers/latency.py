#!/usr/bin/env python3
"""Our latency beside other runtimes': the same network with the same weights, one image, the same threads.

    python3 -m venv build/peers && build/peers/bin/pip install -r bench/peers/requirements.txt
    build/peers/bin/python bench/peers/latency.py --networks v1-1.0-224 v3-large-1.0-224 --threads 1 2

Each runtime has a process of its own and all take turns, round after round, so that they meet the same machine; with
one thread all run on the same processor. Before anything is timed, logits are compared (to 0.1 % of the largest; in 16
bits to 5 %). Prints a Markdown table of medians over the rounds' medians; with --fastest of each one's fastest run of all,
where others use the machine meanwhile. What is not installed is named as missing."""

import argparse
import functools
import importlib.metadata
import json
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile
import time

import numpy as np
import runtimes

ROOT = pathlib.Path(__file__).resolve().parents[2]
BUILD = ROOT / "build" / "release"


def measure(run, seconds):
    times = []
    end = time.perf_counter() + seconds
    while time.perf_counter() < end or len(times) < 5:
        begin = time.perf_counter()
        run()
        times.append((time.perf_counter() - begin) * 1e3)
    return statistics.median(times), min(times)


def pin(threads):
    """To the first processors that this process may use, so that all sides run on the same ones."""
    os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:threads])


def serve(name, model, folder, threads):
    """A runtime's process: answers each line on standard input, 'run' with logits, a number with the median and the
    fastest of so many seconds."""
    pin(threads)
    answers = os.dup(1)  # some runtimes print
    os.dup2(2, 1)
    reply = lambda value: os.write(answers, (json.dumps(value) + "\n").encode())
    kind = getattr(runtimes, name)
    runtime = kind(model, folder, threads)
    image = runtime.prepare(np.load(os.path.join(folder, "input.npy")))
    reply("ready")
    for line in sys.stdin:
        if line.strip() == "run":
            reply(np.ravel(runtime(image)).tolist())
        else:
            reply(measure(lambda: runtime(image), float(line)))


class Process:
    def __init__(self, kind, model, folder, threads):
        command = [sys.executable, __file__, "--serve", kind.__name__, model, folder, str(threads)]
        environment = dict(os.environ, OMP_NUM_THREADS=str(threads), MKL_NUM_THREADS=str(threads))
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        stderr=subprocess.DEVNULL, text=True, env=environment)
        self.answer()

    def answer(self):
        line = self.process.stdout.readline()
        if not line:
            raise RuntimeError(f"it ended with status {self.process.wait()}")
        return json.loads(line)

    def ask(self, line):
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()
        return self.answer()

    def close(self):
        self.process.stdin.close()
        self.process.wait()


def bench(model, threads, precision, seconds):
    command = [BUILD / "mobilenet", "bench", "--model", model, "--threads", str(threads), "--seconds", str(seconds),
               "--precision", precision, "--json"]
    done = subprocess.run(command, capture_output=True, check=True, preexec_fn=lambda: pin(threads))
    return json.loads(done.stdout)


def start(kinds, model, folder, threads, expected, tolerance):
    """[(name, Process)] of those that are installed and agree; the others are named."""
    started = []
    for kind in kinds:
        try:
            version = kind.version()
        except importlib.metadata.PackageNotFoundError:
            print(f"{kind.name} is missing: pip install {kind.package}\n")
            continue
        try:
            process = Process(kind, model, folder, threads)
            difference = float(np.abs(np.array(process.ask("run")) - expected).max())
        except RuntimeError as error:
            print(f"{kind.name} {version} could not be used: {error}\n")
            continue
        if not difference <= tolerance:
            sys.exit(f"{kind.name} gives other logits: they differ by {difference}")
        started.append((f"{kind.name} {version}", process))
    return started


def title(network, threads):
    version, *rest = network.rsplit("-", 2)
    return f"{version.upper()} {'-'.join(rest)}, {threads} thread{'s' if threads > 1 else ''}"


def compare(network, threads, arguments):
    version, alpha, resolution = network.rsplit("-", 2)
    with tempfile.TemporaryDirectory() as folder:
        model = os.path.join(folder, "model.safetensors")
        tool = BUILD / "tests" / "network_tool"
        subprocess.run([tool, "make", version, alpha, resolution, "1000", model], check=True)
        side = int(resolution)
        image = np.random.default_rng(1).uniform(-1, 1, (side, side, 3)).astype(np.float32)
        np.save(os.path.join(folder, "input.npy"), image)
        done = subprocess.run([tool, "run", model], input=image.tobytes(), capture_output=True, check=True)
        logits = np.frombuffer(done.stdout, np.float32)
        largest = np.abs(logits).max()

        ours = lambda precision: bench(model, threads, precision, arguments.seconds)
        rows = {"mobilenet.cpp": lambda: ours("float32")}
        peers = start(runtimes.RUNTIMES, model, folder, threads, logits, 1e-3 * largest)
        for precision, kinds in runtimes.SIXTEEN_BIT_RUNTIMES.items():
            if bench(model, threads, precision, 0.05)["precision"] != precision:
                continue  # no arithmetic for it here
            rows[f"mobilenet.cpp, {precision}"] = functools.partial(ours, precision)
            # In 16 bits logits are only near: what is timed must still be the same network.
            peers += start(kinds, model, folder, threads, logits, 0.05 * largest)
        times = {name: [] for name in [*rows, *(name for name, _ in peers)]}
        peaks = []
        for _ in range(arguments.rounds):
            for name, run in rows.items():
                result = run()
                times[name].append((result["median_ms"], result["min_ms"])[arguments.fastest])
                peaks.append(result["peak_gflops"])
            for name, process in peers:
                times[name].append(process.ask(str(arguments.seconds))[arguments.fastest])
        for _, process in peers:
            process.close()

    peak = statistics.median(peaks)
    print(f"{title(network, threads)}: lowest to highest round in ms, {result['processor']}, "
          f"measured float32 peak {peak:.0f} GFLOP/s", flush=True)
    for name in times:
        print(f"    {min(times[name]):8.3g} to {max(times[name]):.3g}  {name}", flush=True)
    overall = min if arguments.fastest else statistics.median
    return {name: (overall(values), 2e-6 * result["macs"] / overall(values) / peak) for name, values in times.items()}


def table(columns):
    """Markdown: a row for each runtime, a column for each network and number of threads."""
    names = list(dict.fromkeys(name for _, medians in columns for name in medians))
    print("\n| ms (share of the float32 peak) | " + " | ".join(heading for heading, _ in columns) + " |")
    print("| --- |" + " ---: |" * len(columns))
    for name in names:
        cells = [f"{medians[name][0]:.3g} ({medians[name][1]:.0%})" if name in medians else "" for _, medians in columns]
        print(f"| {name} | " + " | ".join(cells) + " |")
    fastest = []
    for _, medians in columns:
        ours = medians["mobilenet.cpp"][0]
        fastest.append(f"{min(m for n, (m, _) in medians.items() if 'mobilenet' not in n and 'f16' not in n) / ours:.2f}")
    print("| fastest other in float32 / ours | " + " | ".join(fastest) + " |")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--networks", nargs="+", default=["v1-1.0-224"], metavar="VERSION-ALPHA-RESOLUTION")
    parser.add_argument("--threads", nargs="+", type=int, default=[1])
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--seconds", type=float, default=1.0, help="of each runtime in each round")
    parser.add_argument("--fastest", action="store_true", help="tell each one's fastest run instead of the median")
    arguments = parser.parse_args()
    columns = []
    for network in arguments.networks:
        for threads in arguments.threads:
            columns.append((title(network, threads), compare(network, threads, arguments)))
    table(columns)


if __name__ == "__main__":
    if sys.argv[1:2] == ["--serve"]:
        serve(*sys.argv[2:5], int(sys.argv[5]))
    else:
        main()
