"""Questions about training steps: the package's own loops against the steps written out.

Every candidate trains models of its own, which start alike; the losses of their first steps are
compared, and then each goes on training while it is timed.
"""

import copy
from collections.abc import Callable, Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from benchmarks import plain
from benchmarks.kernels import normal
from benchmarks.question import Candidate, Question, autocast
from benchmarks.stepper import FIRST_STEP, Stepper, one_step
from varbook.device import pick_device, step_generator
from varbook.features.perceptual import perceptual_distance
from varbook.tokenizer.schedule import VAR_256, square
from varbook.tokenizer.tokenizer import Tokenizer, TokenizerConfig
from varbook.train.fit_cyclevar import CycleVARTraining, fit_cyclevar
from varbook.train.fit_next_scale import NextScaleTraining, fit_next_scale
from varbook.train.fit_tokenizer import TokenizerTraining, fit_tokenizer
from varbook.train.keeper import Keeper
from varbook.train.steps import draw_batch, frozen
from varbook.transformer.model import NextScaleConfig, NextScaleModel
from varbook.translate.cyclevar import CycleVAR
from varbook.translate.discriminator import make_discriminators
from varbook.translate.losses import keep, update_average

IMAGES, STEPS = 64, 1_000_000
TINY = square(1, 2, 4)


def models(small: bool, channels: Sequence[int] = (48, 96)) -> tuple[Tokenizer, NextScaleModel]:
    """Return tokenizer and next-scale model at the papers' geometry on 64 pixels, always alike."""
    shape = {"schedule": VAR_256, "vocab_size": 1024, "code_dim": 16}
    if small:
        shape, channels = {"schedule": TINY, "vocab_size": 32, "code_dim": 8}, (8, 8, 8)
    size = {"depth": 1, "width": 16, "heads": 2} if small else {"depth": 4, "width": 192}
    torch.manual_seed(0)
    tokenizer = Tokenizer(TokenizerConfig(**shape, channels=tuple(channels)))
    return tokenizer, NextScaleModel(NextScaleConfig(**shape, **size))


def images(size: int) -> Tensor:
    """Return a training set of noise, uint8 (N, 3, size, size): its content costs nothing."""
    generator = torch.Generator().manual_seed(0)
    return torch.randint(0, 256, (IMAGES, 3, size, size), dtype=torch.uint8, generator=generator)


def adamw(module: nn.Module, lr: float, decay: float, betas: tuple[float, float]):
    """Return torch's AdamW as it comes."""
    return torch.optim.AdamW(module.parameters(), lr, betas=betas, weight_decay=decay)


def descend(loss: Tensor, module: nn.Module, optimiser, clip: float | None) -> None:
    """Take one step down the gradient of `loss`."""
    optimiser.zero_grad()
    loss.backward()
    if clip:
        torch.nn.utils.clip_grad_norm_(module.parameters(), clip)
    optimiser.step()


def four(
    plain_step: Callable[[], Callable[[], Tensor]], fit: Callable[[], Callable[[Keeper], object]]
) -> dict[str, Candidate]:
    """Return the candidates of a training step: written out and packaged, in both precisions.

    Both arguments make fresh models each time. In bfloat16 the losses need not agree.
    """

    def late(make: Callable[[], Callable[[], Tensor]]) -> Callable[[], Tensor]:
        # Models are made when they are first used, so that measuring one candidate's memory does
        # not hold those of the others.
        made: list[Callable[[], Tensor]] = []

        def run() -> Tensor:
            if not made:
                made.append(make())
            return made[0]()

        return run

    def package() -> Callable[[], Tensor]:
        return Stepper(fit())

    def low() -> Callable[[], Tensor]:
        return autocast(plain_step())

    return {
        "plain": Candidate(late(plain_step), plain=True),
        "plain, bfloat16": Candidate(late(low), "bfloat16", plain=True, same=False),
        "varbook": Candidate(late(package)),
        "varbook, bfloat16": Candidate(late(package), "bfloat16", same=False),
    }


