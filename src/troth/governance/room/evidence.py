"""What a room needs of the promises, which stand above it: bound in wiring."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Protocol

from troth.kernel.operation import Binary


@dataclass(frozen=True, slots=True)
class PromiseSeen:
    """A promise as it stands now, and the checks that look at it."""

    promise: str
    statement: str
    state: str
    reason: str
    checks: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class RunSeen:
    """One run of a check. `control` must be "fail"; `record` names the entry of the log that tells of it."""

    check: str
    sequence: int
    at: int
    slot: int | None
    result: str
    control: str
    population: int
    tested: int
    schedule: int
    link: str
    record: str


@dataclass(frozen=True, slots=True)
class Proven:
    """The entry of the log that tells of a run, and what proves it: as `audit.prove` gives them."""

    index: int
    leaf: str
    proof: str
    key: str


@dataclass(frozen=True, slots=True)
class Drawn:
    """Runs drawn out of all of a period by the root that closes it and a nonce: `population` is how many there were."""

    root: str
    population: int
    runs: tuple[RunSeen, ...]


class Looks(Protocol):
    """What was looked at, as the promises know it."""

    def promises(self, wanted: Collection[str]) -> tuple[PromiseSeen, ...]:
        """These promises, in the order of the catalogue."""
        ...

    def covers(self, check: str) -> tuple[str, ...]:
        """The promises that a check looks at; none for a check that there is not."""
        ...

    def runs(self, check: str, start: int, end: int, *, after: int, limit: int) -> Sequence[RunSeen]:
        """Runs of [start, end), behind a sequence."""
        ...

    def draw(self, check: str, start: int, end: int, *, nonce: str, size: int) -> Drawn:
        """A sample. Raises Conflict(period-open) before the period is closed in the log, Invalid(bad-sample)."""
        ...

    def proof(self, run: RunSeen) -> Proven:
        """The entry that tells of a run. Raises Unavailable(no-proof) while it is not signed yet."""
        ...


class Papers(Protocol):
    """Reports of a period as files."""

    def made(
        self, paper: str, span: tuple[int, int], promises: Collection[str], *, tenant: str, at: int
    ) -> tuple[Binary, str]:
        """`bundle` is the whole report, `oscal` (a ZIP of eight documents) and `pdf` tell of these promises alone; with
        the SHA-256 of the file in hex. Raises Conflict(period-open), Unavailable(report-busy, extra-missing)."""
        ...
