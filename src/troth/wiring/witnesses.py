"""Builds what has the log witnessed, when there is a policy."""

from __future__ import annotations

from troth.audit.tlog_policy import MAX_BYTES, TlogPolicy
from troth.audit.witness_client import WitnessClient
from troth.audit.witnessing import Witnessing
from troth.kernel.clock import Clock
from troth.kernel.errors import Invalid
from troth.settings.sections import Audit
from troth.storage.database import Database

_ATTEMPT_SECONDS = 2.0  # a witness that takes longer is asked again later; checkpoints are shown meanwhile


def build_witnessing(settings: Audit, database: Database, clock: Clock) -> Witnessing | None:
    """None without a policy. Raises `Invalid`, `Malformed` for one that cannot be used, `Unavailable`."""
    if settings.witness_policy is None:
        return None
    try:
        with settings.witness_policy.open("rb") as file:
            content = file.read(MAX_BYTES + 1)
    except OSError as error:
        raise Invalid(
            "The witness policy cannot be read; set TROTH_AUDIT__WITNESS_POLICY to a file.", code="witness-policy"
        ) from error
    client = WitnessClient(seconds=_ATTEMPT_SECONDS, authority=settings.witness_authority)
    return Witnessing(database, TlogPolicy.parse(content), client, clock)