def next_scale(small: bool = False, batch: int = 8) -> Question:
    """A step of VAR with 6 blocks of 256 channels over 680 tokens of 4,096 codes, `batch` images."""
    device = pick_device()
    schedule, vocab_size, depth, width, heads, batch = (
        (TINY, 32, 1, 16, 2, 2) if small else (VAR_256, 4096, 6, 256, 4, batch)
    )
    shape = {"schedule": schedule, "vocab_size": vocab_size, "code_dim": 32}
    config = NextScaleConfig(**shape, classes=1000, depth=depth, width=width, heads=heads)
    training = NextScaleTraining(steps=STEPS, batch=batch, class_drop=0.0)
    features, labels = normal(IMAGES, 32, *schedule[-1]).cpu(), torch.arange(IMAGES)

    def make() -> tuple[NextScaleModel, Tokenizer]:
        torch.manual_seed(0)
        tokenizer = Tokenizer(TokenizerConfig(**shape, channels=(8, 8)))
        return NextScaleModel(config).to(device), tokenizer.to(device).eval()

    def written_out() -> Callable[[], Tensor]:
        model, tokenizer = make()
        optimiser = adamw(model, training.lr, training.weight_decay, (0.9, 0.95))
        look, step = plain.masked(plain.dense_mask(schedule, device)), [FIRST_STEP - 1]

        def run() -> Tensor:
            step[0] += 1
            generator = step_generator(0, step[0])
            rows = torch.randint(IMAGES, (batch,), generator=generator)
            with torch.no_grad(), torch.autocast(device.type, enabled=False):
                tokens, _ = plain.quantise(tokenizer, features[rows].to(device))
                before = list(plain.sums(tokenizer, tokens))[:-1]
                sizes = schedule[1:]
                seen = [
                    F.interpolate(x, size=s, mode="area")
                    for x, s in zip(before, sizes, strict=True)
                ]
            logits = plain.predict(model, [None, *seen], labels[rows].to(device), look).float()
            target = torch.cat([one.flatten(1) for one in tokens], 1)  # B L
            loss = F.cross_entropy(logits.flatten(0, 1), target.flatten())
            descend(loss, model, optimiser, 2.0)
            return loss.detach()

        return run

    def packaged() -> Callable[[Keeper], object]:
        model, tokenizer = make()
        return lambda keeper: fit_next_scale(
            model, tokenizer, features, labels, training, seed=0, device=device, keeper=keeper
        )

    return Question(
        f"next-scale step, batch {batch}",
        four(written_out, packaged),
        counted=lambda: one_step(packaged()),
    )


def next_scale_32(small: bool = False) -> Question:
    """The same with 32 images, whose memory counts."""
    return next_scale(small, 32)


def tokenizer_step(small: bool = False) -> Question:
    """A step of the residual tokenizer at 64 pixels with a latent of 16 x 16, before the GAN joins."""
    device, size = pick_device(), 32 if small else 64
    batch = 2 if small else 8
    training = TokenizerTraining(steps=STEPS, batch=batch, warmup=0, gan=0.0)
    perceptual, data = perceptual_distance().to(device), images(size)

    def written_out() -> Callable[[], Tensor]:
        tokenizer = models(small)[0].to(device).train()
        optimiser = adamw(tokenizer, training.lr, training.weight_decay, (0.9, 0.95))
        step = [FIRST_STEP - 1]

        def run() -> Tensor:
            step[0] += 1
            image = draw_batch(data, batch, step_generator(0, step[0])).to(device)
            f = plain.encode(tokenizer, image)
            with torch.autocast(device.type, enabled=False):
                latent, loss = pyramid_loss(tokenizer, f.float())
            rebuilt = plain.decode(tokenizer, latent).float()
            loss = loss + training.l2 * F.mse_loss(rebuilt, image)
            loss = loss + training.l1 * F.l1_loss(rebuilt, image)
            loss = loss + training.perceptual * perceptual(rebuilt, image).mean()
            descend(loss, tokenizer, optimiser, 1.0)
            return loss.detach()

        return run

    def packaged() -> Callable[[Keeper], object]:
        tokenizer = models(small)[0]
        return lambda keeper: fit_tokenizer(
            tokenizer, data, training, seed=0, device=device, perceptual=perceptual, keeper=keeper
        )

    return Question(
        "tokenizer step", four(written_out, packaged), counted=lambda: one_step(packaged())
    )


def pyramid_loss(tokenizer: Tokenizer, f: Tensor) -> tuple[Tensor, Tensor]:
    """Return the quantised features (B, C, h, w), whose gradient goes to `f`, and the codebook and
    commitment loss of VAR: a mean over the scales.
    """
    tokens, _ = plain.quantise(tokenizer, f.detach())
    losses, latent = [], f
    for latent in plain.sums(tokenizer, tokens):
        near = F.mse_loss(latent, f.detach())
        losses.append(near + tokenizer.config.beta * F.mse_loss(f, latent.detach()))
    return f + (latent - f).detach(), torch.stack(losses).mean()


