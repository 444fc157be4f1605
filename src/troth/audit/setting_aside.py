"""Rows of the outbox that no log can take: somebody wrote them past Troth, and one of them must not stop all others.

They leave the outbox in the transaction that places their neighbours, with an entry in the operators' log.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from troth.audit.meta import OPERATOR
from troth.audit.tiles import MAX_ENTRY_BYTES
from troth.kernel.clock import Clock, epoch_ms
from troth.kernel.ids import new_id
from troth.kernel.record import Entry, Fact, Outcome
from troth.storage.database import TENANT
from troth.storage.outbox import row

BAD_NAME = "bad-name"
TOO_LONG = "entry-too-long"


def reason_against(log: object, leaf: bytes) -> str | None:
    """Why no log can take this row: its log has no possible name, or the leaf is above 65,535 bytes. None: one can."""
    if not isinstance(log, str) or not TENANT.match(log):  # of `operator` and the meta log's name too
        return BAD_NAME
    return TOO_LONG if len(leaf) > MAX_ENTRY_BYTES else None


def sorted_out(waiting: Sequence[Any], clock: Clock) -> dict[str, list[bytes]]:
    """The leaves of each log, oldest first, of rows (seq, log, leaf); those set aside became `outbox.refused`."""
    leaves: dict[str, list[bytes]] = {}
    refused: dict[str, list[int]] = {}
    for seq, log, leaf in waiting:
        if (reason := reason_against(log, leaf)) is None:
            leaves.setdefault(log, []).append(leaf)
        else:
            refused.setdefault(reason, []).append(seq)
    for reason, seqs in refused.items():
        leaves.setdefault(OPERATOR, []).append(_told(reason, seqs, clock))
    return leaves


def _told(reason: str, seqs: list[int], clock: Clock) -> bytes:
    facts: dict[str, Fact] = {"count": len(seqs), "reason": reason, "first": seqs[0], "last": seqs[-1]}
    now, what = epoch_ms(clock.now()), "outbox.refused"
    entry = Entry(
        OPERATOR, what, "event", Outcome.REFUSED, new_id("req"), "svc_sequencer", None, now, reason, facts=facts
    )
    leaf: bytes = row(entry)["leaf"]
    return leaf
