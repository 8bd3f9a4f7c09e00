"""The translator of the toy world as the book's web page needs it: `python -m
varbook.book.site.translator_parts FOLDER` writes model.onnx and about.json.

This alone of the folder needs torch: `make book` calls it in the usual environment.
"""

import base64
import io
import sys
from pathlib import Path
from typing import cast

from PIL import Image

from varbook.book.models.find import Stored, stored
from varbook.book.models.load_run import load_cyclevar
from varbook.book.models.sources import World
from varbook.book.models.tasks import TOY
from varbook.data.toy import toy_images
from varbook.errors import VarbookError, ended
from varbook.files import write_json
from varbook.pretrained.export import export_onnx
from varbook.pretrained.small_onnx import in_eight_bits
from varbook.world.draw import render
from varbook.world.landscape import PALETTES
from varbook.world.scene import COATS, Scene, caption, flip

SCENES = 6


def shipped_translator() -> Stored:
    """Return the CycleVAR of the toy world that comes with the book; VarbookError where none."""
    kind = TOY.kind("cyclevar")
    for run in stored("translator", f"{kind}-*"):
        if run.shipped and run.record["kind"] == kind and run.record["profile"] == "laptop":
            return run
    raise VarbookError(f"No {kind} comes with this copy of the book: fetch the repository again.")


def _address(scene: Scene, side: int) -> str:
    """Return a scene's picture as an address that holds it, which a page may read everywhere."""
    file = io.BytesIO()
    Image.fromarray(render(scene, side, side)).save(file, "PNG")
    return "data:image/png;base64," + base64.b64encode(file.getvalue()).decode()


def scenes(side: int) -> list[dict]:
    """Return held-out scenes of both domains in turns, none of which any model was trained on:
    domain, picture, its hidden counterpart, and what it shows, in words.
    """
    found = []
    for index in range(SCENES):
        domain = list(TOY.domains)[index % 2]
        seed = cast(World, TOY.pictures).held_out_seed
        scene = toy_images(SCENES, side, seed=seed, species=domain).scenes[index]
        found.append(
            {
                "domain": domain,
                "text": caption(scene),
                "picture": _address(scene, side),
                "counterpart": _address(flip(scene, "coat"), side),
            }
        )
    return found


def paints() -> dict[str, tuple[float, ...]]:
    """Return colours of the toy world to draw with: name -> red, green, blue in [0, 255]."""
    valley = PALETTES["valley"]
    return COATS | {"sky": valley.sky[1], "hills": valley.hills[1], "grass": valley.ground[0]}


def write_parts(folder: Path) -> None:
    """Write model.onnx and about.json into `folder`."""
    run = shipped_translator()
    cyclevar, _ = load_cyclevar(run)
    cyclevar = cyclevar.cpu()
    in_eight_bits(export_onnx(cyclevar, folder / "model.onnx", adjustable=True))
    side = cyclevar.schedule[-1][0] * cyclevar.tokenizer.stride
    about = {
        "run": run.name,
        "side": side,
        "domains": run.classes(),
        "temperature": cyclevar.config.temperature,
        "alpha": cyclevar.config.alpha,
        "paints": paints(),
        "scenes": scenes(side),
    }
    write_json(folder / "about.json", about)


def main() -> int:
    """Write the parts into the folder that is named."""
    write_parts(Path(sys.argv[1]))
    return 0


if __name__ == "__main__":
    sys.exit(ended(main))
