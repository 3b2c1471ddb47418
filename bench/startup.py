#!/usr/bin/env python3
"""From process start to label: wall time and peak memory of `mobilenet classify MODEL PHOTO` as a whole process.

    bench/startup.py MODEL PHOTO [--runs 101] [--threads 1]"""

import argparse
import os
import pathlib
import statistics
import subprocess
import time

PROGRAM = pathlib.Path(__file__).resolve().parents[1] / "build" / "release" / "mobilenet"


def run(command):
    begin = time.perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    if status != 0:
        raise SystemExit(f"{' '.join(map(str, command))} failed")
    return (time.perf_counter() - begin) * 1e3, usage.ru_maxrss / 1e3


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model")
    parser.add_argument("photo")
    parser.add_argument("--runs", type=int, default=101)
    parser.add_argument("--threads", type=int, default=1)
    arguments = parser.parse_args()
    command = [PROGRAM, "classify", "--model", arguments.model, "--threads", str(arguments.threads), arguments.photo]
    runs = [run(command) for _ in range(arguments.runs)]
    times = sorted(milliseconds for milliseconds, _ in runs)
    print(f"median {statistics.median(times):.1f} ms, fastest {times[0]:.1f} ms, peak memory "
          f"{statistics.median(memory for _, memory in runs):.1f} MB, {arguments.runs} runs")


if __name__ == "__main__":
    main()
