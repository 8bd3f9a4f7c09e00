"""The script that fetches horse2zebra, against a small server of our own: resume, checksums,
refusals, nothing lost.
"""

import hashlib
import io
import json
import sys
import threading
import zipfile
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from PIL import Image

from varbook.paths import repository

sys.path.insert(0, str(repository() / "data_scripts"))
import common  # noqa: E402
import fetch_horse2zebra as fetch  # noqa: E402

COUNTS = (3, 2, 1, 1)


def small_zip(names=fetch.FOLDERS, counts=COUNTS, extra=()) -> bytes:
    jpeg, archive = io.BytesIO(), io.BytesIO()
    Image.effect_noise((64, 64), 60).save(jpeg, "PNG")
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_STORED) as file:
        for name, number in zip(names, counts, strict=True):
            for index in range(number):
                file.writestr(f"horse2zebra/{name}/{index}.png", jpeg.getvalue())
        for name in extra:
            file.writestr(name, b"?")
    return archive.getvalue()


class Home(BaseHTTPRequestHandler):
    """Serves server.content with Range support; cuts the first server.cuts answers off in the
    middle.
    """

    def log_message(self, *_):
        pass

    def do_GET(self):
        server, content = self.server, self.server.content
        server.asked.append(self.headers.get("Range"))
        if self.path != "/horse2zebra.zip":
            self.send_error(404)
            return
        start, status = 0, 200
        if (
            server.ranges
            and self.headers.get("Range")
            and self.headers.get("If-Range") == server.mark
        ):
            start, status = int(self.headers["Range"].removeprefix("bytes=").rstrip("-")), 206
        self.send_response(status)
        self.send_header("Content-Length", str(len(content) - start))
        if server.mark:
            self.send_header("ETag", server.mark)
        if status == 206:
            self.send_header("Content-Range", f"bytes {start}-{len(content) - 1}/{len(content)}")
        self.end_headers()
        body = content[start:]
        if server.cuts:
            server.cuts -= 1
            body = body[: len(body) // 2]
            self.close_connection = True
        self.wfile.write(body)


@pytest.fixture
def home():
    server = ThreadingHTTPServer(("127.0.0.1", 0), Home)
    server.content, server.asked, server.cuts, server.ranges, server.mark = (
        small_zip(),
        [],
        0,
        True,
        '"first"',
    )
    server.url = f"http://127.0.0.1:{server.server_port}/horse2zebra.zip"
    thread = threading.Thread(
        target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True
    )
    thread.start()
    yield server
    server.shutdown()
    server.server_close()


@pytest.fixture
def run(tmp_path, home, monkeypatch, capsys):
    """Runs the command into tmp_path/data/horse2zebra; returns (code, stdout, stderr)."""
    monkeypatch.setitem(fetch.VARIANTS, "cyclegan", fetch.Variant(home.url, COUNTS))
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)

    def go(*arguments):
        code = fetch.main(["--to", str(tmp_path / "data" / "horse2zebra"), *arguments])
        return code, *capsys.readouterr()

    return go


def test_download_unpack_and_lock(tmp_path, home, run):
    code, out, _ = run()
    place = tmp_path / "data" / "horse2zebra"
    assert code == 0 and "3 / 2 / 1 / 1" in out and fetch.count(place) == COUNTS
    lock = json.loads((tmp_path / "data" / "horse2zebra.lock.json").read_text())
    assert lock["sha256"] == hashlib.sha256(home.content).hexdigest() and lock["bytes"] == len(
        home.content
    )
    assert sorted(entry.name for entry in place.parent.iterdir()) == [
        "horse2zebra",
        "horse2zebra.lock.json",
    ]
    asked = len(home.asked)
    code, out, _ = run()
    assert code == 0 and "Nothing to do" in out and len(home.asked) == asked


def test_an_interrupted_download_goes_on_where_it_stopped(tmp_path, home, run):
    home.cuts = common.TRIES
    code, _, err = run()
    assert (
        code == 1
        and "run the same command again" in err
        and not (tmp_path / "data" / "horse2zebra").exists()
    )
    part = tmp_path / "data" / "horse2zebra.zip.part"
    have = part.stat().st_size
    assert 0 < have < len(home.content) and part.read_bytes() == home.content[:have]
    assert run()[0] == 0
    assert home.asked[-1] == f"bytes={have}-"


def test_a_short_interruption_is_not_noticed(home, run):
    home.cuts = 1
    assert run()[0] == 0 and len(home.asked) == 2


