"""The other runtimes, each at the settings that its documentation gives for the lowest latency on a CPU in float32. Each is
made from one of our model files, and called with an image of [height, width, channels] float32; calling returns the
logits."""

import importlib.metadata
import os

import numpy as np


class Runtime:
    name = package = ""

    def __init__(self, model, folder, threads):
        """`folder` is for files of its own."""
        self.load(model, os.path.join(folder, type(self).__name__), threads)

    @classmethod
    def version(cls):
        return importlib.metadata.version(cls.package)

    def prepare(self, image):
        """The image in the layout that this runtime takes; not timed."""
        return np.ascontiguousarray(image.transpose(2, 0, 1)[None])


class OnnxRuntime(Runtime):
    name, package = "ONNX Runtime", "onnxruntime"

    def load(self, model, base, threads):
        import onnx_export
        import onnxruntime

        onnx_export.export(model, base + ".onnx")
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads, options.inter_op_num_threads = threads, 1
        options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_ALL
        self.session = onnxruntime.InferenceSession(base + ".onnx", options, providers=["CPUExecutionProvider"])

    def __call__(self, image):
        return self.session.run(None, {"input": image})[0][0]


class OpenVino(Runtime):
    name, package = "OpenVINO", "openvino"
    precision = "f32"

    def load(self, model, base, threads):
        import onnx_export
        import openvino

        onnx_export.export(model, base + ".onnx")
        core = openvino.Core()
        settings = {"PERFORMANCE_HINT": "LATENCY", "INFERENCE_PRECISION_HINT": self.precision,
                    "INFERENCE_NUM_THREADS": threads, "NUM_STREAMS": 1}
        self.request = core.compile_model(core.read_model(base + ".onnx"), "CPU", settings).create_infer_request()

    def __call__(self, image):
        return self.request.infer({0: image}, share_inputs=True, share_outputs=True)[0][0]


class OpenVinoBf16(OpenVino):
    name, precision = "OpenVINO bf16", "bf16"


class OpenVinoF16(OpenVino):
    name, precision = "OpenVINO f16", "f16"


class LiteRt(Runtime):
    """XNNPACK is its default delegate."""

    name, package = "LiteRT (XNNPACK)", "ai-edge-litert"

    def load(self, model, base, threads):
        import tflite_export
        from ai_edge_litert.interpreter import Interpreter

        tflite_export.export(model, base + ".tflite")
        self.interpreter = Interpreter(model_path=base + ".tflite", num_threads=threads)
        self.interpreter.allocate_tensors()
        self.input = self.interpreter.get_input_details()[0]["index"]
        self.output = self.interpreter.get_output_details()[0]["index"]

    def prepare(self, image):
        return image[None].copy()

    def __call__(self, image):
        self.interpreter.set_tensor(self.input, image)
        self.interpreter.invoke()
        return self.interpreter.get_tensor(self.output)[0]


class Ncnn(Runtime):
    name, package = "ncnn", "ncnn"

    def load(self, model, base, threads):
        import ncnn
        import ncnn_export

        ncnn_export.export(model, base + ".param", base + ".bin")
        self.net = ncnn.Net()
        self.net.opt.num_threads = threads
        for option in ("use_fp16_packed", "use_fp16_storage", "use_fp16_arithmetic", "use_bf16_storage"):
            setattr(self.net.opt, option, False)
        self.net.load_param(base + ".param")
        self.net.load_model(base + ".bin")

    def prepare(self, image):
        import ncnn

        self.pixels = np.ascontiguousarray(image.transpose(2, 0, 1))
        return ncnn.Mat(self.pixels)

    def __call__(self, image):
        extractor = self.net.create_extractor()
        extractor.input("input", image)
        return np.array(extractor.extract("logits")[1])


class Mnn(Runtime):
    name, package = "MNN", "MNN"

    def load(self, model, base, threads):
        import subprocess
        import sys

        import MNN
        import onnx_export

        onnx_export.export(model, base + ".onnx")
        converter = os.path.join(os.path.dirname(sys.executable), "mnnconvert")
        subprocess.run([converter, "-f", "ONNX", "--modelFile", base + ".onnx", "--MNNModel", base + ".mnn", "--bizCode",
                        "MNN"], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        config = {"backend": "CPU", "precision": "high", "numThread": threads}
        runtime = MNN.nn.create_runtime_manager((config,))
        self.net = MNN.nn.load_module_from_file(base + ".mnn", ["input"], ["logits"], runtime_manager=runtime)

    def prepare(self, image):
        import MNN.expr

        nchw = np.ascontiguousarray(image.transpose(2, 0, 1)[None])
        return MNN.expr.convert(MNN.expr.const(nchw, list(nchw.shape), MNN.expr.NCHW), MNN.expr.NC4HW4)

    def __call__(self, image):
        import MNN.expr

        return np.array(MNN.expr.convert(self.net.forward(image), MNN.expr.NCHW).read()).reshape(-1)


class Torch(Runtime):
    """channels_last, frozen and traced: its fastest on a CPU."""

    name, package = "PyTorch", "torch"

    def load(self, model, base, threads):
        import network
        import torch
        import torch_network

        torch.set_num_threads(threads)
        (height, width, channels), layers = network.load_folded(model)

        def constant(array):
            tensor = torch.tensor(array)
            return tensor.contiguous(memory_format=torch.channels_last) if array.ndim == 4 else tensor

        tensors = [{part: constant(array) for part, array in layer.tensors.items()} for layer in layers]

        class Network(torch.nn.Module):
            def forward(self, x):
                return torch_network.forward(layers, tensors, x)

        example = torch.zeros(1, channels, height, width).contiguous(memory_format=torch.channels_last)
        with torch.no_grad():
            self.network = torch.jit.freeze(torch.jit.trace(Network().eval(), example))
        self.torch = torch

    def prepare(self, image):
        nchw = self.torch.tensor(image.transpose(2, 0, 1)[None].copy())
        return nchw.contiguous(memory_format=self.torch.channels_last)

    def __call__(self, image):
        with self.torch.inference_mode():
            return self.network(image)[0].numpy()


RUNTIMES = [OnnxRuntime, OpenVino, LiteRt, Ncnn, Mnn, Torch]
SIXTEEN_BIT_RUNTIMES = {"bfloat16": [OpenVinoBf16], "float16": [OpenVinoF16]}
