"""Proofs for documents that leave the house, and the waiting for witnesses: entries under a checkpoint, now."""

from __future__ import annotations

import time

from troth.audit.meta import META, covered
from troth.audit.proofs import Prover
from troth.audit.sequencer import Sequencer
from troth.audit.witnessing import Witnessing
from troth.kernel.errors import Unavailable


class LogEvidence:
    """Brings an entry under a checkpoint, with witnesses under a cosigned one, then proves it."""

    def __init__(self, sequencer: Sequencer, prover: Prover) -> None:
        self._sequencer = sequencer
        self._prover = prover

    def prove(self, log: str, request_id: str) -> str:
        """A `.tlog-proof` text. Raises `Unavailable` when the entry cannot be brought under a checkpoint now.

        With a witness policy the proof bears the cosignatures of a quorum, or `Unavailable` (unwitnessed) is raised.
        """
        self._sequencer.flush(log)
        if self._sequencer.witnessing is not None:
            self._sequencer.witnessing.require(_witnessed(log))
        found = self._prover.locate(log, request_id)
        if not found:
            raise Unavailable("The audit entry is not in the log yet; the certificate follows.", code="no-proof")
        return self._prover.proof(log, found[-1])


class WitnessedLog:
    """Waits until witnesses have seen a log. Implements `kernel.witnessed.Witnessed`."""

    def __init__(self, sequencer: Sequencer, witnessing: Witnessing, seconds: float) -> None:
        """`seconds`: how long signing and a quorum may take."""
        self._sequencer = sequencer
        self._witnessing = witnessing
        self._seconds = seconds

    def require(self, log: str) -> None:
        """As the protocol says. Raises `Unavailable`, and `IntegrityError` when the log is stopped."""
        by = time.monotonic() + self._seconds
        with self._witnessing.turn(_witnessed(log), by):  # before anything that waits: readers need the threads
            self._sequencer.flush(log, by)
            self._witnessing.require(_witnessed(log), by)


def _witnessed(log: str) -> str:
    """The log whose checkpoints witnesses see when an entry of `log` is to be vouched for."""
    return META if covered(log) else log
