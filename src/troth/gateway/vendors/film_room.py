"""Films of the local studio: made one at a time on a thread of their own, kept in memory until they are fetched."""

from __future__ import annotations

import atexit
import queue
import secrets
import threading
import weakref
from collections.abc import Callable
from dataclasses import dataclass

from troth.gateway.vendors.port import VideoProgress, VideoState
from troth.kernel.errors import TooMany, TrothError, VendorFailed

Told = Callable[[int], None]
Work = Callable[[Told], bytes]
_ROOMS: weakref.WeakSet[FilmRoom] = weakref.WeakSet()
_LEAVE_SECONDS = 10.0
_MOST = 64  # films that wait, are made or have not been fetched


class _CancelledError(Exception):
    """Nobody wants the film any more."""


@dataclass(slots=True)
class _Film:
    work: Work
    state: VideoState = "queued"
    progress: int = 0
    content: bytes | None = None
    wanted: bool = True


class FilmRoom:
    """Safe to share between threads. What it holds is gone when the process ends; the job in the database is not."""

    def __init__(self) -> None:
        self._films: dict[str, _Film] = {}
        self._waiting: queue.SimpleQueue[str] = queue.SimpleQueue()
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None
        self._open = True
        _ROOMS.add(self)

    def close(self) -> None:
        """Stop what is made, within a frame's time; jobs in the database are taken up by the next process."""
        with self._lock:
            self._open, thread = False, self._thread
            for film in self._films.values():
                film.wanted = False
            self._waiting.put("")
        if thread is not None:
            thread.join(_LEAVE_SECONDS)

    def begin(self, work: Work) -> str:
        """Take a film in. Raises `TooMany` when too many wait."""
        with self._lock:
            if len(self._films) >= _MOST:
                raise TooMany("Too many films are being made here; try again later.", code="vendor-busy")
            identifier = f"film_{secrets.token_hex(16)}"
            self._films[identifier] = _Film(work)
            self._waiting.put(identifier)
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="films", daemon=True)
                self._thread.start()
        return identifier

    def look(self, identifier: str) -> VideoProgress:
        """Where a film stands; `unknown` for one of another process, or that was fetched."""
        with self._lock:
            film = self._films.get(identifier)
            return VideoProgress("unknown") if film is None else VideoProgress(film.state, film.progress)

    def content(self, identifier: str) -> bytes:
        """The finished film; it can be fetched until `forget`. Raises `VendorFailed`."""
        with self._lock:
            film = self._films.get(identifier)
            if film is None or film.content is None:
                raise VendorFailed("This film is not finished; ask for its state first.", code="vendor-bad-answer")
            return film.content

    def forget(self, identifier: str) -> None:
        """Stop making it, or drop it."""
        with self._lock:
            film = self._films.pop(identifier, None)
            if film is not None:
                film.wanted = False

    def _run(self) -> None:
        while self._open:
            identifier = self._waiting.get()
            with self._lock:
                film = self._films.get(identifier)
            if film is not None:
                self._make(film)

    def _make(self, film: _Film) -> None:
        def told(percent: int) -> None:
            film.progress = percent
            if not film.wanted:
                raise _CancelledError

        film.state = "in_progress"
        try:
            film.content = film.work(told)
            film.state, film.progress = "completed", 100
        except (_CancelledError, TrothError, OSError, ValueError, ArithmeticError, MemoryError, RuntimeError):
            film.state = "failed"


@atexit.register
def _close_all() -> None:
    """A thread that dies inside the encoder takes the process with it, so it ends before the interpreter does."""
    for room in list(_ROOMS):
        room.close()
