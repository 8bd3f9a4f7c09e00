"""Downloads that resume where they were cut off, wait where a server asks for it, and end.

Needs nothing but Python.
"""

import email.utils
import http.client
import json
import re
import shutil
import sys
import time
import urllib.error
import urllib.request
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import urlsplit

from common import CHUNK, Problem

TRIES = 5  # in a row that bring nothing
BUSY = (408, 425, 429, 500, 502, 503, 504)  # answers that ask to come again
LONGEST_PAUSE = 600  # seconds that are waited where a server asks for it
TIMEOUT = 30  # seconds without a byte
SLOWEST = 1000  # bytes a second, as a mean over WINDOW seconds of trying
WINDOW = 300
MOST = 200 << 30  # bytes; the largest archive that these scripts fetch has 46 GB


class _Again(Exception):
    """This try ended early; the next one may bring more. Holds the seconds to wait, if asked for."""

    def __init__(self, reason: str, pause: float | None = None):
        super().__init__(reason)
        self.pause = pause


class _Pace:
    """How many bytes came in the last WINDOW seconds; Problem where that is next to nothing."""

    def __init__(self, host: str):
        self.host, self.begun, self.bytes = host, time.monotonic(), 0

    def count(self, more: int) -> None:
        self.bytes += more
        passed = time.monotonic() - self.begun
        if passed > WINDOW:
            if self.bytes < SLOWEST * passed:
                raise Problem(
                    f"{self.host} sends less than {SLOWEST} bytes a second: run the same command again later, "
                    "and it resumes from there."
                )
            self.begun, self.bytes = time.monotonic(), 0

    def rest(self, seconds: float) -> None:
        """Wait; that is not held against the server."""
        time.sleep(seconds)
        self.begun += seconds


def _opener() -> urllib.request.OpenerDirector:
    # http and https alone: an address, or where it leads to, may not name a file of this machine.
    opener = urllib.request.OpenerDirector()
    for handler in (
        urllib.request.ProxyHandler(),
        urllib.request.HTTPHandler(),
        urllib.request.HTTPSHandler(),
        urllib.request.HTTPDefaultErrorHandler(),
        urllib.request.HTTPRedirectHandler(),
        urllib.request.HTTPErrorProcessor(),
        urllib.request.UnknownHandler(),
    ):
        opener.add_handler(handler)
    return opener


def check_address(url: str) -> str:
    """Return `url` where it is one that can be fetched; Problem where not."""
    try:
        parts = urlsplit(url)
        good = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        good = False
    if not good or not url.isascii() or re.search(r"\s", url):
        raise Problem(f"{url!r} is not an address that can be fetched: write https://HOST/FILE.")
    return url


def download(url: str, part: Path, most: int = MOST) -> None:
    """Download `url` into the file `part`, at most `most` bytes, resuming an earlier attempt.

    What was cut off resumes from the last byte; a busy server is asked again, after the time that
    it names. Raises Problem after TRIES in a row that brought nothing, for a server that sends next
    to nothing, and before the disk is full.
    """
    host = urlsplit(check_address(url)).netloc
    pace, failed, reason, best = _Pace(host), 0, "", _size(part)
    while failed < TRIES:
        try:
            if _go_on(url, part, most, pace):
                return
            reason = "it was cut off"
        except _Again as again:
            reason = str(again)
            pause = again.pause
        else:
            pause = None
        failed = 0 if _size(part) > best else failed + 1
        best = max(best, _size(part))  # a server that always begins anew does not get further
        if pause is None:
            pause = 0 if failed == 0 else 2.0 ** (failed - 1)
        if pause > LONGEST_PAUSE:
            raise Problem(
                f"{host} asks to wait {pause / 60:.0f} minutes: run the same command then."
            )
        if failed < TRIES:
            pace.rest(pause)
    raise Problem(
        f"The download stopped after {_size(part) / 1e6:.1f} MB ({reason}): check the network and run the same command "
        "again, it resumes from there; or use --from with a copy that you have."
    )


def _go_on(url: str, part: Path, most: int, pace: _Pace) -> bool:
    """Ask for what is missing and append it; say whether the file is complete now."""
    have, facts = _state(part, url)
    if have and have == facts.get("bytes"):
        return True
    headers = {"User-Agent": "varbook"}
    if have:
        headers["Range"] = f"bytes={have}-"
        # A server whose file has changed in the meantime then sends all of it, not the rest of
        # another file.
        headers["If-Range"] = facts["mark"]
    with _asked(url, headers, part) as answer:
        have, total = _extent(answer, have, facts, part)
        _check_room(url, part, have, total, most)
        mark = answer.headers.get("ETag") or answer.headers.get("Last-Modified") or ""
        _facts(part).write_text(json.dumps({"url": url, "bytes": total, "mark": mark}))
        with part.open("ab" if have else "wb") as file:
            while piece := _read(answer):
                file.write(piece)
                have += len(piece)
                pace.count(len(piece))
                if have > most:
                    raise Problem(f"{url} sends more than {most / 1e9:.1f} GB: it is another file.")
                _tell(have, total)
    return total is None or have == total


