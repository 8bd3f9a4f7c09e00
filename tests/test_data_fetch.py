"""The script that fetches horse2zebra, against a small server of our own: resume, checksums,
refusals, nothing lost.
"""

import email.utils
import hashlib
import io
import itertools
import json
import shutil
import stat
import sys
import threading
import zipfile
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import numpy as np
import pytest
from PIL import Image

from varbook import archives
from varbook.paths import repository

sys.path.insert(0, str(repository() / "data_scripts"))
import downloads  # noqa: E402
import fetch_horse2zebra as fetch  # noqa: E402
from common import Problem  # noqa: E402

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
    """Serves server.content with Range support.

    The first server.cuts answers are cut off in the middle, and each is followed by as many 503 as
    server.refuses_after_cut says; the first of server.codes are answered by (code, headers)
    instead; server.forge may change the headers of what is sent.
    """

    def log_message(self, *_):
        pass

    def do_GET(self):
        server, content = self.server, self.server.content
        server.asked.append(self.headers.get("Range"))
        if self.path != "/horse2zebra.zip":
            self.send_error(404)
            return
        if server.codes:
            code, headers = server.codes.pop(0)
            self.send_response(code)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        start, status = 0, 200
        if (
            server.ranges
            and self.headers.get("Range")
            and self.headers.get("If-Range") == server.mark
        ):
            start, status = int(self.headers["Range"].removeprefix("bytes=").rstrip("-")), 206
        headers = {"Content-Length": str(len(content) - start), "ETag": server.mark}
        if status == 206:
            headers["Content-Range"] = f"bytes {start}-{len(content) - 1}/{len(content)}"
        self.send_response(status)
        for name, value in (headers | server.forge).items():
            if value:
                self.send_header(name, value)
        self.end_headers()
        body = content[start:]
        if server.cuts:
            server.cuts -= 1
            body = body[: int(len(body) * server.share)]
            self.close_connection = True
            # Before the half is sent: the next request may come as soon as it has arrived.
            server.codes.extend([(503, {})] * server.refuses_after_cut)
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
    server.codes, server.forge, server.share, server.refuses_after_cut = [], {}, 0.5, 0
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
    home.slept = []
    monkeypatch.setattr(downloads.time, "sleep", home.slept.append)
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


def stop_in_the_middle(home, run):
    """Let half of the file come, then nothing more until the command gives up."""
    home.cuts, home.refuses_after_cut = 1, downloads.TRIES
    code, _, err = run()
    home.codes.clear()
    assert code == 1
    return err


def test_an_interrupted_download_goes_on_where_it_stopped(tmp_path, home, run):
    err = stop_in_the_middle(home, run)
    assert "run the same command again" in err and not (tmp_path / "data" / "horse2zebra").exists()
    part = tmp_path / "data" / "horse2zebra.zip.part"
    have = part.stat().st_size
    assert 0 < have < len(home.content) and part.read_bytes() == home.content[:have]
    assert run()[0] == 0
    assert home.asked[-1] == f"bytes={have}-"


def test_a_short_interruption_is_not_noticed(home, run):
    home.cuts = 1
    assert run()[0] == 0 and len(home.asked) == 2


def test_every_byte_that_came_is_kept_however_often_it_is_cut_off(home, run):
    home.cuts, home.share = 10 * downloads.TRIES, 0.05
    assert run()[0] == 0
    starts = [int(one.removeprefix("bytes=").rstrip("-")) for one in home.asked[1:]]
    assert len(starts) == home.cuts + 10 * downloads.TRIES and starts == sorted(set(starts))


@pytest.mark.parametrize("code", [429, 500, 503])
def test_a_busy_server_is_asked_again_after_the_time_that_it_names(home, run, code):
    home.codes += [(code, {"Retry-After": "7"}), (code, {})]
    assert run()[0] == 0 and home.slept == [7, 2] and len(home.asked) == 3


def test_a_time_to_come_again_may_be_a_date_and_may_be_too_far(home, run):
    later = email.utils.format_datetime(datetime.now(UTC) + timedelta(seconds=90))
    home.codes.append((503, {"Retry-After": later}))
    assert run("--dry-run")[0] == 0 and run()[0] == 0 and 80 < home.slept[0] <= 90


def test_a_server_that_asks_for_hours_is_told(home, run):
    home.codes.append((429, {"Retry-After": "7200"}))
    code, _, err = run()
    assert code == 1 and "asks to wait 120 minutes" in err and not home.slept


@pytest.mark.parametrize(
    "forged",
    [
        {"Content-Range": "bytes 0-9/10"},
        {"Content-Range": "bytes 5-9/*"},
        {"Content-Range": "nonsense"},
        {"Content-Range": ""},
    ],
)
def test_a_part_that_was_not_asked_for_is_never_taken(tmp_path, home, run, forged):
    stop_in_the_middle(home, run)
    home.forge = forged
    asked = len(home.asked)
    assert run()[0] == 0 and fetch.count(tmp_path / "data" / "horse2zebra") == COUNTS
    assert [bool(one) for one in home.asked[asked:]] == [True, False]  # then from the beginning


