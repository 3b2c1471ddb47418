#!/usr/bin/env python3
"""From process start to label: wall time and peak memory of `mobilenet classify MODEL PHOTO` as a whole process.

    bench/startup.py MODEL PHOTO [--runs 101] [--threads 1]"""

import argparse
import ctypes
import os
import pathlib
import statistics
import subprocess
import time

PROGRAM = pathlib.Path(__file__).resolve().parents[1] / "build" / "release" / "mobilenet"


def run(command):
    begin = time.perf_counter()
    if subprocess.run(command, stdout=subprocess.DEVNULL).returncode != 0:
        raise SystemExit(f"{' '.join(map(str, command))} failed")
    return (time.perf_counter() - begin) * 1e3


def peak_memory(command):
    """In MB. A process counts what its parent held when it was made, and Python holds more than our program: so of a
    small shell's child, which is left to us."""
    adopt_orphans = 36  # PR_SET_CHILD_SUBREAPER
    ctypes.CDLL(None).prctl(adopt_orphans, 1)
    shell = ["sh", "-c", '"$0" "$@" >&2 & echo $!', *command]
    child = int(subprocess.run(shell, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=True).stdout)
    return os.wait4(child, 0)[2].ru_maxrss * 1.024e-3


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model")
    parser.add_argument("photo")
    parser.add_argument("--runs", type=int, default=101)
    parser.add_argument("--threads", type=int, default=1)
    arguments = parser.parse_args()
    command = [PROGRAM, "classify", "--model", arguments.model, "--threads", str(arguments.threads), arguments.photo]
    times = sorted(run(command) for _ in range(arguments.runs))
    memory = statistics.median(peak_memory(command) for _ in range(5))
    print(f"median {statistics.median(times):.1f} ms, fastest {times[0]:.1f} ms, peak memory {memory:.1f} MB, "
          f"{arguments.runs} runs")


if __name__ == "__main__":
    main()
