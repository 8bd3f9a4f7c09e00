"""The published models by name: their files and configurations."""

from dataclasses import dataclass, replace

from varbook.pretrained.layouts import (
    INFINITY,
    INFINITY_TOKENIZER,
    LLAMAGEN_TOKENIZER,
    NEXT_SCALE,
    VAR_TOKENIZER,
    Layout,
)
from varbook.tokenizer.schedule import VAR_256, square
from varbook.tokenizer.tokenizer import TokenizerConfig
from varbook.transformer.model import NextScaleConfig, flexvar
from varbook.transformer.text_model import TextNextScaleConfig

VAR_512 = square(1, 2, 3, 4, 6, 9, 13, 18, 24, 32)
INFINITY_256 = square(1, 2, 4, 6, 8, 12, 16)  # "0.06M"; 521 tokens
# "0.25M"; 2521 tokens, the size of CycleVAR's day and night.
INFINITY_512 = square(1, 2, 4, 6, 8, 12, 16, 20, 24, 32)


@dataclass(frozen=True)
class Published:
    """One published model."""

    config: TokenizerConfig | NextScaleConfig
    layout: Layout
    repository: str  # on the Hugging Face hub
    file: str
    revision: str | None  # commit of the repository; NEWEST where none is on record
    tokenizer: str = ""  # for a next-scale model: the name of its tokenizer
    # None: its makers state none and we have not seen the file; `load` says which one it has.
    sha256: str | None = None


NEWEST = None  # what the repository holds on the day: `load` says so, and gives the checksum
VAR = "FoundationVision/var"
# With this commit users of the files have recorded the checksums of VAR's rows.
VAR_REVISION = "6d0ee6598a42f75079aa79e58b012b57b284c91b"
FLEXVAR = "jiaosiyu1999/FlexVAR"
LLAMAGEN = "FoundationVision/LlamaGen"
INFINITY_HOME = "FoundationVision/infinity"

_VAR_TOKENIZER = TokenizerConfig(
    pyramid="residual",
    schedule=VAR_256,
    vocab_size=4096,
    code_dim=32,
    channels=(160, 160, 320, 320, 640),
    patch=1,
    blocks=2,
    line=False,
    autoencoder="vqgan",
)
_FLEXVAR_TOKENIZER = replace(
    _VAR_TOKENIZER,
    pyramid="ground_truth",
    vocab_size=8912,
    normalise=True,
    channels=(128, 128, 256, 256, 512),
    feature_channels=256,
    quant_kernel=1,
)
# As its public code builds it: no attention, no quant convolutions, 32 sign bits, no phi.
_INFINITY_TOKENIZER = replace(
    _VAR_TOKENIZER,
    schedule=INFINITY_256,
    codes_kind="bits",
    vocab_size=0,
    channels=(128, 256, 512, 512, 512),
    quant_kernel=0,
    attention=False,
)
_INFINITY_2B = TextNextScaleConfig(
    INFINITY_256,
    vocab_size=0,
    code_dim=32,
    bits=32,
    classes=0,
    depth=32,
    width=2048,
    heads=16,
    text_channels=2048,
    text_length=512,
    levels=15,
    rotary_side=64,
    rounded_cross=True,
)
_LLAMAGEN_TOKENIZER = replace(
    _FLEXVAR_TOKENIZER, schedule=square(16), vocab_size=16_384, code_dim=8
)


def var_config(depth: int) -> NextScaleConfig:
    """Return VAR's configuration at 256 pixels: width 64 * depth, as many heads as blocks."""
    return NextScaleConfig(
        VAR_256,
        vocab_size=4096,
        code_dim=32,
        classes=1000,
        depth=depth,
        width=64 * depth,
        heads=depth,
    )


def flexvar_config(depth: int) -> NextScaleConfig:
    """Return FlexVAR's configuration as released.

    8912 codes, and a table of 32 x 32 positions that is resized by area interpolation.
    """
    return replace(flexvar(var_config(depth)), vocab_size=8912, position_form="released")


_VAR_VQVAE = Published(
    _VAR_TOKENIZER,
    VAR_TOKENIZER,
    VAR,
    "vae_ch160v4096z32.pth",
    VAR_REVISION,
    sha256="7c3ec27ae28a3f87055e83211ea8cc8558bd1985d7b51742d074fb4c2fcf186c",
)


def _var(depth: int, sha256: str) -> Published:
    return Published(
        var_config(depth),
        NEXT_SCALE,
        VAR,
        f"var_d{depth}.pth",
        VAR_REVISION,
        "var-tokenizer",
        sha256,
    )


def _flexvar(depth: int, file: str) -> Published:
    return Published(flexvar_config(depth), NEXT_SCALE, FLEXVAR, file, NEWEST, "flexvar-tokenizer")


_INFINITY_VAE = Published(
    _INFINITY_TOKENIZER, INFINITY_TOKENIZER, INFINITY_HOME, "infinity_vae_d32reg.pth", NEWEST
)
_INFINITY = Published(
    _INFINITY_2B, INFINITY, INFINITY_HOME, "infinity_2b_reg.pth", NEWEST, "infinity-tokenizer"
)

PUBLISHED = {
    "var-tokenizer": _VAR_VQVAE,
    "var-d16": _var(16, "4f6151aad91c94e03e224dd7358d8389fa05301c0c291279566998efb54b0ecb"),
    "var-d20": _var(20, "f7d232978e6fe82a4f2e0f5d82b012e01b1aa5abfe93ce2b56104ec0e878a10f"),
    "var-d24": _var(24, "12c03619b2d3906ed19fe59539a90aadf60d72287dbaa31cf540435e76ddf789"),
    "var-d30": _var(30, "7b11551dd4d794c7d6ed10b3d2822d42efe609a86128171b646e543dd2633b56"),
    # 512 pixels: the same tokenizer with other scales, and one AdaLN layer for all blocks
    "var-tokenizer-512": replace(_VAR_VQVAE, config=replace(_VAR_TOKENIZER, schedule=VAR_512)),
    "var-d36": Published(
        replace(var_config(36), schedule=VAR_512, shared_adaln=True),
        NEXT_SCALE,
        VAR,
        "var_d36.pth",
        VAR_REVISION,
        "var-tokenizer-512",
    ),
    "flexvar-tokenizer": Published(
        _FLEXVAR_TOKENIZER, LLAMAGEN_TOKENIZER, FLEXVAR, "FlexVAE.pth", NEWEST
    ),
    "flexvar-d16": _flexvar(16, "FlexVARd16-epo179.pth"),
    "flexvar-d20": _flexvar(20, "FlexVARd20-epo249.pth"),
    "flexvar-d24": _flexvar(24, "FlexVARd24-epo349.pth"),
    "infinity-tokenizer": _INFINITY_VAE,
    "infinity-2b": _INFINITY,
    # 512 pixels: the same two files with more scales
    "infinity-tokenizer-512": replace(
        _INFINITY_VAE, config=replace(_INFINITY_TOKENIZER, schedule=INFINITY_512)
    ),
    "infinity-2b-512": replace(
        _INFINITY,
        config=replace(_INFINITY_2B, schedule=INFINITY_512),
        tokenizer="infinity-tokenizer-512",
    ),
    "llamagen-vq16": Published(
        _LLAMAGEN_TOKENIZER, LLAMAGEN_TOKENIZER, LLAMAGEN, "vq_ds16_c2i.pt", NEWEST
    ),
}
