"""Makes torch_old.onnx, torch_new.onnx (with its .data) and timm_same.onnx of random weights, and their answers by ONNX
Runtime in torch.json. Needs torch, torchvision, timm, onnx, onnxscript and onnxruntime: python3 make_torch.py"""

import torch
import timm
import torchvision

from answers import write_answers


def randomise(model):
    generator = torch.Generator().manual_seed(1)
    for module in model.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            shape = module.weight.shape
            module.weight.data = torch.rand(shape, generator=generator) + 0.5
            module.bias.data = torch.rand(shape, generator=generator) - 0.5
            module.running_mean = torch.rand(shape, generator=generator) - 0.5
            module.running_var = torch.rand(shape, generator=generator) + 0.5
    return model.eval()


class Small(torch.nn.Module):
    """Blocks of MobileNet V2, few and narrow, and an average and a flattening as people write them."""

    def __init__(self):
        super().__init__()
        block = torchvision.models.mobilenetv2.InvertedResidual
        self.features = torch.nn.Sequential(
            torchvision.ops.Conv2dNormActivation(3, 8, stride=2, activation_layer=torch.nn.ReLU6),
            block(8, 8, 1, 1), block(8, 12, 2, 6), block(12, 12, 1, 6))
        self.classifier = torch.nn.Sequential(torch.nn.Dropout(0.2), torch.nn.Linear(12, 5))

    def forward(self, x):
        x = self.features(x).mean([2, 3])
        return self.classifier(x.view(x.size(0), -1))


torch.manual_seed(1)
small = randomise(Small())
image = torch.zeros(2, 3, 32, 48)
torch.onnx.export(small, (image,), "torch_old.onnx", dynamo=False, opset_version=11, do_constant_folding=False,
                  training=torch.onnx.TrainingMode.PRESERVE, input_names=["image"], dynamic_axes={"image": {0: "batch"}})
torch.onnx.export(small, (image,), "torch_new.onnx", dynamo=True, input_names=["image"], external_data=True,
                  dynamic_shapes=({0: torch.export.Dim("batch")},))
same = randomise(torch.nn.Sequential(
    timm.layers.create_conv2d(3, 8, 3, stride=2, padding="same"), torch.nn.BatchNorm2d(8), torch.nn.ReLU6(),
    timm.layers.create_conv2d(8, 8, 3, stride=2, padding="same", depthwise=True), torch.nn.BatchNorm2d(8),
    torch.nn.Hardtanh(0, 6), torch.nn.AdaptiveAvgPool2d(1), torch.nn.Flatten(), torch.nn.Linear(8, 4)))
torch.onnx.export(same, (torch.zeros(1, 3, 33, 40),), "timm_same.onnx", dynamo=True, external_data=False)
write_answers("torch.json", ["torch_old.onnx", "torch_new.onnx", "timm_same.onnx"])
