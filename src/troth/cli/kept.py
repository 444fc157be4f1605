"""What the command line keeps of a sign-in: tokens and the private key that they need, in one file that is ours alone.

The file is `troth/sessions.json` below XDG_CONFIG_HOME (else ~/.config), mode 0600 in a folder of mode 0700, one entry
for each server. Whoever can read it can act as its owner until the session ends; a used refresh token that comes once
more ends it at once.
"""

from __future__ import annotations

import fcntl
import json
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from troth.kernel.errors import Unavailable

_PRIVATE_FILE, _PRIVATE_FOLDER = 0o600, 0o700
_OTHERS = stat.S_IRWXG | stat.S_IRWXO
_LARGEST = 1 << 20  # bytes


@dataclass(frozen=True, slots=True)
class Kept:
    """One sign-in. `key` is a P-256 private key (PEM); `turned_at` (epoch seconds): when the tokens were last renewed.

    `refresh` is None for a session that a password opened: it has no successor.
    """

    token: str = field(repr=False)
    key: str = field(repr=False)
    turned_at: int
    refresh: str | None = field(repr=False, default=None)


def place() -> Path:
    """The file."""
    home = os.environ.get("XDG_CONFIG_HOME")
    return (Path(home) if home else Path.home() / ".config") / "troth" / "sessions.json"


def load(url: str) -> Kept | None:
    """What is kept for a server. Raises `Unavailable` (`kept-not-private`, `kept-broken`)."""
    entry = _read().get(url.rstrip("/"))
    try:
        return Kept(**entry) if entry is not None else None
    except TypeError as error:
        raise _broken() from error


def keep(url: str, kept: Kept | None) -> None:
    """Keep it in the place of what there was for this server; None forgets. Durable when this returns."""
    entries = _read()
    entries.pop(url.rstrip("/"), None)
    if kept is not None:
        entries[url.rstrip("/")] = asdict(kept)
    _write(json.dumps(entries, indent=1).encode())


@contextmanager
def locked() -> Iterator[None]:
    """One process at a time: two that used the same refresh token would end the session."""
    with os.fdopen(os.open(_folder() / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, _PRIVATE_FILE), "r") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _folder() -> Path:
    folder = place().parent
    folder.mkdir(parents=True, exist_ok=True, mode=_PRIVATE_FOLDER)
    return folder


def _read() -> dict[str, Any]:
    try:
        with os.fdopen(os.open(place(), os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC), "rb") as file:
            state = os.fstat(file.fileno())
            content = file.read(_LARGEST)
    except FileNotFoundError:
        return {}
    if state.st_mode & _OTHERS or state.st_uid != os.getuid():
        raise Unavailable(
            "The file with your session can be read by others; remove it and sign in again.", code="kept-not-private"
        )
    try:
        entries = json.loads(content)
    except ValueError as error:
        raise _broken() from error
    if not isinstance(entries, dict):
        raise _broken()
    return entries


def _write(content: bytes) -> None:
    path = _folder() / "sessions.json"
    new = path.with_suffix(f".{os.getpid()}")
    new.unlink(missing_ok=True)
    with os.fdopen(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, _PRIVATE_FILE), "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    new.replace(path)


def _broken() -> Unavailable:
    return Unavailable("The file with your session is damaged; remove it and sign in again.", code="kept-broken")
