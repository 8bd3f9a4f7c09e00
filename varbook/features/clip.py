"""CLIP's image tower: the pooled feature on which CycleVAR's discriminator stands (section 4.1)."""

from importlib.util import find_spec

import torch
from torch import nn
from torch.nn import functional as F

from varbook.errors import VarbookError

MODEL, WEIGHTS, REPOSITORY = "ViT-B-32-quickgelu", "openai", "timm/vit_base_patch32_clip_224.openai"
SIDE = 224
MEAN, STD = (0.48145466, 0.4578275, 0.40821073), (0.26862954, 0.26130258, 0.27577711)


class Clip(nn.Module):
    """Images (B,3,H,W) in [-1,1], resized to 224 x 224 -> one vector per image (B,512), through a
    given image tower.
    """

    def __init__(self, tower: nn.Module, width: int = 512):
        super().__init__()
        self.tower, self.width = tower, width
        self.register_buffer("mean", torch.tensor(MEAN)[:, None, None], persistent=False)
        self.register_buffer("std", torch.tensor(STD)[:, None, None], persistent=False)

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        if images.shape[2:] != (SIDE, SIDE):
            images = F.interpolate(
                images, size=(SIDE, SIDE), mode="bilinear", antialias=True, align_corners=False
            )
        return self.tower(((images + 1) / 2 - self.mean) / self.std)  # B 512


def clip_at_hand() -> bool:
    """Say whether open_clip is installed and its weights lie in the cache already: then nothing is
    downloaded.
    """
    if find_spec("open_clip") is None:
        return False
    from huggingface_hub import try_to_load_from_cache

    files = ("open_clip_model.safetensors", "open_clip_pytorch_model.bin")
    return any(isinstance(try_to_load_from_cache(REPOSITORY, file), str) for file in files)


def load_clip() -> Clip:
    """Return CLIP ViT-B/32 with OpenAI's weights, frozen; VarbookError where open_clip or the
    weights cannot be had.
    """
    try:
        import open_clip
    except ImportError:
        raise VarbookError(
            'CLIP needs the package open_clip: pip install "varbook[clip]", or choose other features.'
        ) from None
    try:
        model = open_clip.create_model(MODEL, pretrained=WEIGHTS)
    except Exception as error:
        raise VarbookError(
            f"The weights of CLIP ({REPOSITORY}) cannot be fetched ({type(error).__name__}): run once with a network, "
            "or choose other features."
        ) from error
    return Clip(model.visual).eval().requires_grad_(False)
