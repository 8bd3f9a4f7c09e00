"""The next-scale model: VAR and FlexVAR are two configurations of it."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, cast

import torch
from torch import Tensor, nn

from varbook.config import added, recorded_as
from varbook.errors import VarbookError
from varbook.tokenizer.schedule import Scale, Schedule, square, token_count
from varbook.transformer.attention import Group, KeyValueCache, RotaryLayout, scale_groups
from varbook.transformer.block import Block, HeadNorm, Modulation
from varbook.transformer.checks import check_model
from varbook.transformer.kernels import HeadLoss
from varbook.transformer.mamba import MambaMixer, ScanMemory
from varbook.transformer.positions import FixedPositions, ScalablePositions
from varbook.transformer.scan_paths import PATHS, scan_order

# An embedding (B, C) of classes, or a `TextCondition`: `pooled` and `text` alone look inside.
Condition = Any
# What a block's mixer must know of the sequence: attention's groups, with angles where positions
# are rotary, or the order of a scan.
Layout = list[Group] | RotaryLayout | Tensor


@dataclass(frozen=True)
class NextScaleConfig:
    """Everything that shapes a next-scale model. The defaults are VAR's; see `flexvar`."""

    # The training schedule (FlexVAR: its last scale is the training latent)
    schedule: Schedule = square(1, 2, 3, 4, 5, 6, 8)
    vocab_size: int = recorded_as("codes", 512)  # V, the size of the codebook
    code_dim: int = 16  # channels of a code
    classes: int = 14  # one more index stands for "no class"
    depth: int = 4  # blocks; d16, d20, d24 in FlexVAR table 1
    width: int = 192  # 64 * depth in the papers
    heads: int = 6  # = depth in the papers
    positions: str = "fixed"  # "fixed": VAR; "scalable": FlexVAR section 3.4
    step_embedding: bool = True  # one vector per scale (VAR); FlexVAR table 6 goes without
    learnable_positions: bool = True  # FlexVAR table 6
    position_form: str = "paper"  # "paper" | "released": FlexVAR's text and its code differ
    cosine: bool = True  # queries and keys normalised
    shared_adaln: bool = added(False)  # one AdaLN layer for all blocks: VAR-d36 at 512 px
    # Fields that came later do not change the names of the runs before them (see
    # `train.store.plain`).
    mixer: str = added("attention")  # "attention" | "mamba": FlexVAR table 5
    mamba_state: int = added(8)  # N; 16 in Mamba, of which a CPU's cache likes half
    bits: int = added(0)  # of a code, each with two logits (Infinity); 0: a logit for each code
    # Ours: the class comes with the size of the picture, for a training at several sizes
    # (`NextScaleTraining.latents`). FlexVAR is trained on one and says nothing of it.
    size_told: bool = added(False)

    @property
    def outputs(self) -> int:
        """Logits per token."""
        return 2 * self.bits or self.vocab_size

    @property
    def steps(self) -> int:
        """Rows of the step embedding."""
        return len(self.schedule)


def of_depth(config: NextScaleConfig, depth: int) -> NextScaleConfig:
    """Return the configuration with `depth` blocks: by the rule of FlexVAR table 1, 64 channels and
    one head for each block, where it follows that rule; else as wide as it was.
    """
    if (config.width, config.heads) == (64 * config.depth, config.depth):
        return replace(config, depth=depth, width=64 * depth, heads=depth)
    return replace(config, depth=depth)


def flexvar(config: NextScaleConfig) -> NextScaleConfig:
    """Return `config` with FlexVAR's choices: scalable positions, no step embedding."""
    return replace(config, positions="scalable", step_embedding=False)