@pytest.mark.parametrize("change", ["new edition", "no ranges", "no mark"])
def test_a_file_that_cannot_go_on_starts_again(tmp_path, home, run, change):
    home.cuts = common.TRIES
    if change == "no mark":
        home.mark = ""
    assert run()[0] == 1
    if change == "new edition":
        home.content, home.mark = small_zip(extra=["horse2zebra/note.txt"]), '"second"'
    if change == "no ranges":
        home.ranges = False
    assert run()[0] == 0 and fetch.count(tmp_path / "data" / "horse2zebra") == COUNTS


def test_a_wrong_checksum_is_refused(tmp_path, home, run):
    code, _, err = run("--sha256", "0" * 64)
    assert code == 1 and "SHA-256" in err and not (tmp_path / "data" / "horse2zebra").exists()
    assert run("--sha256", hashlib.sha256(home.content).hexdigest())[0] == 0


def test_a_second_download_must_equal_the_first(tmp_path, home, run):
    assert run()[0] == 0
    (tmp_path / "data" / "horse2zebra").rename(tmp_path / "elsewhere")
    home.content = small_zip(extra=["horse2zebra/changed.txt"])
    code, _, err = run()
    assert code == 1 and "differs from the first download" in err


def test_wrong_counts_are_refused(tmp_path, home, run):
    home.content = small_zip(counts=(2, 2, 1, 1))
    code, _, err = run()
    assert code == 1 and "2 / 2 / 1 / 1" in err and not (tmp_path / "data" / "horse2zebra").exists()


def test_a_zip_that_reaches_outside_is_refused(tmp_path, home, run):
    for name in (
        "../escaped.txt",
        "/tmp/escaped.txt",
        "horse2zebra/../../escaped.txt",
        "C:\\escaped.txt",
    ):
        home.content = small_zip(extra=[name])
        code, _, err = run()
        assert code == 1 and "leads outside" in err
        (tmp_path / "data" / "horse2zebra.zip").unlink()
    assert not list(tmp_path.rglob("escaped.txt"))


def test_no_network_is_one_sentence(tmp_path, run, home):
    home.shutdown()
    home.server_close()
    code, _, err = run()
    assert (
        code == 1
        and "cannot be reached" in err
        and "--from" in err
        and len(err.strip().splitlines()) == 1
    )


def test_a_file_that_moved_is_one_sentence(run, home):
    code, _, err = run("--url", home.url.replace("horse2zebra.zip", "gone.zip"))
    assert code == 1 and "404" in err


def test_an_existing_zip_or_folder_does_as_well(tmp_path, home, run):
    (tmp_path / "mine.zip").write_bytes(
        small_zip(names=("train_A", "train_B", "test_A", "test_B"), counts=(1, 1, 1, 1))
    )
    code, out, _ = run("--from", str(tmp_path / "mine.zip"))
    place = tmp_path / "data" / "horse2zebra"
    assert code == 0 and fetch.count(place) == (1, 1, 1, 1) and home.asked == []
    code, _, _ = run("--from", str(place), "--to", str(tmp_path / "copy"))
    assert code == 0 and fetch.count(tmp_path / "copy") == fetch.count(place) == (1, 1, 1, 1)


@pytest.mark.parametrize("kind", ["missing", "text", "empty folder", "damaged zip"])
def test_a_source_that_is_none_is_refused(tmp_path, run, kind):
    source = tmp_path / "source"
    if kind == "text":
        source.write_text("hello")
    if kind == "empty folder":
        source.mkdir()
    if kind == "damaged zip":
        content = bytearray(small_zip())
        content[200:260] = bytes(60)
        source.write_bytes(content)
    code, _, err = run("--from", str(source))
    assert (
        code == 1
        and len(err.strip().splitlines()) == 1
        and not (tmp_path / "data" / "horse2zebra").exists()
    )


def test_what_is_there_is_never_overwritten(tmp_path, run):
    place = tmp_path / "data" / "horse2zebra"
    (place / "trainA").mkdir(parents=True)
    (place / "trainA" / "mine.jpg").write_text("precious")
    code, _, err = run()
    assert (
        code == 1
        and "move it away" in err
        and (place / "trainA" / "mine.jpg").read_text() == "precious"
    )


def test_a_dry_run_does_nothing(tmp_path, home, run):
    code, out, _ = run("--dry-run")
    assert (
        code == 0 and "would fetch" in out and home.asked == [] and list(tmp_path.iterdir()) == []
    )