def test_a_length_that_is_no_number_is_as_none(home, run):
    home.forge = {"Content-Length": "lots"}
    home.protocol = "HTTP/1.0"
    assert run()[0] == 0


def test_a_file_of_another_size_or_beyond_the_disk_is_told_before(tmp_path, home, run, monkeypatch):
    monkeypatch.setattr(fetch, "MOST", 1000)
    code, _, err = run()
    assert code == 1 and "it is another file" in err
    monkeypatch.setattr(fetch, "MOST", 1 << 30)
    full = shutil.disk_usage(tmp_path)._replace(free=1000)
    monkeypatch.setattr(downloads.shutil, "disk_usage", lambda _: full)
    code, _, err = run()
    assert code == 1 and "make room" in err and not list((tmp_path / "data").glob("*.part"))


def test_a_server_that_sends_next_to_nothing_is_left(home, run, monkeypatch):
    clock = itertools.count(step=downloads.WINDOW + 1)
    monkeypatch.setattr(downloads.time, "monotonic", lambda: next(clock))
    monkeypatch.setattr(downloads, "SLOWEST", 10**9)
    code, _, err = run()
    assert code == 1 and "bytes a second" in err


@pytest.mark.parametrize(
    "address",
    ["foo", "file:///etc/passwd", "ftp://host/x.zip", "http://", "http://a b/c", "http://[x/"],
)
def test_an_address_is_of_the_web_or_refused(run, home, address):
    code, _, err = run("--url", address)
    assert code == 1 and "not an address that can be fetched" in err and home.asked == []


@pytest.mark.parametrize("where", ["file:///etc/passwd", "http://[x/", "ftp://127.0.0.1:1/x"])
def test_nothing_is_fetched_from_where_an_answer_should_not_lead(home, run, where):
    home.codes += [(302, {"Location": where})] * downloads.TRIES
    code, _, err = run()
    assert code == 1 and len(err.strip().splitlines()) == 1


@pytest.mark.parametrize("change", ["new edition", "no ranges", "no mark"])
def test_a_file_that_cannot_go_on_starts_again(tmp_path, home, run, change):
    if change == "no mark":
        home.mark = ""
    stop_in_the_middle(home, run)
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


def test_two_members_that_would_be_one_file_are_told(tmp_path, home, run):
    for extra in (["horse2zebra/trainA/0.PNG"], ["a/\u00e9.png", "a/e\u0301.png"]):
        home.content = small_zip(extra=extra)
        code, _, err = run()
        assert code == 1 and "twice" in err and not (tmp_path / "data" / "horse2zebra").exists()
        (tmp_path / "data" / "horse2zebra.zip").unlink()


def test_a_link_in_a_zip_is_refused(tmp_path, home, run):
    link = zipfile.ZipInfo("horse2zebra/trainA/link.png")
    link.external_attr = (stat.S_IFLNK | 0o777) << 16
    content = io.BytesIO(small_zip())
    with zipfile.ZipFile(content, "a") as archive:
        archive.writestr(link, "/etc/passwd")
    home.content = content.getvalue()
    code, _, err = run()
    assert code == 1 and "leads outside" in err


def test_a_zip_that_swells_is_refused_before_it_is_unpacked(tmp_path, home, run, monkeypatch):
    monkeypatch.setattr(archives, "ROOM", 1 << 20)
    content = io.BytesIO(small_zip())
    with zipfile.ZipFile(content, "a", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("horse2zebra/zeros.bin", bytes(4 << 20))
    home.content = content.getvalue()
    code, _, err = run()
    assert code == 1 and "unpacks to" in err


@pytest.mark.parametrize(
    "method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA]
)
def test_a_flipped_byte_of_a_zip_is_told_whatever_packed_it(tmp_path, method):
    random = np.random.default_rng(0)
    wanted = random.integers(0, 64, 4000, dtype=np.uint8).tobytes()
    with zipfile.ZipFile(tmp_path / "whole.zip", "w", method) as archive:
        archive.writestr("a.bin", wanted)
    content, told = (tmp_path / "whole.zip").read_bytes(), 0
    for place in range(40, len(content) - 120, 97):
        damaged = bytearray(content)
        damaged[place] ^= 1 << int(random.integers(8))
        (tmp_path / "x.zip").write_bytes(damaged)
        try:
            archives.unpack(tmp_path / "x.zip", tmp_path / str(place))
            # A packer may leave bits that mean nothing.
            assert (tmp_path / str(place) / "a.bin").read_bytes() == wanted
        except Problem as problem:
            assert "damaged" in str(problem)
            told += 1
    assert told > 25


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
