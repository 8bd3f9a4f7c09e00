"""The tokenizer: encoder, pyramid over a codebook, decoder."""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from varbook.config import added, check_real, check_whole, recorded_as
from varbook.errors import VarbookError
from varbook.tokenizer.autoencoder import Decoder, Encoder
from varbook.tokenizer.bits import BinaryCodes
from varbook.tokenizer.codebook import Codebook
from varbook.tokenizer.pyramid import Quantised, make_pyramid
from varbook.tokenizer.schedule import Scale, Schedule, check_schedule, square
from varbook.tokenizer.vqgan import VqganDecoder, VqganEncoder

# In so many groups channels are normalised, by whether the autoencoder is VQGAN's.
GROUPS = {False: 8, True: 32}


@dataclass(frozen=True)
class TokenizerConfig:
    """Everything that shapes a tokenizer."""

    pyramid: str = "residual"  # "residual": VAR; "ground_truth": FlexVAR section 3.3
    schedule: Schedule = square(1, 2, 3, 4, 5, 6, 8)  # scales at the training size, coarse to fine
    vocab_size: int = recorded_as("codes", 512)  # V; VAR 4096, FlexVAR 8912
    code_dim: int = 16  # C; 32 in both papers
    normalise: bool = False  # codes on the unit sphere: FlexVAR (LlamaGen) yes, VAR no
    shared_phi: int = 4  # convolutions phi of the residual pyramid (VAR)
    beta: float = 0.25  # weight of the commitment loss
    channels: tuple[int, ...] = (32, 96, 128)  # of the autoencoder, fine to coarse
    patch: int = 2  # pixels folded into channels before the first convolution
    blocks: int = 1  # residual blocks a level in the encoder (one more in the decoder)
    line: bool = True  # a linear path beside the layers of encoder and decoder (ours): the first half decibel for free
    # "folded": ours, for a CPU; "vqgan": that of the published tokenizers, with patch=1 and
    # line=False
    autoencoder: str = added("folded")
    feature_channels: int = added(0)  # between autoencoder and quant_conv; 0: as code_dim
    # Of quant_conv and post_quant_conv; VAR 3, LlamaGen 1, Infinity none: 0
    quant_kernel: int = added(3)
    attention: bool = added(True)  # in the autoencoder "vqgan"; Infinity's has none
    codes_kind: str = added("nearest")  # "bits": code_dim signs, 2 ** code_dim codes (Infinity)
    bit_entropy: float = added(0.0)  # weight of the entropy penalty on the bits
    # Channels at the image's own resolution in the decoder "folded", between the unfolding of the
    # pixels and a last convolution: without them (0) the unfolding leaves a grid
    full_channels: int = added(0)


def make_codes(config: TokenizerConfig) -> Codebook | BinaryCodes:
    """Return the codes that `config.codes_kind` chooses: learned vectors, or sign bits."""
    if config.codes_kind == "nearest":
        return Codebook(config.vocab_size, config.code_dim, normalise=config.normalise)
    if config.codes_kind == "bits":
        return BinaryCodes(config.code_dim, entropy=config.bit_entropy)
    raise VarbookError(
        f'There are no codes of the kind {config.codes_kind!r}; use "nearest" or "bits".'
    )


def make_encoder(config: TokenizerConfig) -> nn.Module:
    """Return the encoder that `config.autoencoder` chooses."""
    features = config.feature_channels or config.code_dim
    if is_vqgan(config):
        return VqganEncoder(config.channels, config.blocks, features, attention=config.attention)
    return Encoder(config.channels, config.patch, config.blocks, features, line=config.line)


def make_decoder(config: TokenizerConfig) -> nn.Module:
    """Return the decoder that `config.autoencoder` chooses."""
    features = config.feature_channels or config.code_dim
    if is_vqgan(config):
        return VqganDecoder(config.channels, config.blocks, features, attention=config.attention)
    return Decoder(
        config.channels,
        config.patch,
        config.blocks,
        features,
        line=config.line,
        full=config.full_channels,
    )


def check_config(config: TokenizerConfig) -> None:
    """Raise VarbookError where no tokenizer can be built from a configuration."""
    check_schedule(config.schedule)
    for name in ("code_dim", "patch"):
        check_whole(name, getattr(config, name), 1)
    check_whole("vocab_size", config.vocab_size, 0 if config.codes_kind == "bits" else 1)
    for name in ("shared_phi", "blocks", "feature_channels", "quant_kernel", "full_channels"):
        check_whole(name, getattr(config, name), 0)
    for name in ("beta", "bit_entropy"):
        check_real(name, getattr(config, name), 0)
    if config.quant_kernel and not config.quant_kernel % 2:
        raise VarbookError(
            f"A convolution with a kernel of {config.quant_kernel} moves the map: make quant_kernel odd, or 0 for none."
        )
    groups = GROUPS[is_vqgan(config)]
    if not isinstance(config.channels, (tuple, list)) or not config.channels:
        raise VarbookError(
            f"A tokenizer needs channels such as (32, 96, 128), not {config.channels!r}."
        )
    for width in config.channels:
        if check_whole("A level's channels", width, 1) % groups:
            raise VarbookError(
                f"The channels of {config.autoencoder!r} are normalised in {groups} groups, and {width} is not a multiple of that."
            )


