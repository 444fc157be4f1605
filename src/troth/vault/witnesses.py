"""Who takes part in an erasure beside the vault itself: who forgets, proves and signs, and who knows of copies."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol

from troth.kernel.backups import BackupRegister, NoBackups
from troth.kernel.outside import NothingLeft, Outside
from troth.kernel.personal import Holder
from troth.kernel.signer import Signer


class Evidence(Protocol):
    """The audit log, as far as a certificate needs it."""

    def prove(self, log: str, request_id: str) -> str:
        """A C2SP `.tlog-proof` of the newest entry of that request, under a signed checkpoint.

        Raises `Unavailable` when the entry is not under a checkpoint and cannot be brought under one now.
        """
        ...


@dataclass(frozen=True, slots=True)
class Witnesses:
    """Who forgets, who proves, who signs. `holders` are all that keep personal data, the vault's own among them."""

    holders: Sequence[Holder]
    evidence: Evidence
    signer: Signer
    tool: str  # name and version, for the certificate
    backups: BackupRegister = field(default_factory=NoBackups)
    outside: Outside = field(default_factory=NothingLeft)
