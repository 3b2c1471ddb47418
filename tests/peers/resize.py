"""Our resize filters beside Pillow's, OpenCV's and TensorFlow's, on pictures of noise: network_tool -> exit status.
77 where none of them is there (a skipped test). TensorFlow is not among what scripts/python installs."""

import subprocess
import sys

try:
    import numpy as np
except ImportError as error:
    print(f"skipped: {error}: scripts/python installs it")
    sys.exit(77)

tool = sys.argv[1]
sys.path.pop(0)  # TensorFlow looks for a module that has the name of a script beside this one
peers = {}
try:
    from PIL import Image

    for name in ("bilinear", "bicubic", "lanczos", "box", "nearest"):
        kind = getattr(Image.Resampling, name.upper())
        peers[f"Pillow {name}"] = (name, lambda a, w, h, kind=kind: np.asarray(Image.fromarray(a).resize((w, h), kind)))
except ImportError as error:
    print(f"without Pillow: {error}")
try:
    import cv2

    peers["OpenCV INTER_AREA"] = ("area", lambda a, w, h: cv2.resize(a, (w, h), interpolation=cv2.INTER_AREA))
except ImportError as error:
    print(f"without OpenCV: {error}")
try:
    import tensorflow as tf

    peers["TensorFlow bilinear"] = ("bilinear-unaliased", lambda a, w, h: tf.image.resize(a, (h, w)).numpy())
    peers["TensorFlow nearest"] = ("nearest", lambda a, w, h: tf.image.resize(a, (h, w), "nearest").numpy())
except ImportError as error:
    print(f"without TensorFlow: {error}")
if not peers:
    print("skipped: no peer is there: scripts/python installs two")
    sys.exit(77)

# Sides whose centres never fall between two pixels: there nearest is a matter of the last digit. OpenCV's area covers
# only where both sides shrink or both grow.
sizes = [(500, 375, 224, 224), (101, 67, 32, 20), (96, 130, 96, 96), (333, 251, 96, 160), (31, 17, 97, 61)]
failed = False
for title, (name, resize) in peers.items():
    worst = 0.0
    for width, height, to_width, to_height in sizes:
        noise = np.random.default_rng(width).integers(0, 256, (height, width, 3), dtype=np.uint8)
        command = [tool, "resize", name, *map(str, (width, height, to_width, to_height))]
        output = subprocess.run(command, input=noise.tobytes(), capture_output=True, check=True).stdout
        ours = np.frombuffer(output, np.uint8).reshape(to_height, to_width, 3)
        worst = max(worst, np.abs(ours - resize(noise, to_width, to_height).astype(np.float64)).max())
    print(f"{title}: largest difference {worst:.3f} of 255")
    failed = failed or worst > 1
sys.exit(1 if failed else 0)
