"""Frozen networks with weights that a test makes: what is measured with pretrained features runs on
them where the real weights are missing. They see colours and edges; they have never seen a horse.
"""

from pathlib import Path

import numpy as np
import torch
from torch import nn

from varbook.features import mobilenet, squeezenet


def random_weights(network: nn.Module) -> dict[str, np.ndarray]:
    """Return the state of a network whose maps keep their size from layer to layer."""
    generator = torch.Generator().manual_seed(0)
    for module in network.modules():
        if isinstance(module, (nn.Conv2d, nn.Linear)):
            fan_in = module.weight[0].numel()
            deviation = (2 / fan_in) ** 0.5
            with torch.no_grad():
                module.weight.copy_(
                    torch.randn(module.weight.shape, generator=generator) * deviation
                )
                if module.bias is not None:
                    module.bias.zero_()
    return {name: tensor.numpy() for name, tensor in network.state_dict().items()}


def write_weights(folder: Path) -> Path:
    """Write the weight files of MobileNetV2 and SqueezeNet and return their folder."""
    np.savez(folder / mobilenet.FILE, **random_weights(mobilenet.MobileNet()))
    np.savez(folder / squeezenet.FILE, **random_weights(squeezenet.SqueezeNet(("fire9",))))
    return folder
