#!/usr/bin/env python3
"""Our latency beside other runtimes': the same network with the same weights, one image, the same threads.

    python3 -m venv build/peers && build/peers/bin/pip install -r bench/peers/requirements.txt
    build/peers/bin/python bench/peers/latency.py --alpha 1 --resolution 224 --threads 1

Each runtime has a process of its own and all take turns, round after round, so that they meet the same machine.
Outputs are compared (1e-3) before anything is timed. Prints a Markdown table of medians."""

import argparse
import importlib.util
import json
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile
import time

import numpy as np

ROOT = pathlib.Path(__file__).resolve().parents[2]
BUILD = ROOT / "build" / "release"


def measure(run, seconds):
    times = []
    end = time.perf_counter() + seconds
    while time.perf_counter() < end or len(times) < 5:
        begin = time.perf_counter()
        run()
        times.append((time.perf_counter() - begin) * 1e3)
    return statistics.median(times)


class OnnxRuntime:
    """Sequential execution, all optimisations: its documented settings for latency on a CPU."""

    name, package = "ONNX Runtime", "onnxruntime"

    def __init__(self, onnx_path, threads):
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads, options.inter_op_num_threads = threads, 1
        options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_ALL
        self.session = onnxruntime.InferenceSession(onnx_path, options, providers=["CPUExecutionProvider"])
        self.version = onnxruntime.__version__

    def __call__(self, image):
        return self.session.run(None, {"input": image})[0][0]


PEERS = [OnnxRuntime]


def serve(peer, onnx_path, threads):
    """A peer's process: answers each line on standard input, 'run' with logits, a number with a median."""
    runtime = peer(onnx_path, threads)
    image = np.load(os.environ["PEER_INPUT"]).transpose(2, 0, 1)[None].copy()
    print(json.dumps(runtime.version), flush=True)
    for line in sys.stdin:
        if line.strip() == "run":
            print(json.dumps([float(x) for x in runtime(image)]), flush=True)
        else:
            print(json.dumps(measure(lambda: runtime(image), float(line))), flush=True)


class Process:
    def __init__(self, peer, onnx_path, threads, environment):
        command = [sys.executable, __file__, "--serve", peer.name, "--onnx", onnx_path, "--threads", str(threads)]
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
                                        env=environment)
        self.version = json.loads(self.process.stdout.readline())

    def ask(self, line):
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()
        return json.loads(self.process.stdout.readline())


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--alpha", type=float, default=1.0)
    parser.add_argument("--resolution", type=int, default=224)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--seconds", type=float, default=1.0, help="of each runtime in each round")
    parser.add_argument("--serve", help=argparse.SUPPRESS)
    parser.add_argument("--onnx", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.serve:
        peer = next(p for p in PEERS if p.name == arguments.serve)
        return serve(peer, arguments.onnx, arguments.threads)

    import onnx_export

    with tempfile.TemporaryDirectory() as folder:
        model, onnx_path = f"{folder}/model.safetensors", f"{folder}/model.onnx"
        tool = BUILD / "tests" / "network_tool"
        subprocess.run([tool, "make", str(arguments.alpha), str(arguments.resolution), "1000", model], check=True)
        onnx_export.export(model, onnx_path)
        image = np.random.default_rng(1).uniform(-1, 1, (arguments.resolution, arguments.resolution, 3))
        image = image.astype(np.float32)
        np.save(f"{folder}/input.npy", image)
        ours = np.frombuffer(subprocess.run([tool, "run", model], input=image.tobytes(), capture_output=True,
                                            check=True).stdout, np.float32)

        environment = dict(os.environ, PEER_INPUT=f"{folder}/input.npy")
        peers = []
        for peer in PEERS:
            if importlib.util.find_spec(peer.package) is None:
                print(f"{peer.name} is missing: pip install {peer.package}")
                continue
            process = Process(peer, onnx_path, arguments.threads, environment)
            difference = float(np.abs(np.array(process.ask("run")) - ours).max())
            if difference > 1e-3:
                sys.exit(f"{peer.name} gives other logits: they differ by {difference}")
            peers.append((f"{peer.name} {process.version}", process, []))

        our_times, shares, peaks = [], [], []
        bench = [BUILD / "mobilenet", "bench", "--model", model, "--threads", str(arguments.threads), "--seconds",
                 str(arguments.seconds), "--json"]
        for _ in range(arguments.rounds):
            result = json.loads(subprocess.run(bench, capture_output=True, check=True).stdout)
            our_times.append(result["median_ms"])
            peaks.append(result["peak_gflops"])
            for _, process, times in peers:
                times.append(process.ask(str(arguments.seconds)))

        peak, macs = statistics.median(peaks), result["macs"]
        print(f"V1 {arguments.alpha:g}-{arguments.resolution}, {arguments.threads} thread(s), {result['processor']}, "
              f"{result['target']}, measured peak {peak:.0f} GFLOP/s\n")
        print("| runtime | median ms | lowest to highest round | share of peak | beside ours |")
        print("| --- | --- | --- | --- | --- |")
        base = statistics.median(our_times)
        for name, times in [("mobilenet.cpp", our_times), *((n, t) for n, _, t in peers)]:
            median = statistics.median(times)
            print(f"| {name} | {median:.2f} | {min(times):.2f} to {max(times):.2f} | "
                  f"{2e-6 * macs / median / peak:.0%} | {median / base:.2f}x |")


if __name__ == "__main__":
    main()
