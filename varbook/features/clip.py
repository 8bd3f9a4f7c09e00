"""CLIP's image encoder: the pooled feature on which CycleVAR's discriminator rests (section 4.1)."""

from importlib.util import find_spec

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from varbook.errors import VarbookError

MODEL = "ViT-B-32-quickgelu"
# OpenAI's weights in the form that open_clip fetches for them, at the commit that its users record.
REPOSITORY = "timm/vit_base_patch32_clip_224.openai"
FILE = "open_clip_model.safetensors"
REVISION = "a6f597a30f7b82c51704746581f9a4e41421e878"
SIDE = 224
# Mean and deviation of CLIP's training images, red, green and blue in [0, 1].
MEAN = (0.48145466, 0.4578275, 0.40821073)
STD = (0.26862954, 0.26130258, 0.27577711)


class Clip(nn.Module):
    """Images (B, 3, H, W) in [-1, 1], resized to 224 x 224 -> one vector per image (B, 512).

    `tower` is the image encoder, `width` the length of its vectors.
    """

    mean: Tensor
    std: Tensor

    def __init__(self, tower: nn.Module, width: int = 512):
        super().__init__()
        self.tower = tower
        self.width = width
        self.register_buffer("mean", torch.tensor(MEAN)[:, None, None], persistent=False)
        self.register_buffer("std", torch.tensor(STD)[:, None, None], persistent=False)

    def forward(self, images: Tensor) -> Tensor:
        if images.shape[2:] != (SIDE, SIDE):
            images = F.interpolate(
                images, size=(SIDE, SIDE), mode="bilinear", antialias=True, align_corners=False
            )
        return self.tower(((images + 1) / 2 - self.mean) / self.std)  # B 512


def clip_at_hand() -> bool:
    """Return whether open_clip and its weights are on this machine, so that nothing is downloaded."""
    if find_spec("open_clip") is None:
        return False
    from huggingface_hub import try_to_load_from_cache

    return isinstance(try_to_load_from_cache(REPOSITORY, FILE, revision=REVISION), str)


def load_clip() -> Clip:
    """Return CLIP ViT-B/32 with OpenAI's weights, frozen; VarbookError where it cannot be had."""
    try:
        import open_clip
        from huggingface_hub import hf_hub_download
    except ImportError:
        raise VarbookError(
            'CLIP needs the package open_clip: pip install "varbook[clip]", or choose other features.'
        ) from None
    try:
        file = hf_hub_download(REPOSITORY, FILE, revision=REVISION)
        model = open_clip.create_model(MODEL, pretrained=file)
    except Exception as error:
        raise VarbookError(
            f"The weights of CLIP ({REPOSITORY}) cannot be fetched ({type(error).__name__}): run once with a network, "
            "or choose other features."
        ) from error
    return Clip(model.visual).eval().requires_grad_(False)
