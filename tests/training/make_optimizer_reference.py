#!/usr/bin/env python3
"""Prints what optimizer_test.cpp compares with: PyTorch's weights after ten steps on the same gradients.

    build/peers/bin/python tests/training/make_optimizer_reference.py"""

import math

import torch


def weights(make):
    weight = torch.tensor([1.0, -2.0, 0.5], requires_grad=True)
    bias = torch.tensor([0.25], requires_grad=True)
    optimizer = make([weight], [bias])
    for step in range(10):
        weight.grad = torch.tensor([math.sin(1 + step * 4 + i) for i in range(3)])
        bias.grad = torch.tensor([math.sin(1 + step * 4 + 3)])
        optimizer.step()
    return [f"{x:.9g}" for x in weight.tolist() + bias.tolist()]


def groups(decay):
    return lambda weight, bias: [{"params": weight, "weight_decay": decay}, {"params": bias, "weight_decay": 0}]


for name, make in {
    "SGD, Nesterov, decay 0.01, rate 0.1": lambda w, b: torch.optim.SGD(groups(0.01)(w, b), lr=0.1, momentum=0.9, nesterov=True),
    "SGD without momentum, rate 0.1": lambda w, b: torch.optim.SGD(groups(0)(w, b), lr=0.1),
    "RMSprop, rho 0.9, momentum 0.9, epsilon 1e-3, decay 0.01, rate 0.01": lambda w, b: torch.optim.RMSprop(
        groups(0.01)(w, b), lr=0.01, alpha=0.9, momentum=0.9, eps=1e-3),
    "AdamW, betas 0.9 and 0.999, decay 0.05, rate 0.01": lambda w, b: torch.optim.AdamW(
        groups(0.05)(w, b), lr=0.01, betas=(0.9, 0.999), eps=1e-8),
}.items():
    print(name, weights(make))
