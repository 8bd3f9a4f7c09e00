"""A trained CycleVAR found by name or path and put together again from its record and those of its
parents.
"""

import math
from pathlib import Path

from varbook import paths
from varbook.book.models.profiles import Profile
from varbook.book.models.tasks import domains_of
from varbook.config import rebuild
from varbook.device import pick_device
from varbook.errors import VarbookError
from varbook.files import read_json
from varbook.pretrained.published_cyclevar import published_cyclevar
from varbook.tokenizer.tokenizer import Tokenizer, TokenizerConfig
from varbook.train.store import Run, checkpoint_path
from varbook.train.weights import load_tensors, unpack
from varbook.transformer.model import NextScaleConfig
from varbook.transformer.text_model import TextNextScaleConfig, make_next_scale
from varbook.translate.cyclevar import CycleVAR, CycleVARConfig


def _places(beside: Path | None) -> list[Path]:
    """Return the folders in which records lie, the nearest first."""
    return [*([beside] if beside else []), paths.home() / "runs", paths.shipped() / "records"]


def _records(pattern: str, beside: Path | None = None) -> list[Path]:
    return [
        path
        for folder in _places(beside)
        for path in sorted(folder.glob(pattern))
        if not path.name.startswith(".")
    ]


def _weights(record_file: Path) -> Path:
    beside = record_file.with_suffix(".safetensors")
    return beside if beside.is_file() else checkpoint_path(record_file.stem)


def _fill(model, record_file: Path):
    """Load the weights of a record into `model`, and return the model where it will run."""
    weights = _weights(record_file)
    unpack(model, load_tensors(weights, read_json(record_file).get("sha256")), weights)
    return model.to(pick_device()).eval()


def _parent(key: str, beside: Path | None, child: str) -> Path:
    """Return the record of the run with this key whose weights are there; VarbookError where there
    is none.
    """
    for path in _records(f"*-{key}.json", beside):
        if _weights(path).is_file():
            return path
    raise VarbookError(
        f"The run {child} stands on a run with the key {key}, which is nowhere: put its two files beside it."
    )


def best_photograph_run(profile: Profile) -> str:
    """Return the name of the profile's translator of photographs with the lowest measured distance
    to the target domain.

    Runs without measurements come last, the newest first; where the profile has no photographs, the
    toy world's runs stand in. VarbookError where nothing is trained.
    """
    for kind in ("published-cyclevar", "photo-cyclevar", "toy-cyclevar"):
        found = {
            path.stem: read_json(path)
            for path in _records(f"{kind}-*.json")
            if _weights(path).is_file()
        }
        own = {name: record for name, record in found.items() if record["profile"] == profile.name}
        if own:
            return min(own, key=lambda name: (_distance(own[name]), -own[name]["finished"]))
    raise VarbookError(
        f"No CycleVAR is trained in the {profile.name} profile yet: make figures ONLY=09 trains one."
    )


def _distance(record: dict) -> float:
    """Return the mean Fréchet distance of both directions as chapter 09 measured it, infinity where
    it did not.
    """
    try:
        ways = record["measurements"]["photographs"]["values"]["CycleVAR w/ VAR"].values()
        return sum(way["frechet"]["value"] for way in ways) / len(ways)
    except (KeyError, ZeroDivisionError):
        return math.inf


def load_cyclevar(name_or_path: str | Path) -> tuple[CycleVAR, Run]:
    """Return a trained CycleVAR and its run: `name_or_path` is the name of a run, or its
    .safetensors with the .json beside it.

    The run's record names its next-scale model, and that one's record its tokenizer; both are
    looked for beside the file, below VARBOOK_HOME and among the runs that come with the book.
    VarbookError where something is missing or damaged.
    """
    path = Path(name_or_path).expanduser()
    beside = path.parent if path.suffix in (".safetensors", ".json") else None
    name = path.stem if beside else str(name_or_path)
    record_file = next(iter(_records(f"{name}.json", beside)), None)
    if record_file is None:
        where = (
            f"{path.with_suffix('.json')} is missing beside the weights"
            if beside
            else "there is no run of that name"
        )
        raise VarbookError(
            f"CycleVAR {name_or_path} cannot be loaded: {where} (known: {', '.join(runs()) or 'none'})."
        )
    record = read_json(record_file)
    if "cyclevar" not in record["settings"]:
        raise VarbookError(
            f"{name} is a {record['kind']}, not a CycleVAR: name a run that translates."
        )
    config = rebuild(CycleVARConfig, record["settings"]["cyclevar"])
    if record["kind"] == "published-cyclevar":  # its parents are no runs, but the published files
        cyclevar = published_cyclevar(config=config).to(pick_device())
    else:
        cyclevar = _from_runs(name, record["settings"]["model"], beside, config)
    _fill(cyclevar.model, record_file)
    source = "shipped" if record_file.parent == paths.shipped() / "records" else "found"
    return cyclevar.eval(), Run(name, record, source)


def _from_runs(name: str, model_key: str, beside: Path | None, config: CycleVARConfig) -> CycleVAR:
    """Return a CycleVAR as its parents' records describe it, with its tokenizer's weights, but not
    yet its own.
    """
    model_file = _parent(model_key, beside, name)
    above = read_json(model_file)["settings"]
    tokenizer_file = _parent(above["tokenizer"], beside, model_file.stem)
    tokenizer = Tokenizer(
        rebuild(TokenizerConfig, read_json(tokenizer_file)["settings"]["tokenizer"])
    )
    kind = TextNextScaleConfig if "words" in above["model"] else NextScaleConfig
    return CycleVAR(
        _fill(tokenizer, tokenizer_file), make_next_scale(rebuild(kind, above["model"])), config
    )


def runs() -> list[str]:
    """Return the names of all CycleVAR runs whose weights are on this machine."""
    records = (path for path in _records("*.json") if _weights(path).is_file())
    return sorted({path.stem for path in records if "cyclevar" in read_json(path)["settings"]})


def domains(run: Run) -> dict[str, int | str]:
    """Return what a run translates between: name -> class number, or prompt, first X, then Y. Empty
    where the kind of run is unknown.
    """
    return domains_of(run.record)


def side(cyclevar: CycleVAR) -> int:
    """Return the side in pixels of the square pictures that a model translates."""
    return cyclevar.schedule[-1][0] * cyclevar.tokenizer.stride
