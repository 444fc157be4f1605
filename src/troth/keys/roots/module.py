"""The one thread that calls a PKCS#11 module library, and the sessions that live on it.

python-pkcs11 initialises a module without locking (`C_Initialize(NULL)`) and yet lets other Python threads run during
its calls: two threads in one module end the process with a segmentation fault (measured). So every call of a library,
of whatever domain, runs on one thread, and nothing of the library ever leaves it: errors are translated there, because
even a traceback can keep a search alive that another thread would then close.

After a fork the child has the module's memory but not its thread, and PKCS#11 forbids it to go on (2.40, section 6.6.1
of the usage guide): it is refused before it comes near.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from concurrent.futures import TimeoutError as Late
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import pkcs11
from pkcs11 import TokenFlag
from pkcs11.exceptions import PinIncorrect, PKCS11Error, UserAlreadyLoggedIn

from troth.kernel.errors import TrothError, Unavailable
from troth.keys.roots.binding import exchanged
from troth.keys.roots.module_errors import FINAL, last_try, refusal, wrong_pin
from troth.keys.roots.refused_pin import RefusedPin
from troth.keys.roots.secret_file import read_secret

Result = TypeVar("Result")
CALL_SECONDS = 30.0  # making a key takes a slow token seconds, not more
_WORKERS: dict[str, Worker] = {}  # of this process: a library can be initialised only once in it


@dataclass(frozen=True, slots=True)
class TokenPlace:
    """Where a token is: the module's library, the token's label, the file with the user PIN.

    `refused`: where a PIN that the token refused is remembered for later processes; None: in this process only.
    """

    library: Path
    label: str
    pin_file: Path
    refused: Path | None = None


class Lost(Exception):
    """The token answered, but not with what must be on it: look again with a fresh session. Stays on the thread."""


class Worker:
    """Runs jobs against one library, one at a time."""

    def __init__(self, library: Path) -> None:
        self._library = library
        self._process = os.getpid()
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="key-module")  # starts with the first job
        self._sessions: dict[str, Any] = {}
        self._refused: dict[str, bytes] = {}  # SHA-256 of the last PIN that a token refused
        self._since: float | None = None  # when the running job began

    @classmethod
    def of(cls, library: Path) -> Worker:
        """This process's only worker for a library."""
        full = library.resolve()  # one library may have several names
        return _WORKERS.setdefault(str(full), cls(full))

    def run(self, place: TokenPlace, job: Callable[[Any], Result]) -> Result:
        """The job's result on a logged-in session of the token; once more with a fresh one when that was lost.

        Raises what the job raises, `Unavailable` for everything of the module.
        """
        if os.getpid() != self._process:
            raise Unavailable(
                "This process was forked from one that uses a key module; start it afresh.", code="hsm-after-fork"
            )
        since = self._since
        if since is not None and time.monotonic() - since > CALL_SECONDS:
            raise _late()
        waiting = self._thread.submit(self._attempt, place, job)
        try:
            done, refused = waiting.result(CALL_SECONDS)
        except Late:
            waiting.cancel()
            raise _late() from None
        if refused is not None:
            raise refused
        return done  # type: ignore[no-any-return]

    def _attempt(self, place: TokenPlace, job: Callable[[Any], Any]) -> tuple[Any, TrothError | None]:
        """Result or refusal, as values: an exception would carry its frames, and the library's objects, away."""
        self._since = time.monotonic()
        try:
            found = self._once(place, job)
            if isinstance(found, _Broken):
                self._restart()
                found = self._once(place, job)
        finally:
            self._since = None
        return (None, found.refusal) if isinstance(found, _Broken | _Refused) else (found, None)

    def _once(self, place: TokenPlace, job: Callable[[Any], Any]) -> Any:
        try:
            return job(self._session(place))
        except TrothError as error:
            return _Refused(_bare(error))
        except Lost:
            return _Broken(exchanged())
        except PKCS11Error as error:
            kind = _Refused if type(error).__name__ in FINAL else _Broken
            return kind(refusal(error))

    def _session(self, place: TokenPlace) -> Any:
        if place.label not in self._sessions:
            token = pkcs11.lib(str(self._library)).get_token(token_label=place.label)
            self._sessions[place.label] = self._signed_in(token, place)
        return self._sessions[place.label]

    def _signed_in(self, token: Any, place: TokenPlace) -> Any:
        pin = read_secret(place.pin_file)
        digest = hashlib.sha256(pin.encode()).digest()
        memory = RefusedPin(place.refused)
        if self._refused.get(place.label) == digest or memory.is_of(pin):
            raise PinIncorrect
        if TokenFlag.USER_PIN_FINAL_TRY in token.flags:
            raise last_try()
        try:
            session = token.open(rw=True, user_pin=pin)
        except UserAlreadyLoggedIn:  # a login is of the process, not of a session
            session = token.open(rw=True)
        except PKCS11Error as error:
            if wrong_pin(error):
                self._refused[place.label] = digest
                memory.note(pin)
            raise
        self._refused.pop(place.label, None)
        memory.forget()
        return session

    def _restart(self) -> None:
        """Initialise the library anew: nothing else brings back a token that was away. All its sessions end."""
        self._sessions.clear()
        with contextlib.suppress(PKCS11Error):
            pkcs11.lib(str(self._library)).finalize()


@dataclass(frozen=True, slots=True)
class _Refused:
    refusal: TrothError


@dataclass(frozen=True, slots=True)
class _Broken:
    refusal: TrothError


def _bare(error: TrothError) -> TrothError:
    """The refusal without the frames and causes that would keep the library's objects alive elsewhere."""
    error.__traceback__ = error.__cause__ = error.__context__ = None
    return error


def _late() -> Unavailable:
    return Unavailable("The key module does not answer in time; check the token and its connection.", code="hsm-late")