def is_vqgan(config: TokenizerConfig) -> bool:
    """Say which autoencoder is chosen; VarbookError where there is none of that name, or where the
    configuration asks for parts that it has not.
    """
    if config.autoencoder == "folded":
        return False
    if config.autoencoder != "vqgan":
        raise VarbookError(
            f'There is no autoencoder named {config.autoencoder!r}; use "folded" or "vqgan".'
        )
    if config.patch != 1 or config.line or config.full_channels:
        raise VarbookError(
            'The autoencoder "vqgan" folds no pixels and has no linear path; set patch=1, '
            "line=False and full_channels=0."
        )
    return True


class Tokenizer(nn.Module):
    """image -> encoder -> pyramid -> token maps, and back through the decoder."""

    def __init__(self, config: TokenizerConfig):
        super().__init__()
        check_config(config)
        self.config = config
        self.stride = config.patch * 2 ** (len(config.channels) - 1)
        features, kernel = config.feature_channels or config.code_dim, config.quant_kernel
        self.encoder = make_encoder(config)
        self.quant_conv = (
            nn.Conv2d(features, config.code_dim, kernel, padding=kernel // 2)
            if kernel
            else nn.Identity()
        )
        self.pyramid = make_pyramid(
            config.pyramid, make_codes(config), shared_phi=config.shared_phi, beta=config.beta
        )
        self.post_quant_conv = (
            nn.Conv2d(config.code_dim, features, kernel, padding=kernel // 2)
            if kernel
            else nn.Identity()
        )
        self.decoder = make_decoder(config)

    @property
    def codebook(self) -> Codebook | BinaryCodes:
        """The codes shared by all scales."""
        return self.pyramid.codebook

    def latent_size(self, height: int, width: int) -> Scale:
        """Return the latent's size for `height` x `width` pixels;
        VarbookError where the stride does not divide them.
        """
        check_whole("A height in pixels", height, 1)
        check_whole("A width in pixels", width, 1)
        if height % self.stride or width % self.stride:
            near = [
                max(self.stride, round(side / self.stride) * self.stride)
                for side in (height, width)
            ]
            raise VarbookError(
                f"An image of {height} x {width} pixels does not fit the stride of {self.stride}; use {near[0]} x {near[1]}."
            )
        return height // self.stride, width // self.stride

    def encode(self, image: Tensor) -> Tensor:
        """Map images (B, 3, H, W) in [-1, 1] to features (B, C, h, w) (FlexVAR eq. 3)."""
        if image.ndim != 4 or image.shape[1] != 3 or not len(image):
            raise VarbookError(
                f"Images are one tensor (B, 3, H, W) of one or more, not {tuple(image.shape)}."
            )
        kind = next(self.encoder.parameters()).dtype
        if image.dtype != kind and not (
            image.is_floating_point() and torch.is_autocast_enabled(image.device.type)
        ):
            raise VarbookError(
                f"Images are {kind} in [-1, 1] for this tokenizer, not {image.dtype}: call .to({kind}) "
                "on them, or varbook.data.images.to_float where they are uint8."
            )
        self.latent_size(*image.shape[-2:])
        return self.quant_conv(self.encoder(image))  # B C h w

    def quantise(
        self,
        f: Tensor,
        schedule: Schedule | None = None,
        disturb: Callable[[Tensor], Tensor] | None = None,
    ) -> Quantised:
        """Quantise features over `schedule` (by default the one
        of the training); `disturb` as in `Pyramid.forward`.
        """
        return self.pyramid(f, schedule or self.config.schedule, disturb)

    def decode(self, f: Tensor) -> Tensor:
        """Map features (B, C, h, w), any size, to images
        (B, 3, H, W), not clamped: a clamp would stop gradients.
        """
        return self.decoder(self.post_quant_conv(f))

    @torch.no_grad()
    def tokens(self, image: Tensor, schedule: Schedule | None = None) -> list[Tensor]:
        """Return the token maps of images (B, 3, H, W): per scale, long (B, h_k, w_k)."""
        return self.quantise(self.encode(image), schedule).tokens

    @torch.no_grad()
    def image(self, tokens: list[Tensor]) -> Tensor:
        """Return the images (B, 3, H, W) in [-1, 1] that token maps describe."""
        return self.decode(self.pyramid.decode(tokens)).clamp(-1, 1)

    @torch.no_grad()
    def reconstruct(self, image: Tensor, schedule: Schedule | None = None) -> list[Tensor]:
        """Return, per scale, what the decoder makes of the latent after that scale, in [-1, 1].

        A residual pyramid gives images of full size that sharpen; a ground-truth pyramid gives each
        scale at its own size.
        """
        return [
            self.decode(latent).clamp(-1, 1)
            for latent in self.quantise(self.encode(image), schedule).latents
        ]
