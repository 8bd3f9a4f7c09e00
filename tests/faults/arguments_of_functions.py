"""Which public functions `public_functions.py` calls, and with what: good values, values out of
range, and values of another kind.
"""

import io
import math
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from hypothesis import strategies as st
from PIL import Image
from tiny import MODEL, SCHEDULE, TOKENIZER, tiny_cyclevar, tiny_model, tiny_tokenizer
from torch import Tensor

from varbook.book.models.profiles import PROFILES, profile
from varbook.data.images import check_size, load_image
from varbook.data.toy import toy_images
from varbook.evaluate.fidelity import METRICS
from varbook.evaluate.generation import detail, spectrum
from varbook.evaluate.grid import grid
from varbook.evaluate.image_checks import luminance, to_bytes
from varbook.evaluate.reconstruction import psnr
from varbook.evaluate.translation import silhouette_iou
from varbook.evaluate.usage import usage
from varbook.files import read_json
from varbook.generate.editing import extend, inpaint, outpaint, refine
from varbook.generate.loop import generate
from varbook.generate.sampling import Drawing, guidance_at, sample_tokens
from varbook.pretrained.files import read
from varbook.runner import plan
from varbook.runner.parameters import Parameter, convert, parse_cell
from varbook.runner.run import given_values
from varbook.tokenizer.schedule import (
    check_schedule,
    make_schedule,
    sample_scales,
    sample_schedule,
    schedule_for,
    square,
)
from varbook.tokenizer.tokenizer import Tokenizer
from varbook.transformer.model import NextScaleModel
from varbook.transformer.words import WordEncoder
from varbook.translate.any_size import translate_sizes, working_size
from varbook.translate.apply import render_all, translate_all
from varbook.translate.cyclevar import CycleVAR, CycleVARConfig
from varbook.translate.relaxation import RELAXATIONS, relax, relax_bits
from varbook.translate.tiles import places

Function = tuple[Callable, Any]
NO_NUMBERS = st.sampled_from([None, True, "2", "", (), [1], math.nan, math.inf, -math.inf, 1j])
ODD = st.one_of(NO_NUMBERS, st.sampled_from([-1, 0, 2.5, -0.5]))
SELDOM = st.sampled_from([*(False,) * 11, True])
SIDES = st.sampled_from([*range(1, 21), 0, -1])
WHOLE = st.one_of(SIDES, SIDES, SIDES, ODD)
REAL = st.one_of(st.floats(-2, 4), st.floats(), ODD)
PAIR = st.one_of(st.tuples(SIDES, SIDES), st.tuples(SIDES, SIDES), st.tuples(WHOLE, WHOLE), WHOLE)
SCHEDULES = st.one_of(
    st.sampled_from([SCHEDULE, square(1, 2, 4), ((1, 1), (2, 4)), square(4)]),
    st.lists(st.tuples(st.integers(0, 6), st.integers(0, 6)), max_size=4).map(tuple),
    st.lists(PAIR, max_size=4).map(tuple),
    ODD,
)
FLAGS = st.booleans()
TEXTS = st.one_of(st.sampled_from(["a horse", "zebra", "night", "", "a\nb"]), st.text(max_size=12))


def generators() -> Any:
    """Draw generators of random numbers."""
    return st.integers(0, 5).map(lambda seed: torch.Generator().manual_seed(seed))


@st.composite
def tensors(draw, *shapes: tuple[int, ...], low: float = -1, high: float = 1) -> Tensor:
    """Draw a tensor of one of the shapes, now and then of another, with values from `low` to `high`,
    now and then with others.
    """
    shape = draw(st.sampled_from(shapes))
    if draw(SELDOM):
        shape = tuple(draw(st.lists(st.sampled_from([0, 1, 2, 3, 5]), max_size=5)))
    seed = draw(st.integers(0, 3))
    x = torch.rand(shape, generator=torch.Generator().manual_seed(seed)) * (high - low) + low
    if draw(SELDOM) and x.numel():
        x.view(-1)[0] = draw(st.sampled_from([math.nan, math.inf, -math.inf, 300.0, -1e30, 1e38]))
    kind = draw(st.sampled_from(KINDS)) if draw(SELDOM) else torch.float32
    if kind == torch.uint8:
        return ((x.nan_to_num(0, 0, 0).clamp(-1, 1) + 1) * 127.5).to(kind)
    return x.to(kind)


