"""The seam for metrics and traces: a span is one timed piece of work of a closed kind, under a closed name.

Nothing of a request may be a name or a label: names are operations, route templates, models on offer, jobs.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from enum import StrEnum
from typing import Protocol

from troth.kernel.errors import TrothError


class Kind(StrEnum):
    """What is timed."""

    REQUEST = "request"  # one HTTP exchange; its name is a route template
    OPERATION = "operation"
    TRANSACTION = "transaction"  # read | write
    VENDOR = "vendor"  # one call to a vendor; its name is a model on offer
    KEY = "key"  # one use of the key tree
    REDACTION = "redaction"


class Span(Protocol):
    """One piece of work under way."""

    def add(self, name: str, amount: int) -> None:
        """An amount that belongs to it: `tokens_in`, `tokens_out`, `status`. Other names are dropped."""
        ...

    def active(self) -> AbstractContextManager[object]:
        """What begins inside the block is a part of it; for work that goes on in another thread."""
        ...

    def trace(self) -> str | None:
        """The id of its trace as 32 hexadecimal digits, or None when it is not traced."""
        ...

    def end(self, outcome: str, name: str | None = None) -> None:
        """It ended: done, refused or failed. `name` replaces one that was not known at the beginning."""
        ...


class Watch(Protocol):
    """Where spans go."""

    def begin(self, kind: Kind, name: str) -> Span:
        """Begin a span. Never raises, and never waits."""
        ...


class _Unwatched:
    """Nobody looks: costs one call."""

    def begin(self, kind: Kind, name: str) -> Span:  # noqa: ARG002 - the shape of a watch
        return _NOTHING

    def add(self, name: str, amount: int) -> None:
        """Nothing to add to."""

    def active(self) -> AbstractContextManager[object]:
        return _OPEN

    def trace(self) -> str | None:
        return None

    def end(self, outcome: str, name: str | None = None) -> None:
        """Nothing to end."""


_OPEN: AbstractContextManager[object] = nullcontext()
_NOTHING = UNWATCHED = _Unwatched()


@contextmanager
def watched(watch: Watch, kind: Kind, name: str) -> Iterator[Span]:
    """A span around a block on one thread or task; its outcome follows from how the block ends."""
    span, outcome = watch.begin(kind, name), "failed"
    try:
        with span.active():
            yield span
        outcome = "done"
    except TrothError:
        outcome = "refused"
        raise
    finally:
        span.end(outcome)
