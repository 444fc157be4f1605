"""Certificates of the house: those of the register that two people checked and whose time has not ended (GOV-12)."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from datetime import date

from troth.governance.lapses import badges
from troth.governance.registers import Registers
from troth.kernel.errors import TrothError
from troth.kernel.scope import Scope, within
from troth.promises.trust_view import CertificateOnRecord

FORM = "certificates"
_FRESH_SECONDS = 5.0
_MOST = 50  # of a page


class CertificatesOnRecord:
    """What may be said, at most some seconds old. `house` gives the tenant whose register counts, or None."""

    def __init__(self, registers: Callable[[], Registers], house: Callable[[], str | None]) -> None:
        self._registers = registers
        self._house = house
        self._lock = threading.Lock()
        self._last: tuple[float, tuple[CertificateOnRecord, ...]] | None = None

    def __call__(self) -> tuple[CertificateOnRecord, ...]:
        """Those that hold now, by standard. A register that cannot be read shows none."""
        with self._lock:
            if self._last is None or time.monotonic() - self._last[0] >= _FRESH_SECONDS:
                self._last = (time.monotonic(), self._read())
            return self._last[1]

    def certified(self) -> tuple[str, ...]:
        """The standards to which somebody is certified on record."""
        return tuple(one.standard for one in self() if one.word == "certified")

    def _read(self) -> tuple[CertificateOnRecord, ...]:
        tenant = self._house()
        if tenant is None:
            return ()
        try:
            with within(Scope(tenant)):
                found = self._found(self._registers(), tenant)
        except TrothError:  # no badge from a register that is not in order
            return ()
        return tuple(sorted(found, key=lambda one: (one.standard, one.valid_until)))[:_MOST]

    def _found(self, registers: Registers, tenant: str) -> list[CertificateOnRecord]:
        form = registers.forms.get(FORM)
        look = registers.look(tenant, form)
        return [
            CertificateOnRecord(
                **{name: str(one.raw.get(name) or "") for name in ("standard", "word", "issuer", "scope")},
                valid_until=_day(one.raw.get("valid_until")),
            )
            for one in badges(form, registers.records(tenant, FORM), look)
        ]


def _day(value: object) -> str:
    return date.fromisoformat(str(value)[:10]).isoformat()