KINDS = (torch.float64, torch.float16, torch.uint8, torch.long, torch.bool)
IMAGES = ((1, 3, 16, 16), (2, 3, 16, 16), (1, 3, 16, 32), (2, 3, 8, 12), (1, 3, 15, 16))


@st.composite
def bytes_images(draw) -> Any:
    """Draw uint8 images (N, 3, H, W), and now and then what is none."""
    if draw(SELDOM):
        return draw(st.one_of(tensors(*IMAGES), ODD))
    shape = draw(st.sampled_from((*IMAGES, (0, 3, 16, 16), (1, 1, 16, 16))))
    return torch.full(shape, 7, dtype=torch.uint8)


@st.composite
def labels(draw) -> Any:
    """Draw class labels (B,) of three classes, others, and what is none."""
    good = st.lists(st.integers(0, 2), min_size=1, max_size=2)
    if draw(SELDOM):
        return draw(st.one_of(ODD, tensors((2,), (1, 2))))
    values = draw(st.lists(st.integers(-1, 4), max_size=3)) if draw(SELDOM) else draw(good)
    return torch.tensor(values, dtype=torch.int32 if draw(SELDOM) else torch.long)


def masks() -> Any:
    """Draw masks of images, true and false halves among them."""
    half = torch.arange(16)[:, None].expand(16, 16) < 8
    good = st.sampled_from([half, ~half, half[None], half.expand(2, 16, 16), half.float()])
    odd = st.one_of(tensors((16, 16), (1, 16, 16)), ODD)
    return SELDOM.flatmap(lambda seldom: odd if seldom else good)


def damaged(content: bytes) -> Any:
    """Draw contents of a file: as it is, cut, with a wrong byte, and any bytes."""
    end = len(content)
    wrong = st.tuples(st.integers(0, end - 1), st.integers(0, 255)).map(
        lambda where: content[: where[0]] + bytes([where[1]]) + content[where[0] + 1 :]
    )
    return st.one_of(
        wrong, st.integers(0, end).map(lambda cut: content[:cut]), st.binary(max_size=60)
    )


def picture(suffix: str) -> bytes:
    """Return a small picture as the bytes of a file."""
    stream = io.BytesIO()
    Image.linear_gradient("L").resize((12, 9)).convert("RGB").save(stream, suffix)
    return stream.getvalue()


def drawings() -> Any:
    """Draw how codes are drawn: settings that a `Drawing` takes."""
    return st.builds(
        Drawing,
        guidance=st.floats(-3, 10),
        top_k=st.integers(0, 30),
        top_p=st.floats(0, 1),
        temperature=st.floats(1e-6, 100),
        ramp_to=st.one_of(st.none(), st.integers(0, 5)),
        greedy_above=st.one_of(st.none(), st.integers(0, 5)),
        released=FLAGS,
    )


def finite(call: Callable[..., Tensor]) -> Callable:
    """Return a call whose result has to be finite numbers where its tensors are, and not huge."""

    def checked(**arguments: Any) -> None:
        result = call(**arguments)
        given = [x for x in arguments.values() if isinstance(x, Tensor) and x.is_floating_point()]
        if all(bool((x.abs() < 1e6).all()) for x in given):
            assert bool(result.isfinite().all()), "a result that is not finite"

    return checked


def changed(config: Any, **parts: Any) -> Any:
    """Draw a configuration in which one or two parts are others."""
    one = st.sampled_from(sorted(parts)).flatmap(lambda name: parts[name].map(lambda v: {name: v}))
    return st.tuples(one, one).map(lambda two: {"config": replace(config, **(two[0] | two[1]))})


