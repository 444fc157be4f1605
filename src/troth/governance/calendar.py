"""The calendar of a tenant: its registers and every other room, as one person may read them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from troth.governance.agenda import Agenda, Source, agenda, joined
from troth.governance.moves import By
from troth.governance.registers import Registers
from troth.kernel.clock import epoch_ms


@dataclass(frozen=True, slots=True)
class Calendar:
    """What is due: the registers' own, and what the sources tell."""

    registers: Registers
    sources: Sequence[Source]

    def dues(self, by: By, now: int | None = None) -> Agenda:
        """Everything that is due and that somebody may read, at `now` (epoch ms), overdue first."""
        at = self.now() if now is None else now
        own = self.registers.gathered(by, at)
        return joined(Agenda(own.dues, own.unjudged), agenda(self.sources, by.tenant, by.roles, at))

    def now(self) -> int:
        """Epoch ms."""
        return epoch_ms(self.registers.clock.now())