def cyclevar_step(small: bool = False) -> Question:
    """A step of CycleVAR at the papers' geometry on 64 pixels: cycle, identity, GAN, both critics.

    Without noise and augmentation, so that the losses can be compared.
    """
    device, size, batch = pick_device(), 32 if small else 64, 1 if small else 4
    training = CycleVARTraining(
        steps=STEPS, batch=batch, identity_steps=0, cycle_noise=0.0, augment=()
    )
    perceptual = perceptual_distance().to(device)
    sets = tuple(images(size).split(IMAGES // 2))

    def make() -> CycleVAR:
        return CycleVAR(*models(small)).to(device)

    def written_out() -> Callable[[], Tensor]:
        return PlainCycleVAR(make(), sets, training, perceptual)

    def packaged() -> Callable[[Keeper], object]:
        cyclevar = make()
        return lambda keeper: fit_cyclevar(
            cyclevar,
            sets,
            (0, 1),
            training,
            seed=0,
            device=device,
            perceptual=perceptual,
            keeper=keeper,
        )

    return Question(
        "CycleVAR step",
        four(written_out, packaged),
        tolerance=5e-3,
        counted=lambda: one_step(packaged()),
    )


class PlainCycleVAR:
    """CycleVAR's step as CycleGAN-Turbo writes it: each translation is a pass of its own, and a
    real image is encoded wherever it is needed.
    """

    def __init__(
        self,
        cyclevar: CycleVAR,
        sets: Sequence[Tensor],
        training: CycleVARTraining,
        perceptual: nn.Module,
    ):
        self.cyclevar, self.sets, self.training = cyclevar, sets, training
        self.perceptual, self.device = perceptual, pick_device()
        torch.manual_seed(1)
        channels, whole = training.discriminator_channels, training.discriminator_whole
        critics = make_discriminators(training.discriminator, 2, channels, whole)
        self.critics = critics.to(self.device)
        self.average = copy.deepcopy(cyclevar.model).requires_grad_(False)
        betas, decay = training.betas, training.weight_decay
        self.optimiser = adamw(cyclevar.model, training.lr, decay, betas)
        self.critic_optimiser = adamw(self.critics, training.discriminator_lr, decay, betas)
        self.look = plain.masked(plain.dense_mask(cyclevar.schedule, self.device))
        self.step = FIRST_STEP - 1

    def quantised(self, image: Tensor) -> Tensor:
        """Return the features (B, C, h, w) of images as codes, with a straight-through gradient."""
        f = plain.encode(self.cyclevar.tokenizer, image)
        with torch.autocast(self.device.type, enabled=False):
            _, latent = plain.quantise(self.cyclevar.tokenizer, f.float())
            return f + (latent - f).detach()

    def translate(self, image: Tensor, label: int) -> Tensor:
        """Return G(image, label) of CycleVAR eq. 12."""
        tokenizer, config = self.cyclevar.tokenizer, self.cyclevar.config
        source, schedule = self.quantised(image), self.cyclevar.schedule
        maps = [F.interpolate(source, size=size, mode="area") for size in schedule]  # eq. 5
        labels = torch.full((len(image),), label, device=self.device)
        logits = plain.predict(self.cyclevar.model, maps, labels, self.look).float()
        total, codes = torch.zeros_like(source), tokenizer.codebook.embedding.weight
        for k, part in enumerate(logits.split([h * w for h, w in schedule], 1)):
            mixed = plain.srq(part, codes, config.temperature)  # B h*w C
            mixed = mixed.transpose(1, 2).unflatten(2, schedule[k])
            total = plain.add(tokenizer, total, mixed, k, len(schedule))
        return plain.decode(tokenizer, config.alpha * total + (1 - config.alpha) * source)  # eq. 9

    def distance(self, a: Tensor, b: Tensor, l1: float, weight: float) -> Tensor:
        """Return L1 plus perceptual distance of two batches, weighted."""
        return l1 * F.l1_loss(a, b) + weight * self.perceptual(a, b).mean()

    def __call__(self) -> Tensor:
        """Train one step and return the generator's loss."""
        self.step += 1
        generator, t = step_generator(0, self.step), self.training
        real = [draw_batch(one, t.batch, generator).to(self.device) for one in self.sets]
        losses, fakes = [], []
        for domain, image in enumerate(real):
            other = 1 - domain
            fake = self.translate(image, other)
            again = self.translate(fake, domain)  # eq. 13
            same = self.translate(image, domain)  # eq. 15
            loss = self.distance(again, image, t.cycle_l1, t.cycle_perceptual)
            loss = loss + self.distance(same, image, t.identity_l1, t.identity_perceptual)
            losses.append((loss + t.keep_l1 * keep(fake, image, t.keep_up_to)) / 2)
            fakes.append(fake)
        with frozen(self.critics):
            for domain in (0, 1):  # eq. 14; critic 1 judges what was made of domain 0
                losses.append(t.gan * F.softplus(-self.critics[1 - domain](fakes[domain])).mean())
        total = torch.stack([loss.float() for loss in losses]).sum()
        descend(total, self.cyclevar.model, self.optimiser, t.clip)
        update_average(self.average, self.cyclevar.model, t.average)
        self.judge(real, [fakes[1].detach(), fakes[0].detach()])
        return total.detach()

    def judge(self, real: Sequence[Tensor], fakes: Sequence[Tensor]) -> None:
        """Train both critics one step (CycleVAR eq. 16)."""
        losses = []
        for critic, image, fake in zip(self.critics, real, fakes, strict=True):
            with torch.no_grad():
                shown = plain.decode(self.cyclevar.tokenizer, self.quantised(image))
            losses.append(F.softplus(-critic(shown)).mean() + F.softplus(critic(fake)).mean())
        descend(losses[0] + losses[1], self.critics, self.critic_optimiser, None)
