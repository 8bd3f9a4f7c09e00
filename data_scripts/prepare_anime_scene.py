"""Make the Anime Scene data set (CycleVAR section 4.1): landscapes (A), frames of nine films (B).

    python data_scripts/prepare_anime_scene.py --from /data/lhq_1024_jpg --frames /data/shinkai      # into data/anime_scene
    python data_scripts/prepare_anime_scene.py --from /data/lhq_1024_jpg --frames /data/shinkai --dry-run

Nothing is fetched. A: LHQ, 90,000 photographs (project ALIS, universome/alis; photographs of
Unsplash and Flickr under their own terms). B: frames of nine films by Makoto Shinkai, which must be
bought or rented; the list of the frames, 2,620 of them, and a script that takes them out of the
films are published with Scenimefy (Yuxinn-J/Scenimefy, folder anime_dataset). `--frames` is the
folder where that script put them: all in one, or one folder per film. The papers do not say which
pictures were held out nor the size: the square in the middle at 512 pixels, and the first 100 of
each in the order of the SHA-256 of their names.
"""

import sys
from collections.abc import Iterator
from pathlib import Path

from common import SUFFIXES, Problem, answer, first_double, whole_number
from pictures import Picture, chosen, existing, middle, options, resize_all

ASK = "LHQ must be fetched from its home (the project universome/alis): name the folder of photographs with --from FOLDER."
ASK_FRAMES = "The films' frames are not given away: take them out as Scenimefy describes and name the folder with --frames FOLDER."


def find_pictures(folder: Path) -> dict[str, Path]:
    """Return name -> file of all pictures in a folder and its subfolders.

    Raises Problem where there are too few, and where two would get one name.
    """
    places = [
        path
        for path in folder.rglob("*")
        if path.suffix.lower() in SUFFIXES and not path.name.startswith(".")
    ]
    named = {path: "-".join(path.relative_to(folder).with_suffix("").parts) for path in places}
    double = first_double(named.values())
    if double:
        raise Problem(f"{folder} holds two pictures that would be named {double}: rename one.")
    found = {name: path for path, name in named.items()}
    if len(found) < 2:
        raise Problem(f"{folder} holds no pictures ({', '.join(SUFFIXES)}): check the path.")
    return found


def domain(letter: str, found: dict[str, Path], held_out: int) -> Iterator[Picture]:
    """Yield the pictures of domain "A" or "B", those held out to go to the test folder."""
    test = set(chosen(found, held_out))
    for name in sorted(found):
        yield f"{'test' if name in test else 'train'}{letter}/{name}.jpg", found[name].read_bytes


def work(arguments) -> str:
    """Do what the options ask for and return what to tell the reader; raises Problem."""
    sources = {"A": existing(arguments.source, ASK), "B": existing(arguments.frames, ASK_FRAMES)}
    found = {letter: find_pictures(folder) for letter, folder in sources.items()}
    few = next((letter for letter in found if len(found[letter]) <= arguments.held_out), None)
    if few:
        raise Problem(
            f"{sources[few]} holds {len(found[few])} pictures, no more than the {arguments.held_out} to hold out."
        )
    how = f"middle square, {arguments.side} x {arguments.side}, LANCZOS; {arguments.held_out} held out"
    if arguments.dry_run:
        return f"would make {len(found['A'])} photographs and {len(found['B'])} frames in {arguments.to} ({how})"
    rule = middle(arguments.side)
    return "\n".join(
        resize_all(domain(letter, found[letter], arguments.held_out), arguments.to, rule, how)
        for letter in ("A", "B")
    )


def main(arguments: list[str] | None = None) -> int:
    """Run the command; returns 0, or 1 after one sentence on stderr."""
    parser = options(__doc__, "anime_scene", 512)
    parser.add_argument("--frames", type=Path, metavar="FOLDER", help="the films' frames")
    parser.add_argument(
        "--held-out",
        type=whole_number(1),
        default=100,
        help="test pictures of each domain (default 100)",
    )
    return answer("prepare_anime_scene", work, parser.parse_args(arguments))


if __name__ == "__main__":
    sys.exit(main())
