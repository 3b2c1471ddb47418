"""Our import of a float32 TFLite file beside LiteRT itself, on random inputs: network_tool MODEL -> exit status.
77 where LiteRT or the file is missing (a skipped test)."""

import pathlib
import subprocess
import sys

try:
    import numpy as np
    from ai_edge_litert.interpreter import Interpreter
except ImportError as error:
    print(f"skipped: {error}: scripts/python installs it")
    sys.exit(77)

tool, model = sys.argv[1:]
if not pathlib.Path(model).exists():
    print(f"skipped: {model} is missing")
    sys.exit(77)

interpreter = Interpreter(model_path=model)
interpreter.allocate_tensors()
source, target = interpreter.get_input_details()[0], interpreter.get_output_details()[0]
inputs = np.random.default_rng(1).uniform(-1, 1, (50, *source["shape"][1:])).astype(np.float32)
expected = []
for image in inputs:
    interpreter.set_tensor(source["index"], image[None])
    interpreter.invoke()
    expected.append(interpreter.get_tensor(target["index"])[0])

output = subprocess.run([tool, "run", model], input=inputs.tobytes(), capture_output=True, check=True).stdout
logits = np.frombuffer(output, np.float32).reshape(len(inputs), -1).astype(np.float64)
probabilities = np.exp(logits - logits.max(1, keepdims=True))
probabilities /= probabilities.sum(1, keepdims=True)
difference = np.abs(probabilities - np.array(expected)).max()
spread = np.ptp(np.array(expected)[:, 0])
print(f"largest difference {difference:.2e} over {len(inputs)} inputs, whose answers spread over {spread:.2f}")
sys.exit(0 if difference < 1e-4 and spread > 0.01 else 1)