def of(**parts: Any) -> Any:
    """Draw arguments by name."""
    return st.fixed_dictionaries(parts)


def schedules() -> dict[str, Function]:
    """Functions of schedules and of sizes."""
    latent = {"latent": PAIR}
    return {
        "square": (lambda sides: square(*sides), of(sides=st.lists(SIDES, max_size=4))),
        "check_schedule": (
            check_schedule,
            of(schedule=SCHEDULES, latent=st.one_of(st.none(), st.tuples(SIDES, SIDES))),
        ),
        "make_schedule": (make_schedule, of(**latent, steps=WHOLE)),
        "schedule_for": (schedule_for, of(trained=SCHEDULES, **latent)),
        "sample_schedule": (
            sample_schedule,
            of(
                **latent,
                max_steps=WHOLE,
                drop=REAL,
                max_drops=WHOLE,
                budget=st.one_of(st.none(), WHOLE),
                generator=generators(),
            ),
        ),
        "sample_scales": (sample_scales, of(**latent, count=WHOLE, generator=generators())),
        "check_size": (check_size, of(size=PAIR)),
        "places": (places, of(height=WHOLE, width=WHOLE, side=WHOLE, overlap=WHOLE)),
        "working_size": (
            working_size,
            of(
                size=st.tuples(SIDES, SIDES),
                side=WHOLE,
                large=st.sampled_from(["resize", "tiles", "cut", None]),
                short_side=st.one_of(st.none(), WHOLE),
            ),
        ),
    }


def configurations() -> dict[str, Function]:
    """What is built from settings."""
    words = st.sampled_from(["residual", "ground_truth", "bits", "codebook", "vqgan", "", None, 3])
    tokenizer = changed(
        TOKENIZER,
        schedule=SCHEDULES,
        vocab_size=WHOLE,
        code_dim=WHOLE,
        channels=st.one_of(st.lists(st.sampled_from([0, 4, 8, 12, 16]), max_size=3), ODD).map(
            lambda x: tuple(x) if isinstance(x, list) else x
        ),
        patch=WHOLE,
        blocks=WHOLE,
        beta=REAL,
        pyramid=words,
        codes_kind=words,
        autoencoder=words,
        quant_kernel=WHOLE,
        feature_channels=WHOLE,
    )
    model = changed(
        MODEL,
        schedule=SCHEDULES,
        **dict.fromkeys(
            ("vocab_size", "code_dim", "classes", "depth", "width", "heads", "bits"), WHOLE
        ),
    )
    translator = changed(
        CycleVARConfig(),
        mode=st.sampled_from(["parallel", "serial", "", None]),
        alpha=REAL,
        temperature=REAL,
        relaxation=st.sampled_from([*RELAXATIONS, "", None]),
        context=st.sampled_from(["full", "shifted", None]),
        fusion=st.sampled_from(["paper", "separate", None]),
    )
    parts = tiny_tokenizer(), tiny_model()
    drawing = of(
        guidance=REAL,
        top_k=WHOLE,
        top_p=REAL,
        temperature=REAL,
        ramp_to=WHOLE,
        greedy_above=WHOLE,
    )
    return {
        "Tokenizer": (Tokenizer, tokenizer),
        "NextScaleModel": (NextScaleModel, model),
        "CycleVAR": (lambda config: CycleVAR(*parts, config), translator),
        "Drawing": (Drawing, drawing),
        "profile": (profile, of(name=st.one_of(st.sampled_from([*PROFILES, None]), TEXTS))),
        "WordEncoder.ids": (
            WordEncoder(("a", "horse", "night", "zebra"), 32, 4).ids,
            of(prompts=st.lists(TEXTS, max_size=3)),
        ),
    }


