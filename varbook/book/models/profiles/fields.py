"""What a profile holds: chains of models, numbers of images, and the sizes of each experiment."""

from dataclasses import dataclass, field, replace

from varbook.config import added
from varbook.tokenizer.tokenizer import TokenizerConfig
from varbook.train.fit_cyclevar import CycleVARTraining
from varbook.train.fit_next_scale import NextScaleTraining
from varbook.train.fit_tokenizer import TokenizerTraining
from varbook.transformer.model import NextScaleConfig
from varbook.transformer.words import vocabulary
from varbook.world.scene import every_caption

# The animals of chapter 11, whose captions its models read, and the words of those captions.
CAPTIONED = ("horse", "zebra", "cow", "giraffe", "elephant", "sheep")
WORDS = vocabulary(every_caption(CAPTIONED))


@dataclass(frozen=True, kw_only=True)
class OtherSizes:
    """How the next-scale model that predicts ground truth is trained further, on pictures of other
    sizes and shapes than the chain's: ours, FlexVAR is trained on one size.
    """

    training: NextScaleTraining  # its `latents` are the sizes of the last map
    scenes: int  # the first ones of the training pictures, drawn at each size
    told: bool  # is the model told the size? (`NextScaleConfig.size_told`)


@dataclass(frozen=True)
class Chain:
    """What a translator needs, one after the other: tokenizer, next-scale model, CycleVAR.

    The names of the fields are part of the keys of recorded runs.
    """

    image_size: int  # pixels
    tokenizer: TokenizerConfig
    tokenizer_training: TokenizerTraining
    model: NextScaleConfig  # same schedule, codes and code_dim as the tokenizer
    model_training: NextScaleTraining
    cyclevar_training: CycleVARTraining
    other_sizes: OtherSizes | None = added(None)  # None: no such model is trained


@dataclass(frozen=True, kw_only=True)
class Ablation:
    """The next-scale models of FlexVAR tables 4 to 6, all of one size."""

    depth: int
    width: int
    heads: int
    steps: int
    batch: int
    images: int  # training images; their mirror images count as well
    seeds: tuple[int, ...]  # every row is trained once with each


@dataclass(frozen=True, kw_only=True)
class Judges:
    """The classifiers that judge what the models draw."""

    toy_steps: int  # training steps of the toy world's
    caption_steps: int  # of the one that reads chapter 11's scenes: species, coat, day or night


@dataclass(frozen=True, kw_only=True)
class Rivals:
    """Other methods, each given the time or the images that the papers' methods get."""

    generators: tuple[str, ...]  # of FlexVAR table 2, trained like the next-scale models
    photograph_translators: tuple[str, ...]  # of CycleVAR table 1, those trained on photographs too
    # Steps of CycleGAN and CUT on a chain (CycleVAR table 1); on others as many as CycleVAR has.
    pixel_steps: dict[str, int] = field(hash=False)
    # Steps of the diffusion model that SDEdit, DDIB and Cycle-Diffusion share on a chain; on others
    # as many as the next-scale model has.
    diffusion_steps: dict[str, int] = field(hash=False)


@dataclass(frozen=True, kw_only=True)
class Flat:
    """The translator between the toy world's photographs and flat pictures (chapter 11)."""

    steps: int  # more than for day and night: outlines take longer than light
    batch: int


@dataclass(frozen=True, kw_only=True)
class Profile:
    """Sizes and steps of one profile. Each profile sets every field: nothing has a default.

    The chains:
        "toy": the toy world;
        "photographs": horse2zebra;
        "captions": the toy world in sign bits and captions (chapter 11);
        "driving": the same parts on photographs of streets by day and by night (chapter 11);
        "small": a small chain of the toy world, on which CycleVAR is taken apart: dozens of short
        trainings (chapter 10);
        "imagenet": ImageNet and OpenImages, in the profile "paper" alone.
    """

    name: str
    seed: int
    chains: dict[str, Chain] = field(hash=False)  # hash=False: cached functions take a profile
    # Training images of the drawn chains: "toy" and "small" (half of them horses and zebras),
    # "captions" (by day and by night, as photographs and flat).
    images: dict[str, int] = field(hash=False)
    # The task, by its name in `tasks.TASKS`, whose class-conditional models chapters 02 to 07 train
    # and measure, and `experiments.imagenet` samples and scores as the papers do.
    generation: str
    # Does CycleVAR on photographs start from the published VAR-d16 and Infinity-2B (CycleVAR
    # section 4.1), or from the book's own models?
    published_start: bool
    held_out: int  # held-out scenes of each domain
    use_photographs: bool  # the chapters train on horse2zebra, where it is at hand
    use_streets: bool  # chapter 11 shows day2night too: three models more
    flex_depths: tuple[int, ...]  # of the models of FlexVAR figure 7 and tables 2 and 7
    speed_repeats: int  # timings are averaged over this many runs (CycleVAR table 3)
    small_seeds: tuple[int, ...]  # of chapter 10's rows that carry a claim; others have the first
    ablation: Ablation
    judges: Judges
    rivals: Rivals
    flat: Flat

    @property
    def image_size(self) -> int:
        """Side of the toy world's images in pixels."""
        return self.chains["toy"].image_size

    def live_steps(self, steps: int) -> int:
        """Return how many of `steps` a training before the reader's eyes takes: all of them, in the
        profile "smoke" at most six.
        """
        return min(steps, 6) if self.name == "smoke" else steps

    def chain(self, name: str) -> Chain:
        """Return the chain `name`; "flat" is "captions" with the training of the translator to flat
        pictures.
        """
        if name != "flat":
            return self.chains[name]
        longer = replace(
            self.chains["captions"].cyclevar_training,
            steps=self.flat.steps,
            batch=self.flat.batch,
            warmup=min(50, self.flat.steps // 4),
            identity_steps=min(100, self.flat.steps // 3),
        )
        return replace(self.chains["captions"], cyclevar_training=longer)

    @property
    def ground_truth_steps(self) -> int:
        """Steps of the tokenizers that FlexVAR figure 3 compares with the residual one: as many as
        that one has.
        """
        return self.chains["toy"].tokenizer_training.steps
