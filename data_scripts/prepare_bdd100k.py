"""Make BDD100K's driving scenes by day (A) and night (B), 512 x 512, from a copy of yours.

CycleVAR section 4.1.

    python data_scripts/prepare_bdd100k.py --from /data/bdd100k              # into data/bdd100k of the checkout
    python data_scripts/prepare_bdd100k.py --from /data/bdd100k --side 256 --dry-run

BDD100K must be asked for (an account at its home; terms for research). Needed are "100K Images"
(images/100k/train and val) and the labels, which say the time of day: labels/det_20/det_train.json
and det_val.json, or the older labels/bdd100k_labels_images_train.json and _val.json. Day is
"daytime", night is "night"; dawn, dusk and unknown are left out. Training pictures become trainA
and trainB; of the validation pictures 500 of each become testA and testB. Which 500 CycleGAN-Turbo
and CycleVAR took is not published: these are the first 500 in the order of the SHA-256 of their
names. Both sides are scaled to 512 pixels apart, as CycleGAN-Turbo's authors say they did.
"""

import sys
from collections.abc import Iterator
from pathlib import Path

from common import Problem, answer, plain_name, read_json, whole_number
from pictures import Picture, chosen, existing, options, resize_all, whole

TIMES = {"A": "daytime", "B": "night"}
WEATHER = ("clear", "overcast", "partly cloudy", "rainy", "snowy", "foggy", "undefined")
LABELS = ("labels/det_20/det_{split}.json", "labels/bdd100k_labels_images_{split}.json")
ASK = "BDD100K must be asked for at http://bdd-data.berkeley.edu (research terms): name your copy with --from FOLDER."


def read_labels(root: Path, split: str) -> list[dict]:
    """Return {"name", "time", "weather"} of every picture of "train" or "val"; raises Problem."""
    places = [root / form.format(split=split) for form in LABELS]
    file = next((place for place in places if place.is_file()), None)
    if file is None:
        raise Problem(
            f"{root} lacks the labels that say the time of day: {' or '.join(map(str, places))}."
        )
    content = read_json(file, "get it again", list)
    try:
        entries = [(plain_name(one["name"], file), one["attributes"]) for one in content]
        return [
            {"name": name, "time": str(about["timeofday"]), "weather": str(about["weather"])}
            for name, about in entries
        ]
    except (KeyError, TypeError) as error:
        raise Problem(f"{file} is not a label file of BDD100K: get it again.") from error


def domains(
    root: Path, split: str, weather: tuple[str, ...], count: int | None
) -> dict[str, list[str]]:
    """Return the picture names of the domains "A" (day) and "B" (night), at most `count` each.

    Raises Problem where a domain is empty.
    """
    labels = read_labels(root, split)
    result = {}
    for domain, time in TIMES.items():
        names = sorted(
            {row["name"] for row in labels if row["time"] == time and row["weather"] in weather}
        )
        if not names:
            raise Problem(
                f"The labels of {split} name no picture of {time} in {', '.join(weather)} weather: check --weather."
            )
        result[domain] = names if count is None else sorted(chosen(names, count))
    return result


def listed(root: Path, split: str, folder: str, names: dict[str, list[str]]) -> Iterator[Picture]:
    """Yield the named pictures of a split, for the folders `folder`A and `folder`B.

    Raises Problem for one that is missing.
    """
    for domain, some in names.items():
        for name in some:
            path = root / "images" / "100k" / split / name
            if not path.is_file():
                raise Problem(
                    f'The labels name {path}, which is not there: unpack all of "100K Images".'
                )
            yield f"{folder}{domain}/{path.stem}.jpg", path.read_bytes


def work(arguments) -> str:
    """Do what the options ask for and return what to tell the reader; raises Problem."""
    root = existing(arguments.source, ASK)
    weather = tuple(arguments.weather.split(",")) if arguments.weather else WEATHER
    unknown = [word for word in weather if word not in WEATHER]
    if unknown:
        raise Problem(f"BDD100K knows no weather {unknown[0]!r}: choose from {', '.join(WEATHER)}.")
    train = domains(root, "train", weather, None)
    test = domains(root, "val", weather, arguments.held_out)
    how = f"{arguments.side} x {arguments.side}, LANCZOS; weather {arguments.weather or 'any'}; {arguments.held_out} held out"
    counts = " / ".join(str(len(some)) for some in (train["A"], train["B"], test["A"], test["B"]))
    if arguments.dry_run:
        return f"would make {counts} pictures (trainA / trainB / testA / testB) in {arguments.to} ({how})"
    rule = whole(arguments.side)
    told = [resize_all(listed(root, "train", "train", train), arguments.to, rule, how)]
    told.append(resize_all(listed(root, "val", "test", test), arguments.to, rule, how))
    return "\n".join([*told, f"{counts} pictures (trainA / trainB / testA / testB)"])


def main(arguments: list[str] | None = None) -> int:
    """Run the command; returns 0, or 1 after one sentence on stderr."""
    parser = options(__doc__, "bdd100k", 512)
    parser.add_argument(
        "--weather",
        help='these kinds of weather alone, for example "clear,overcast" (default: any)',
    )
    parser.add_argument(
        "--held-out",
        type=whole_number(1),
        default=500,
        help="evaluation pictures of each domain (default 500)",
    )
    return answer("prepare_bdd100k", work, parser.parse_args(arguments))


if __name__ == "__main__":
    sys.exit(main())