def drawing_and_editing() -> dict[str, Function]:
    """Functions that draw pictures with a model."""
    pairs = {k: (tiny_model(k), tiny_tokenizer(k)) for k in ("residual", "ground_truth")}

    def of_pair(function: Callable) -> Callable:
        def call(kind: str, **arguments: Any) -> None:
            images = function(*pairs[kind], **arguments).images
            image = arguments.get("image")
            if image is None or bool(image.isfinite().all()):
                assert bool(images.isfinite().all()), "a picture that is not finite"

        return call

    both = {"kind": st.sampled_from(list(pairs)), "labels": labels(), "drawing": drawings()}
    image = {"image": tensors((1, 3, 16, 16), (1, 3, 16, 16), *IMAGES)}
    scales = {"schedule": st.one_of(st.none(), st.none(), st.just(SCHEDULE), SCHEDULES)}
    sizes = {"size": st.one_of(st.sampled_from([(32, 32), (16, 32), (24, 32), (17, 32)]), PAIR)}
    return {
        "guidance_at": (
            guidance_at,
            of(
                guidance=st.floats(-3, 3),
                k=st.integers(0, 9),
                steps=st.integers(1, 10),
                ramp_to=st.one_of(st.none(), st.integers(0, 12)),
            ),
        ),
        "sample_tokens": (
            sample_tokens,
            of(
                logits=tensors((2, 5), (1, 4, 7), low=-9, high=9),
                top_k=WHOLE,
                top_p=REAL,
                temperature=REAL,
                generator=generators(),
            ),
        ),
        "generate": (of_pair(generate), of(**both, **scales)),
        "inpaint": (of_pair(inpaint), of(**both, **image, **scales, mask=masks())),
        "outpaint": (of_pair(outpaint), of(**both, **image, **scales, keep=masks())),
        "extend": (of_pair(extend), of(**both, **image, **sizes)),
        "refine": (of_pair(refine), of(**both, **image, **sizes)),
    }


def translation() -> dict[str, Function]:
    """Functions that translate."""
    cyclevar, tokenizer = tiny_cyclevar(), tiny_tokenizer()
    relaxed = {
        "method": st.sampled_from([*RELAXATIONS, "hard", None]),
        "temperature": REAL,
        "noise": FLAGS,
        "generator": generators(),
    }
    batch = st.one_of(st.sampled_from([1, 2, 16]), WHOLE)

    def sizes(images: Any, **arguments: Any) -> None:
        list(translate_sizes(lambda x: x.float() / 127.5 - 1, images, **arguments))

    return {
        "relax": (
            finite(relax),
            of(logits=tensors((2, 5), (1, 3, 5)), vectors=tensors((5, 4)), **relaxed),
        ),
        "relax_bits": (finite(relax_bits), of(logits=tensors((2, 8), (1, 3, 6)), **relaxed)),
        "CycleVAR.forward": (finite(cyclevar), of(image=tensors(*IMAGES), target=labels())),
        "translate_all": (
            lambda **arguments: translate_all(cyclevar, **arguments),
            of(images=bytes_images(), target=st.one_of(st.integers(0, 3), ODD, TEXTS), batch=batch),
        ),
        "render_all": (
            lambda **arguments: render_all(tokenizer, **arguments),
            of(images=bytes_images(), batch=batch),
        ),
        "translate_sizes": (
            sizes,
            of(
                images=st.lists(bytes_images().filter(lambda x: isinstance(x, Tensor)), max_size=2),
                side=st.one_of(st.just(8), WHOLE),
                large=st.sampled_from(["resize", "tiles", "cut"]),
                short_side=st.one_of(st.none(), WHOLE),
                batch=batch,
            ),
        ),
        "reconstruct": (
            lambda image, schedule: tokenizer.reconstruct(image, schedule),
            of(image=tensors(*IMAGES), schedule=st.one_of(st.none(), SCHEDULES)),
        ),
    }


def measures() -> dict[str, Function]:
    """Measures of pictures."""
    assert METRICS  # distances between sets take seconds each: tests/test_evaluate_fidelity.py
    two = of(a=tensors(*IMAGES), b=tensors(*IMAGES))
    one = of(images=tensors(*IMAGES))
    return {
        "psnr": (psnr, two),
        "luminance": (luminance, one),
        "to_bytes": (to_bytes, one),
        "detail": (detail, one),
        "spectrum": (spectrum, one),
        "grid": (
            grid,
            of(pictures=tensors((1, 3, 32, 32), *IMAGES), periods=st.sampled_from([(2, 4), (2,)])),
        ),
        "silhouette_iou": (silhouette_iou, of(predicted=masks_of(), truth=masks_of())),
        "usage": (
            usage,
            of(tokens=tensors((2, 4, 4), low=0, high=9).map(Tensor.long), vocab_size=WHOLE),
        ),
    }


