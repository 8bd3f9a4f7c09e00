"""The page that translates in the browser: what it is made of, and what it says where that is
missing.
"""

import base64
import gzip
import hashlib
import json
import shutil
import subprocess
import sys

import pytest
import torch

from varbook.book.site import in_browser
from varbook.data.images import to_float, to_uint8
from varbook.paths import repository

SCRIPT = repository() / "docs" / "book" / "static" / "translator.js"
needs_node = pytest.mark.skipif(shutil.which("node") is None, reason="node is not installed")


@pytest.fixture
def npm(monkeypatch, tmp_path):
    """Stands for npm: fetches an archive that holds `content`, and counts how often."""
    calls = []

    def run(call, **_):
        calls.append(call)
        folder = call[call.index("--pack-destination") + 1]
        name = f"{in_browser.RUNTIME}-{in_browser.VERSION}.tgz"
        (tmp_path / folder / name).write_bytes(b"an archive")

    monkeypatch.setattr("shutil.which", lambda name: f"/bin/{name}")
    monkeypatch.setattr("subprocess.run", run)
    monkeypatch.setattr(in_browser, "SHA512", hashlib.sha512(b"an archive").hexdigest())
    return calls


def test_the_runtime_is_fetched_once_in_the_version_that_is_named(npm, tmp_path):
    folder = tmp_path / "cache"
    archive = in_browser.runtime_archive(folder)
    assert archive.read_bytes() == b"an archive" and list(folder.iterdir()) == [archive]
    assert in_browser.runtime_archive(folder) == archive
    assert len(npm) == 1 and f"onnxruntime-web@{in_browser.VERSION}" in npm[0]


def test_a_runtime_with_another_checksum_is_not_taken(npm, monkeypatch, tmp_path):
    monkeypatch.setattr(in_browser, "SHA512", "0" * 128)
    assert "another checksum" in in_browser.runtime_archive(tmp_path)
    assert not list(tmp_path.glob("*.tgz"))


def test_a_damaged_runtime_is_fetched_again(npm, tmp_path):
    archive = in_browser.runtime_archive(tmp_path)
    archive.write_bytes(b"damaged")
    assert in_browser.runtime_archive(tmp_path).read_bytes() == b"an archive"
    assert len(npm) == 2


@pytest.mark.parametrize("refusal", [OSError, subprocess.CalledProcessError(1, "npm")])
def test_without_the_network_the_book_is_made_and_says_what_is_missing(
    npm, monkeypatch, tmp_path, refusal
):
    def run(*_, **__):
        raise refusal

    monkeypatch.setattr("subprocess.run", run)
    missing = in_browser.write_translator(tmp_path / "out", None, tmp_path / "cache")
    assert "could not be fetched" in missing[0] and "`make setup` installs" in missing[1]
    assert not (tmp_path / "out").exists()


def test_without_npm_it_is_said(monkeypatch, tmp_path):
    monkeypatch.setattr("shutil.which", lambda name: None)
    assert "npm, which is not installed" in in_browser.runtime_archive(tmp_path)


def test_an_export_that_fails_is_told_with_its_reason(tmp_path):
    python = tmp_path / "python"
    python.write_text("#!/bin/sh\necho varbook: no model >&2\nexit 2\n")
    python.chmod(0o755)
    assert "(varbook: no model)" in in_browser.translator_parts(tmp_path, str(python))


def test_the_page_says_what_is_missing_and_loads_no_script_then():
    block = in_browser.translator_block(["npm is not installed", "no model"])
    assert "npm is not installed; no model" in block and "<script" not in block
    assert "<script" in in_browser.translator_block([])


def test_the_site_s_page_stands_without_torch():
    code = "import sys, varbook.book.site.in_browser; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def node(script: str, told: object) -> object:
    """What a script, which has the translator and `told`, prints as JSON."""
    start = (
        f"const translator = require({json.dumps(str(SCRIPT))});"
        "const told = JSON.parse(require('fs').readFileSync(0));"
    )
    asked = json.dumps(told).encode()
    done = subprocess.run(
        ["node", "-e", start + script], input=asked, capture_output=True, check=True
    )
    return json.loads(done.stdout)


@needs_node
def test_a_picture_becomes_the_tensor_that_torch_makes_of_it():
    dice = torch.Generator().manual_seed(3)
    picture = torch.randint(0, 256, (3, 4, 4), dtype=torch.uint8, generator=dice)
    opaque = torch.cat([picture, torch.full((1, 4, 4), 255, dtype=torch.uint8)])
    pixels = opaque.permute(1, 2, 0).flatten().tolist()
    script = "console.log(JSON.stringify([...translator.toTensor(told)]))"
    made = torch.tensor(node(script, pixels)).view(3, 4, 4)
    torch.testing.assert_close(made, to_float(picture), rtol=0, atol=1e-6)


@needs_node
def test_a_translation_becomes_the_pixels_that_torch_makes_of_it():
    values = torch.linspace(-1.2, 1.2, 3 * 64 + 3).view(3, 65, 1)
    script = "console.log(JSON.stringify([...translator.toPixels(told)]))"
    made = torch.tensor(node(script, values.flatten().tolist()), dtype=torch.uint8).view(65, 4)
    assert torch.equal(made[:, :3].T, to_uint8(values)[..., 0])
    assert made[:, 3].eq(255).all()


@needs_node
def test_what_the_book_packs_the_page_unpacks():
    packed = in_browser._packed(bytes(range(256)) * 9)
    assert gzip.decompress(base64.b64decode(packed)) == bytes(range(256)) * 9
    script = "translator.unpacked(told).then((one) => console.log(JSON.stringify([...one])))"
    assert bytes(node(script, packed)) == bytes(range(256)) * 9
