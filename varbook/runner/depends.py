"""What a notebook's results depend on, so that a change makes exactly the notebooks run again that
it can reach.

    the notebook -> the definitions that its cells reach (`symbols`)
                     -> files of the package that those modules name (the style of plots)
                 -> the models and records that come with the book, of the profile at hand
                 -> the pinned versions

Everything is known by its content: a file that was only touched, or cloned anew, is the same file.
"""

import ast
import hashlib
import json
from collections.abc import Iterable
from pathlib import Path

from varbook import paths
from varbook.files import peek_json
from varbook.runner.symbols import PACKAGE, Package, reached

PINS = "requirements.txt"
# One profile's sizes do not reach a run of another one.
PROFILES = "varbook.book.models.profiles"


def code_of(notebook: Path) -> str:
    """Return the code of a notebook's cells as one text; what is not Python (a magic) is left out."""
    parts = []
    for cell in peek_json(notebook).get("cells", []):
        text = "".join(cell.get("source", []))
        if cell.get("cell_type") == "code":
            try:
                ast.parse(text)
            except SyntaxError:
                continue
            parts.append(text)
    return "\n".join(parts)


class Dependencies:
    """What notebooks of a checkout depend on; the checkout is read once."""

    def __init__(self, root: Path | None = None):
        self.root = root or paths.repository()
        self.package = Package(self.root)
        self._digests: dict[Path, str] = {}
        self._profiles: dict[Path, str] = {}

    def shipped(self, profile: str) -> list[Path]:
        """Return the records that come with the book for a profile, and the weights beside them."""
        shipped = self.root / PACKAGE / "shipped"
        if not self._profiles:
            for record in (shipped / "records").glob("*.json"):
                self._profiles[record] = str(peek_json(record).get("profile"))
        found = sorted(record for record, name in self._profiles.items() if name == profile)
        weights = [shipped / "checkpoints" / f"{record.stem}.safetensors" for record in found]
        return [*found, *(file for file in weights if file.is_file())]

    def symbols(self, notebook: Path, profile: str) -> dict[str, str]:
        """Return "module:definition" -> source, of all that a notebook's code reaches in a profile."""
        found = {}
        for module, name in reached(code_of(notebook), self.package):
            if module.startswith(f"{PROFILES}.") and module.split(".")[-1] not in (
                "fields",
                profile,
            ):
                continue
            found[f"{module}:{name}"] = self.package.module(module).sources.get(name, "")
        return found

    def files(self, symbols: Iterable[str]) -> list[Path]:
        """Return the files of the package that are not code, and that a reached module names (the
        style of plots).
        """
        found = set()
        for name in {symbol.partition(":")[0] for symbol in symbols}:
            module = self.package.module(name)
            text = "".join(module.sources.values())
            found |= {
                other
                for other in module.file.parent.iterdir()
                if other.is_file() and other.suffix not in (".py", ".pyc") and other.name in text
            }
        return sorted(found)

    def parts(self, notebook: Path, profile: str) -> dict[str, str]:
        """Return name -> digest of every part on which a notebook's results in a profile depend,
        but the notebook itself: definitions, files, pins.
        """
        symbols = self.symbols(notebook, profile)
        parts = {name: _short(source.encode()) for name, source in symbols.items()}
        for file in [*self.files(symbols), *self.shipped(profile), self.root / PINS]:
            if file not in self._digests:
                self._digests[file] = _short(file.read_bytes()) if file.is_file() else ""
            parts[file.relative_to(self.root).as_posix()] = self._digests[file]
        return parts

    def fingerprint(self, notebook: Path, profile: str) -> str:
        """Return the hash of all that a notebook's results in a profile depend on, but the notebook."""
        return _short(json.dumps(self.parts(notebook, profile), sort_keys=True).encode())


def _short(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()[:16]