def masks_of() -> Any:
    """Draw silhouettes (N, H, W)."""
    return tensors((1, 16, 16), (2, 16, 16)).map(lambda x: x > 0)


def files(home: Path) -> dict[str, Function]:
    """Readers of files."""

    def reader(function: Callable, name: str) -> Callable:
        def call(content: bytes) -> None:
            (home / name).write_bytes(content)
            function(home / name)

        return call

    png, jpeg = picture("PNG"), picture("JPEG")
    stream = io.BytesIO()
    torch.save({"a": torch.ones(3), "b": {"c": 1}}, stream)
    record = b'{"settings": {"a": [1, 2, null]}, "finished": 1.5, "minutes": {}}'
    from safetensors.torch import save

    return {
        "load_image (png)": (reader(load_image, "a.png"), of(content=damaged(png))),
        "load_image (jpeg)": (reader(load_image, "a.jpg"), of(content=damaged(jpeg))),
        "read (pth)": (reader(read, "a.pth"), of(content=damaged(stream.getvalue()))),
        "read (safetensors)": (
            reader(read, "a.safetensors"),
            of(content=damaged(save({"a": torch.ones(3)}))),
        ),
        "read_json": (reader(read_json, "a.json"), of(content=damaged(record))),
        "toy_images": (
            toy_images,
            of(
                count=st.one_of(st.integers(1, 2), ODD),
                size=st.one_of(st.sampled_from([16, (16, 24)]), ODD, st.tuples(SIDES, ODD)),
                seed=st.one_of(st.integers(-1, 2), ODD),
                species=st.sampled_from([None, "horse", ("horse", "zebra"), "unicorn", "", ()]),
                weights=st.one_of(
                    st.none(),
                    st.dictionaries(st.sampled_from(["horse", "zebra", "x"]), REAL, max_size=2),
                ),
                night=FLAGS,
                flat=FLAGS,
            ),
        ),
    }


def running() -> dict[str, Function]:
    """What the command line hands to the runner."""
    numbers = st.sampled_from(["09", "9", "9,12", "99", "", "a", "0", ",", " 3 ", "-1", "9;10"])
    kinds = st.sampled_from(["int", "str", "float", "bool", "list[int]", "str | None", "x", "int("])
    values = st.one_of(st.sampled_from(["1", "2.5", "true", "none", "[1]", "(", "1" * 5000]), TEXTS)
    chosen = plan.nodes("09")
    lines = st.lists(
        st.sampled_from(["a: int = 1  # one", "b: str = 'x'", "import os", "c: x = 2", "d = 3"]),
        max_size=3,
    ).map("\n".join)
    return {
        "plan.nodes": (plan.nodes, of(only=st.one_of(numbers, TEXTS, st.none()), solutions=FLAGS)),
        "parse_cell": (parse_cell, of(source=st.one_of(lines, st.text(max_size=40)))),
        "convert": (
            lambda annotation, text: convert(Parameter("a", annotation, 1, ""), text),
            of(annotation=st.one_of(kinds, TEXTS), text=values),
        ),
        "given_values": (
            lambda name, text: given_values([f"{name}{text}"], chosen),
            of(
                name=st.sampled_from(["seed=", "profile_name=", "seed", "x=", "=", ""]), text=values
            ),
        ),
    }


def functions(home: Path) -> dict[str, Function]:
    """Return name -> (call by names, strategy of its arguments); files are written below `home`."""
    return (
        schedules()
        | configurations()
        | drawing_and_editing()
        | translation()
        | measures()
        | files(home)
        | running()
    )