class NextScaleModel(nn.Module):
    """Predicts every token map from the maps before it;
    parameters are named as in VAR's published checkpoints.
    """

    def __init__(self, config: NextScaleConfig):
        super().__init__()
        check_model(config)
        self.config = config
        width = config.width
        self.word_embed = nn.Linear(config.code_dim, width)
        self._make_condition()
        self.pos_start = nn.Parameter(torch.empty(1, 1, width))
        self.positions = self._make_positions()
        self.lvl_embed = nn.Embedding(config.steps, width) if config.step_embedding else None
        if config.shared_adaln:
            self.shared_ada_lin = nn.Sequential(nn.SiLU(), nn.Linear(width, 6 * width))
        layers = [self._make_block(layer) for layer in range(config.depth)]
        self.blocks: Sequence[Block] = nn.ModuleList(layers)  # type: ignore[assignment]
        self.head_nm = HeadNorm(width)
        self.head = nn.Linear(width, config.outputs)
        self._initialise()

    # The parts that another kind of condition swaps (`text_model`).
    def _make_condition(self) -> None:
        self.class_emb = nn.Embedding(self.config.classes + 1, self.config.width)
        if self.config.size_told:
            self.size_emb = nn.Linear(2, self.config.width, bias=False)

    def _make_positions(self) -> nn.Module:
        config = self.config
        if config.positions == "fixed":
            return FixedPositions(config.width, config.schedule)
        if config.positions == "scalable":
            return ScalablePositions(
                config.width,
                config.schedule[-1],
                learnable=config.learnable_positions,
                form=config.position_form,
            )
        raise VarbookError(
            f'There are no positions named {config.positions!r}; use "fixed" or "scalable".'
        )

    def _make_block(self, layer: int) -> Block:
        config = self.config
        if config.mixer not in ("attention", "mamba"):
            raise VarbookError(
                f'There is no mixer named {config.mixer!r}; use "attention" or "mamba".'
            )
        mixer = None
        if config.mixer == "mamba":
            mixer = MambaMixer(config.width, path=layer % PATHS, state=config.mamba_state)
        return Block(
            config.width,
            config.heads,
            cosine=config.cosine,
            mixer=mixer,
            shared_adaln=config.shared_adaln,
        )

    def _initialise(self) -> None:
        # VAR's start: small truncated normals; gates near zero, so that at first every block passes
        # its input on.
        std = math.sqrt(1 / self.config.width / 3)
        for module in self.modules():
            if isinstance(module, (nn.Linear, nn.Embedding)):
                nn.init.trunc_normal_(module.weight, std=std)
            if isinstance(module, nn.Linear) and module.bias is not None:
                nn.init.zeros_(module.bias)
        nn.init.trunc_normal_(self.pos_start, std=std)
        if self.config.size_told:  # nothing is told at first
            nn.init.zeros_(self.size_emb.weight)
        with torch.no_grad():
            self.head.weight.mul_(0.02)
            cast(nn.Linear, self.head_nm.ada_lin[1]).weight.mul_(0.5)
            for block in self.blocks:
                if self.config.shared_adaln:
                    rows = block.ada_gss.unbind(2)
                else:
                    rows = cast(nn.Linear, block.ada_lin[1]).weight.chunk(6)
                for gate in rows[:2]:
                    gate.mul_(1e-3)
                for scale_or_shift in rows[2:]:
                    scale_or_shift.mul_(0.5)
                block.attn.proj.weight.div_(math.sqrt(2 * self.config.depth))
                block.ffn.fc2.weight.div_(math.sqrt(2 * self.config.depth))

    def condition(self, labels: Tensor) -> Condition:
        """Return the embeddings (B, C) of class labels (B,)
        in [0, classes]; `classes` itself means "no class".
        """
        # While the model is traced for export the labels have no values to check.
        known = torch.compiler.is_compiling()
        wrong = labels[:0] if known else labels[(labels < 0) | (labels > self.config.classes)]
        if len(wrong):
            raise VarbookError(
                f"Class labels run from 0 to {self.config.classes - 1} ({self.config.classes} for none), not {wrong.tolist()}; "
                f"the nearest are {wrong.clamp(0, self.config.classes - 1).tolist()}."
            )
        return self.class_emb(labels)

    def sized(self, condition: Condition, latent: Scale) -> Condition:
        """Return a condition (B, C) that also says the size (h, w) of the last map, where the model
        is told it (`size_told`); else, and at the model's own size, with the same values.
        """
        if not self.config.size_told:
            return condition
        own = self.config.schedule[-1]
        times = [math.log2(side / known) for side, known in zip(latent, own, strict=True)]
        return condition + self.size_emb(torch.tensor(times, device=condition.device))  # B C

    def no_condition(self, labels: Tensor) -> Tensor:
        """Return labels of the same shape that stand for "no class"."""
        return torch.full_like(labels, self.config.classes)

    @staticmethod
    def pooled(condition: Condition) -> Tensor:
        """Return the part of a condition that is one vector (B, C): here all of it."""
        return condition

    @staticmethod
    def text(condition: Condition) -> tuple[Tensor, Tensor] | None:
        """Return the part of a condition that is words
        (B, T, C) with their mask: here there is none.
        """
        return None

    def embed(
        self,
        maps: Sequence[Tensor | None],
        condition: Condition,
        schedule: Schedule,
        first: int = 0,
    ) -> Tensor:
        """Return the input tokens (B, L, C) of the scales from number `first` on.

        `maps[i]` (B, Cv, h, w) is what the model sees at scale first + i. Scale 0 starts
        from the class alone; a map given for it is added (CycleVAR eq. 8 feeds F_1).
        """
        positions = self.positions(schedule)
        tokens = []
        for k, seen in enumerate(maps, start=first):
            x = positions[k]  # 1 h*w C
            if self.lvl_embed is not None:
                x = x + self.lvl_embed.weight[k]
            if seen is not None:
                x = x + self.word_embed(seen.flatten(2).transpose(1, 2))  # B h*w C
            if k == 0:
                x = x + self.pooled(condition)[:, None] + self.pos_start
            tokens.append(x)
        return torch.cat(tokens, 1)  # B L C

    def modulations(self, condition: Condition) -> list[Modulation]:
        """Return every block's six AdaLN vectors, and what it reads of a text where there is one.

        They depend on the condition alone, so sampling computes them once.
        """
        vector = self.pooled(condition)
        text = self.text(condition)
        if self.config.shared_adaln:
            vector = self.shared_ada_lin(vector).view(-1, 1, 6, self.config.width)  # B 1 6 C
        return [block.modulation(vector, text) for block in self.blocks]

    def logits(self, x: Tensor, condition: Condition) -> Tensor:
        """Return the logits (B, L, V) of hidden states (B, L, C), in float32."""
        with torch.autocast(x.device.type, enabled=False):
            return self.head(self.head_nm(x.float(), self.pooled(condition).float()))

    def loss(self, x: Tensor, condition: Condition, targets: Tensor) -> tuple[Tensor, Tensor]:
        """Return mean cross-entropy and accuracy, scalars, of hidden states (B, L, C) for the true
        choices `targets` (B, L, D): what `logits` would give, without holding them all.
        """
        device = x.device.type
        dtype = torch.get_autocast_dtype(device) if torch.is_autocast_enabled(device) else x.dtype
        with torch.autocast(device, enabled=False):
            states = self.head_nm(x.float(), self.pooled(condition).float()).flatten(0, 1)
            head = self.head
            return HeadLoss.apply(states, head.weight, head.bias, targets.flatten(0, 1), dtype)

    def forward(
        self,
        maps: Sequence[Tensor | None],
        labels: Tensor,
        schedule: Schedule | None = None,
        targets: Tensor | None = None,
    ):
        """Return the logits (B, L, V) of all scales at once, each token seeing its own scale and
        the coarser ones; with `targets` loss and accuracy in their place, as `loss` does.

        `maps` holds one entry per scale (the first may be None):
        while training the pyramid's `teacher_inputs`.
        """
        schedule = schedule or self.config.schedule
        condition = self.sized(self.condition(labels), schedule[-1])
        x = self.hidden(maps, condition, schedule)
        if targets is not None:
            return self.loss(x, condition, targets)
        return self.logits(x, condition)

    def predict(
        self, maps: Sequence[Tensor | None], condition: Condition, schedule: Schedule | None = None
    ) -> Tensor:
        """Return the logits of `forward` for a condition
        (B, C) that `condition` has made of labels.
        """
        return self.logits(self.hidden(maps, condition, schedule), condition)

    def hidden(
        self, maps: Sequence[Tensor | None], condition: Condition, schedule: Schedule | None = None
    ) -> Tensor:
        """Return the last block's states (B, L, C) of all scales."""
        schedule = schedule or self.config.schedule
        x = self.embed(maps, condition, schedule)  # B L C
        layouts = self.layouts(schedule, x.device)
        for block, modulation, layout in zip(
            self.blocks, self.modulations(condition), layouts, strict=True
        ):
            x = block(x, modulation, layout)
        return x

    def layouts(self, schedule: Schedule, device: torch.device) -> Sequence[Layout]:
        """Return what each block must know of the sequence: the groups of attention (the same for
        all), the path of its scan.
        """
        if self.config.mixer == "mamba":
            return [scan_order(schedule, path).to(device) for path in self._paths()]
        return [scale_groups(schedule, device)] * len(self.blocks)

    def step(
        self,
        x: Tensor,
        condition: Condition,
        modulations: Sequence[Modulation],
        caches: Sequence[KeyValueCache] | Sequence[ScanMemory],
    ) -> Tensor:
        """Return the logits (B, h*w, V) of one new scale's tokens
        x (B, h*w, C), given the caches of the scales before.
        """
        for block, modulation, cache in zip(self.blocks, modulations, caches, strict=True):
            x = block(x, modulation, None, cache)
        return self.logits(x, condition)

    def new_caches(
        self, schedule: Schedule | None = None
    ) -> Sequence[KeyValueCache] | Sequence[ScanMemory]:
        """Return an empty cache per block: keys and values, or the memory of a scan, which must
        know the `schedule` to come.
        """
        if self.config.mixer == "mamba":
            return [ScanMemory(schedule or self.config.schedule, path) for path in self._paths()]
        return [KeyValueCache() for _ in self.blocks]

    def _paths(self) -> list[int]:
        """Return the scan path of every Mamba block."""
        return [block.attn.path for block in self.blocks if isinstance(block.attn, MambaMixer)]

    def tokens_per_image(self) -> int:
        """Return the length of the training sequence."""
        return token_count(self.config.schedule)
