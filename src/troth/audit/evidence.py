"""Proofs for documents that leave the house: the newest entry of a request, under a signed checkpoint."""

from __future__ import annotations

from troth.audit.proofs import Prover
from troth.audit.sequencer import Sequencer
from troth.kernel.errors import Unavailable


class LogEvidence:
    """Brings an entry under a checkpoint, then proves it."""

    def __init__(self, sequencer: Sequencer, prover: Prover) -> None:
        self._sequencer = sequencer
        self._prover = prover

    def prove(self, log: str, request_id: str) -> str:
        """A C2SP `.tlog-proof` text. Raises `Unavailable` when the entry cannot be brought under a checkpoint now."""
        self._sequencer.flush(log)
        found = self._prover.locate(log, request_id)
        if not found:
            raise Unavailable("The audit entry is not in the log yet; the certificate follows.", code="no-proof")
        return self._prover.proof(log, found[-1])
