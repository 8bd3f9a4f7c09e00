"""What the page that translates in the browser is made of: onnxruntime-web, and the translator.

All of it becomes scripts, packed as text: a page that was opened from the disk may load scripts
that lie beside it, but may not fetch files.
"""

import base64
import gzip
import hashlib
import json
import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Sequence
from pathlib import Path

from varbook.files import write_atomically
from varbook.paths import repository

RUNTIME = "onnxruntime-web"
VERSION = "1.30.0"
# Of the package's archive, as the npm registry has it.
SHA512 = (
    "ab4cbe26baedba45d2cec05610c71c55fa97db92d19a8b171c5f8269126683ca"
    "590a5cdc57bb2f35ce2b298de32f4d956fb42644c0ecd528a0a91e025c07ca61"
)
SCRIPT = "dist/ort.wasm.min.js"
LOADER = "dist/ort-wasm-simd-threaded.mjs"
PROGRAM = "dist/ort-wasm-simd-threaded.wasm"


def _sound(archive: Path) -> bool:
    return archive.is_file() and hashlib.sha512(archive.read_bytes()).hexdigest() == SHA512


def runtime_archive(folder: Path) -> Path | str:
    """Return the archive of onnxruntime-web in `folder`, fetched where it is not there; a clause
    that says what is missing where that cannot be.
    """
    archive = folder / f"{RUNTIME}-{VERSION}.tgz"
    if _sound(archive):
        return archive
    if shutil.which("npm") is None:
        return f"{RUNTIME} {VERSION} is fetched with npm, which is not installed"
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder) as scratch:
        call = ["npm", "pack", "--silent", f"{RUNTIME}@{VERSION}", "--pack-destination", scratch]
        try:
            subprocess.run(call, capture_output=True, check=True, timeout=100)
        except (OSError, subprocess.SubprocessError):
            return f"{RUNTIME} {VERSION} could not be fetched with npm"
        fetched = Path(scratch) / archive.name
        if not _sound(fetched):
            return f"{RUNTIME} {VERSION} came with another checksum than it is known by"
        fetched.replace(archive)
    return archive


def translator_parts(folder: Path, python: str | None) -> str | None:
    """Have `python`, of an environment with torch, write the translator's parts into `folder`;
    return None, or a clause that says why there are none.
    """
    if python is None or shutil.which(python) is None:
        return "the model is exported with torch, which `make setup` installs"
    call = [python, "-m", "varbook.book.site.translator_parts", str(folder)]
    paths = {"PYTHONPATH": str(repository()), "OMP_NUM_THREADS": "1"}
    done = subprocess.run(call, env=os.environ | paths, capture_output=True, text=True, check=False)
    if done.returncode == 0:
        return None
    last = (done.stderr.strip().splitlines() or ["it ended without a word"])[-1]
    return f"the model could not be exported ({last})"


def _packed(content: bytes) -> str:
    return base64.b64encode(gzip.compress(content, 6, mtime=0)).decode()


def _script(name: str, value: object) -> str:
    """Return a script that hands a value to the page: see docs/book/static/translator.js."""
    return f"translator.receive({json.dumps(name)}, {json.dumps(value)});\n"


def translator_block(missing: Sequence[str]) -> str:
    """Return what stands in the page: the place that the scripts fill, or what is missing."""
    if missing:
        told = "; ".join(missing)
        return (
            ":::{note}\n"
            f"This copy of the book cannot translate: {told}. Once it is there, "
            "`make book` makes the page again.\n"
            ":::\n"
        )
    return """```{raw} html
<div id="translator" class="in-browser" data-parts="translator">
<noscript>This page needs JavaScript: the model runs in your browser.</noscript>
</div>
<script src="../_static/translator.js"></script>
<script src="translator/about.js"></script>
<script src="../_static/translator-page.js"></script>
```
"""


def write_translator(folder: Path, python: str | None, cache: Path) -> list[str]:
    """Write the scripts of the page into `folder`; return what is missing, as clauses: then
    nothing is written.

    `cache` keeps what was fetched. A page without them says what is missing.
    """
    archive = runtime_archive(cache)
    missing = [archive] if isinstance(archive, str) else []
    with tempfile.TemporaryDirectory() as scratch:
        parts = Path(scratch)
        refused = translator_parts(parts, python)
        if refused:
            missing.append(refused)
        if missing or isinstance(archive, str):
            return missing
        about = json.loads((parts / "about.json").read_text(encoding="utf-8"))
        model = _packed((parts / "model.onnx").read_bytes())
    scripts = {"model.js": _script("model", model)}
    with tarfile.open(archive) as files:

        def read(name: str) -> bytes:
            member = files.extractfile(f"package/{name}")
            assert member is not None
            return member.read()

        scripts["onnxruntime.js"] = read(SCRIPT).decode()
        runtime = {"loader": _packed(read(LOADER)), "program": _packed(read(PROGRAM))}
    scripts["runtime.js"] = _script("runtime", runtime)
    about["megabytes"] = round(sum(map(len, scripts.values())) / 1e6)
    scripts["about.js"] = _script("about", about)
    for name, script in scripts.items():
        write_atomically(folder / name, script)
    return []


def usual_python() -> str:
    """Return the Python of `make setup`: HERE_VENV, as the Makefile names its environment."""
    return str(Path(os.environ.get("HERE_VENV", repository() / ".venv")) / "bin" / "python")


def cache() -> Path:
    """Return where what was fetched is kept: in the environment that makes the book."""
    return Path(sys.prefix) / "browser"
