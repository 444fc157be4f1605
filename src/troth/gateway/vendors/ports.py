"""From a vendor's record to the adapter that speaks to it; adapters are kept while the record stays as it is."""

from __future__ import annotations

import threading
from dataclasses import replace
from typing import TYPE_CHECKING

from troth.gateway.vendors.bounds import Limits
from troth.gateway.vendors.port import Vendor
from troth.gateway.vendors.record import VendorRecord
from troth.gateway.vendors.registry import Vendors
from troth.gateway.vendors.routing import Doing
from troth.gateway.vendors.watched import WatchedVendor
from troth.kernel.errors import Unavailable
from troth.kernel.uses import Meter
from troth.kernel.watch import UNWATCHED, Watch

if TYPE_CHECKING:
    from troth.gateway.vendors.channel import Channel


class Ports:
    """`local` is the built-in studio; `plain_loopback` permits http:// vendors on this machine."""

    def __init__(
        self,
        vendors: Vendors,
        local: Vendor,
        limits: Limits,
        *,
        plain_loopback: bool = False,
        watch: Watch = UNWATCHED,
        meter: Meter | None = None,
    ) -> None:
        self._vendors = vendors
        self._local = local
        self._limits = limits
        self._plain_loopback = plain_loopback
        self._meter = meter
        self._watch = watch
        self._open: dict[str, tuple[tuple[int, bool], Channel, Vendor]] = {}
        self._retired: list[Channel] = []
        self._lock = threading.Lock()

    def port(self, record: VendorRecord, now: int) -> Vendor:
        """The adapter of an admitted vendor at `now` (ms). Raises `Unavailable` without its credential or over http."""
        port = self._port(record, now)
        return port if self._watch is UNWATCHED else WatchedVendor(port, record, self._watch)

    def _port(self, record: VendorRecord, now: int) -> Vendor:
        if record.kind == "local-studio":
            return self._local
        if not record.facts.base_url.startswith("https://") and not (self._plain_loopback and record.facts.loopback):
            raise Unavailable("The road to this vendor is not encrypted; the operator must record an https address.",
                              code="vendor-not-encrypted")  # fmt: skip
        waived = record.facts.tls_waiver is not None and record.facts.tls_waiver.holds(now)
        with self._lock:
            known = self._open.get(record.id)
            if known is None or known[0] != (record.changed_at, waived):
                known = self._build(record, waived)
            return known[2]

    def doing(self, vendor: str) -> Doing:
        """How a vendor does; the best of states before its first call."""
        with self._lock:
            known = self._open.get(vendor)
        if known is None:
            return Doing()
        health = known[1].health
        return Doing(health.resting, health.error_rate, health.seconds)

    async def close(self) -> None:
        """Close every connection."""
        with self._lock:
            channels = [*self._retired, *(channel for _, channel, _ in self._open.values())]
            self._open, self._retired = {}, []
        for channel in channels:
            await channel.close()

    def _build(self, record: VendorRecord, waived: bool) -> tuple[tuple[int, bool], Channel, Vendor]:
        # 8 MB and 0.1 s that a server without a vendor does without; an import is safe between threads.
        from troth.gateway.vendors.adapters import Building, adapter  # noqa: PLC0415  imports aiohttp

        if record.id in self._open:
            self._retired.append(self._open[record.id][1])
        limits = replace(self._limits, idempotent=record.facts.speech.idempotent)
        road = Building(self._vendors.credential(record.id), limits, waived, self._meter)
        built = (record.changed_at, waived), *adapter(record.facts, road)
        self._open[record.id] = built
        return built
