#!/usr/bin/env python3
"""Draws the pictures that ./demo classifies: a ship, an airplane and a truck, each 256 x 256, as PNG files beside this one.

    pip install pillow numpy && python3 examples/pictures/draw.py"""

import pathlib

import numpy as np
from PIL import Image, ImageDraw, ImageFilter

HERE = pathlib.Path(__file__).parent
SIDE = 256
SCALE = 4  # drawn larger, then shrunk, so that edges are smooth


class Picture:
    def __init__(self, top, bottom, seed):
        """A background that goes from one colour to another, with soft noise as of clouds."""
        random = np.random.default_rng(seed)
        side = SIDE * SCALE
        share = np.linspace(0, 1, side)[:, None, None]
        colours = np.array(top) * (1 - share) + np.array(bottom) * share
        noise = Image.fromarray(random.integers(0, 255, (12, 12), dtype=np.uint8)).resize((side, side), Image.BICUBIC)
        pixels = colours + 0.12 * (np.asarray(noise, dtype=float)[:, :, None] - 128)
        self.image = Image.fromarray(pixels.clip(0, 255).astype(np.uint8))
        self.draw = ImageDraw.Draw(self.image)

    def polygon(self, colour, *points):
        self.draw.polygon([(x * SCALE, y * SCALE) for x, y in points], fill=colour)

    def ellipse(self, colour, x, y, a, b):
        self.draw.ellipse([(x - a) * SCALE, (y - b) * SCALE, (x + a) * SCALE, (y + b) * SCALE], fill=colour)

    def box(self, colour, x0, y0, x1, y1):
        self.draw.rectangle([x0 * SCALE, y0 * SCALE, x1 * SCALE, y1 * SCALE], fill=colour)

    def save(self, name, seed=0):
        small = self.image.resize((SIDE, SIDE), Image.LANCZOS).filter(ImageFilter.GaussianBlur(0.8))
        grain = np.random.default_rng(seed).normal(0, 2.5, (SIDE, SIDE, 1))
        pixels = (np.asarray(small, dtype=float) + grain).clip(0, 255).astype(np.uint8)
        Image.fromarray(pixels).quantize(128, dither=Image.Dither.NONE).save(HERE / name, optimize=True)


def ship():
    p = Picture((150, 180, 210), (205, 215, 220), 1)
    p.box((52, 92, 118), 0, 165, 256, 256)
    random = np.random.default_rng(2)
    for _ in range(70):  # waves
        x, y = random.uniform(0, 256), random.uniform(170, 254)
        p.ellipse((78, 118, 142), x, y, random.uniform(8, 22), 1.2)
    p.polygon((150, 36, 32), (24, 168), (232, 168), (214, 186), (40, 186))
    p.polygon((34, 40, 58), (12, 138), (246, 134), (232, 170), (24, 170))
    p.box((236, 236, 232), 60, 116, 196, 138)
    p.box((226, 226, 222), 78, 98, 176, 117)
    p.box((212, 212, 210), 100, 82, 150, 99)
    for x in range(68, 192, 12):
        p.box((60, 80, 100), x, 122, x + 6, 128)
    for x in range(86, 170, 12):
        p.box((60, 80, 100), x, 103, x + 6, 109)
    p.box((196, 60, 44), 112, 56, 138, 83)
    p.box((30, 30, 34), 112, 56, 138, 63)
    p.box((90, 90, 94), 196, 70, 198, 136)
    p.box((90, 90, 94), 44, 84, 46, 138)
    p.save("ship.png", 3)


def airplane():
    p = Picture((92, 146, 206), (178, 206, 232), 4)
    p.polygon((198, 202, 208), (116, 128), (176, 128), (84, 196), (66, 196))  # wing
    p.polygon((222, 226, 230), (128, 118), (170, 118), (150, 74), (138, 74))
    p.ellipse((242, 243, 245), 128, 124, 104, 15)
    p.polygon((242, 243, 245), (24, 120), (60, 112), (60, 136), (30, 128))
    p.polygon((38, 70, 138), (22, 124), (58, 114), (38, 66), (20, 66))  # tail
    p.polygon((200, 204, 210), (28, 124), (58, 124), (28, 148), (14, 148))
    p.polygon((70, 84, 104), (214, 116), (226, 122), (208, 123))
    for x in range(72, 204, 9):
        p.ellipse((84, 100, 122), x, 121, 2.2, 2.6)
    p.ellipse((150, 154, 162), 122, 156, 16, 7)
    p.ellipse((150, 154, 162), 96, 176, 14, 6)
    p.save("airplane.png", 5)


def truck():
    p = Picture((172, 192, 208), (214, 214, 206), 6)
    p.box((112, 112, 110), 0, 186, 256, 256)
    p.box((104, 128, 84), 0, 172, 256, 188)
    p.box((226, 224, 216), 14, 66, 168, 178)
    for x in range(24, 166, 14):
        p.box((208, 206, 198), x, 68, x + 2, 176)
    p.box((178, 38, 34), 172, 98, 240, 186)
    p.polygon((178, 38, 34), (172, 98), (188, 88), (222, 88), (240, 130), (240, 150), (172, 150))
    p.polygon((58, 78, 98), (190, 96), (218, 96), (232, 130), (190, 130))
    p.box((58, 56, 56), 10, 178, 246, 192)
    p.box((240, 226, 150), 234, 154, 241, 164)
    for x in (46, 82, 206):
        p.ellipse((28, 28, 30), x, 194, 19, 19)
        p.ellipse((150, 150, 150), x, 194, 8, 8)
    p.save("truck.png", 7)


ship()
airplane()
truck()
