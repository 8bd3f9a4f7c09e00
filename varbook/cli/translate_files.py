"""Picture files through a translator, one after the other: what is done is on disk, and no more is
held than is in work.
"""

import errno
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from PIL import Image
from torch import Tensor

from varbook.cli.image_files import (
    check_names,
    check_sources_stay,
    header_size,
    list_images,
    out_name,
    save,
)
from varbook.data.images import on_white, open_with_alpha, to_tensor
from varbook.errors import VarbookError, refusal
from varbook.train.progress import progress
from varbook.translate.any_size import count_squares, translate_sizes, working_size
from varbook.translate.apply import translate_all
from varbook.translate.cyclevar import CycleVAR


@dataclass
class Outcome:
    """What became of the pictures: file names written, names that were there already, and one
    sentence for each that failed.
    """

    written: list[str] = field(default_factory=list)
    existing: list[str] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)


def side(cyclevar: CycleVAR) -> int:
    """Return the side in pixels of the square pictures that a model translates."""
    return cyclevar.schedule[-1][0] * cyclevar.tokenizer.stride


def translate_images(
    cyclevar: CycleVAR,
    images: Sequence[Tensor],
    target: int | str,
    *,
    large: str = "resize",
    short_side: int | None = None,
    batch: int = 16,
) -> list[Tensor]:
    """Translate uint8 images (3, H, W) of any sizes into class, or prompt, `target`; return uint8
    images of the same sizes.

    `large` is "resize" (each picture becomes a square of the model's side and is stretched back) or
    "tiles" (cut into overlapping squares of the model's side, blended); `short_side` is the size to
    which pictures are brought before they are cut, by default their own. `batch` squares go through
    the model at a time.
    """
    return list(
        translate_sizes(
            lambda squares: translate_all(cyclevar, squares, target, batch),
            images,
            side(cyclevar),
            large=large,
            short_side=short_side,
            batch=batch,
        )
    )


def plan(
    pictures: Sequence[Path], out: Path, force: bool
) -> tuple[list[tuple[Path, Path]], list[str]]:
    """Return (picture, where it goes) for all that is to be done, and the names of what is there
    already; VarbookError where an original would be overwritten, or two results be one file.
    """
    if out.exists() and not out.is_dir():
        raise VarbookError(f"{out} is a file: name a folder for the results.")
    if any(picture.parent.resolve() == out.resolve() for picture in pictures):
        raise VarbookError(
            f"{out} is where the pictures come from: choose another folder, so that no original is lost."
        )
    check_names(pictures)
    pairs = [(picture, out / out_name(picture)) for picture in pictures]
    existing = [there.name for _, there in pairs if there.exists() and not force]
    todo = [pair for pair in pairs if pair[1].name not in existing]
    check_sources_stay(pictures, [there for _, there in todo])
    return todo, existing


def translate_pictures(
    cyclevar: CycleVAR,
    source: str | Path,
    out: str | Path,
    target: int | str,
    *,
    large: str = "resize",
    short_side: int | None = None,
    batch: int = 16,
    force: bool = False,
) -> Outcome:
    """Translate a picture file or a folder of pictures into class, or prompt, `target` and write
    the results to the folder `out`, each as soon as it is done.

    What is transparent stays so, of an animation the first frame is translated. A picture that
    cannot be read or written is noted and the others go on. Raises VarbookError
    where there is no picture, and where no space is left for the results.
    """
    pictures, _ = list_images(Path(source))
    todo, existing = plan(pictures, Path(out), force)
    outcome, places = Outcome(existing=existing), deque[tuple[Path, Image.Image | None]]()
    model_side = side(cyclevar)
    total = len(todo)  # squares
    if large == "tiles":
        sizes = (header_size(picture) for picture, _ in todo)
        total = sum(_squares(size, model_side, large, short_side) for size in sizes)
    bar = progress(range(total), "squares")

    def read() -> Iterator[Tensor]:
        for picture, there in todo:
            try:
                colours, alpha = open_with_alpha(picture)
                image = to_tensor(on_white(colours, alpha))
                working_size((image.shape[-2], image.shape[-1]), model_side, large, short_side)
            except VarbookError as error:
                name = "" if str(picture) in str(error) else f"{picture}: "
                outcome.failed.append(f"{name}{error}")
                continue
            places.append((there, alpha))
            yield image

    def translate(squares: Tensor) -> Tensor:
        for _ in squares:
            next(bar, None)
        return translate_all(cyclevar, squares, target, batch)

    new = translate_sizes(
        translate, read(), model_side, large=large, short_side=short_side, batch=batch
    )
    for image in new:
        _write(image, *places.popleft(), outcome)
    return outcome


def _squares(size: tuple[int, int] | None, side: int, large: str, short_side: int | None) -> int:
    try:
        return count_squares(size, side, large, short_side) if size else 0
    except VarbookError:
        return 0  # it will be told when its turn comes


def _write(image: Tensor, there: Path, alpha: Image.Image | None, outcome: Outcome) -> None:
    try:
        save(image, there, alpha)
        outcome.written.append(there.name)
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):  # the next one would not fit either
            raise VarbookError(
                f"No space is left in {there.parent}: {len(outcome.written)} pictures are written and stay; "
                "make room and run the same again."
            ) from None
        outcome.failed.append(refusal(error, there, "written"))
    except ValueError as error:
        outcome.failed.append(f"{there} cannot hold the picture: {error}.")
