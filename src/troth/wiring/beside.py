"""What a command on the machine itself does leaves entries as an operation does: begun, then done, refused or failed.

Whoever may run such a command holds the data folder, so no policy is asked; the operators' log says that it happened,
and reviewers of that log look at each (promise AUD-01). Without the entry nothing happens.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from troth.audit.review.weights import MACHINE
from troth.kernel.clock import Clock, epoch_ms
from troth.kernel.errors import TrothError
from troth.kernel.ids import new_id
from troth.kernel.record import Entry, Fact, Outcome, Recorder, checked_facts
from troth.kernel.scope import SYSTEM, within

ACTOR = MACHINE  # somebody whom the operating system let read the data folder
_LOG = "operator"


@contextmanager
def recorded(recorder: Recorder, clock: Clock, operation: str, **facts: Fact) -> Iterator[dict[str, Fact]]:
    """Entries around a block; what the block puts into the dict stands in the closing one.

    Raises `Unavailable`, before the block, when no entry can be made.
    """
    request, noted = new_id("req"), dict(checked_facts(facts))

    def tell(phase: str, outcome: Outcome, code: str | None = None) -> None:
        now = epoch_ms(clock.now())
        entry = Entry(
            _LOG, operation, phase, outcome, request, ACTOR, None, now, code, facts=checked_facts(dict(noted))
        )
        with within(SYSTEM):
            recorder.record(entry)

    tell("opened", Outcome.PENDING)
    ended, code = Outcome.FAILED, None
    try:
        yield noted
        ended = Outcome.DONE
    except TrothError as error:
        ended, code = Outcome.REFUSED, error.code
        raise
    finally:
        tell("closed", ended, code)