def _asked(url: str, headers: dict[str, str], part: Path):
    try:
        request = urllib.request.Request(url, headers=headers)  # noqa: S310 (`check_address` was asked)
        return _opener().open(request, timeout=TIMEOUT)
    except urllib.error.HTTPError as error:
        if error.code == 416:
            # The server has nothing after what we have, and we know of no end: what we have belongs
            # to another file.
            forget(part)
            raise _Again("the file there has changed") from error
        if error.code in BUSY:
            asked = _pause(error.headers.get("Retry-After"))
            raise _Again(f"{error.code} {error.reason}", asked) from error
        raise Problem(
            f"{url} answers {error.code} {error.reason}: the file may have moved; get a copy and use --from."
        ) from error
    except urllib.error.URLError as error:
        raise _Again(f"{urlsplit(url).netloc} cannot be reached: {error.reason}") from error
    except (http.client.HTTPException, OSError) as error:
        raise _Again(f"no answer: {error or type(error).__name__}") from error
    except ValueError as error:  # it redirects to what is not an address
        raise Problem(
            f"{url} redirects to an address that is not valid: get a copy and use --from."
        ) from error


def _extent(answer, have: int, facts: dict, part: Path) -> tuple[int, int | None]:
    """Return (bytes that stay, bytes of the whole file or None) as the answer says.

    Where it is not the part that was asked for, nothing of it is taken.
    """
    if answer.status == 200:
        return 0, _number(answer.headers.get("Content-Length"))
    found = re.fullmatch(
        r"bytes (\d+)-(\d+)/(\d+)", answer.headers.get("Content-Range", "").strip()
    )
    if answer.status == 206 and found:
        first, last, total = map(int, found.groups())
        if first == have and last + 1 == total and facts.get("bytes") in (None, total):
            return have, total
    forget(part)
    raise _Again(f"the server sent another part than was asked for ({answer.status})")


def _check_room(url: str, part: Path, have: int, total: int | None, most: int) -> None:
    if total is None:
        return
    if total > most:
        raise Problem(
            f"{url} has {total / 1e9:.1f} GB, more than {most / 1e9:.1f}: it is another file."
        )
    free = shutil.disk_usage(part.parent).free
    if total - have > free:
        raise Problem(
            f"{part.parent} has room for {free / 1e9:.1f} GB, and {(total - have) / 1e9:.1f} are still to come: make room, "
            "or name another place with --to."
        )


def _read(answer) -> bytes:
    """Return what has come, as soon as something has; nothing at the end."""
    try:
        return answer.read1(CHUNK)
    except (http.client.HTTPException, OSError, ValueError) as error:
        raise _Again(f"it was cut off: {error or type(error).__name__}") from error


def _pause(text: str | None) -> float | None:
    """Return the seconds that Retry-After asks for, a number or a date; None where it says neither."""
    if (seconds := _number(text)) is not None:
        return float(seconds)
    try:
        until = email.utils.parsedate_to_datetime(text or "")
    except ValueError:
        return None
    until = until if until.tzinfo else until.replace(tzinfo=UTC)
    return max(0.0, (until - datetime.now(UTC)).total_seconds())


def _number(text: str | None) -> int | None:
    return int(text) if text and text.isascii() and text.isdigit() else None


def _size(part: Path) -> int:
    return part.stat().st_size if part.exists() else 0


def _state(part: Path, url: str) -> tuple[int, dict]:
    """Return (bytes that may be kept, what is known about the file).

    Nothing is kept that the server cannot confirm.
    """
    try:
        facts = json.loads(_facts(part).read_text())
        if facts["url"] == url and facts["mark"] and not facts["mark"].startswith("W/"):
            return _size(part), facts
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
        pass
    return 0, {}


def _facts(part: Path) -> Path:
    return part.with_name(part.name + ".json")


def forget(part: Path) -> None:
    """Delete a part and what is known about it."""
    part.unlink(missing_ok=True)
    _facts(part).unlink(missing_ok=True)


def _tell(have: int, total: int | None) -> None:
    if sys.stderr.isatty():
        share = (
            f"{100 * have / total:5.1f} % of {total / 1e6:.0f} MB"
            if total
            else f"{have / 1e6:.0f} MB"
        )
        print(f"\r{share}", end="", file=sys.stderr, flush=True)
