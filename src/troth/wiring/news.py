"""Builds the news: what the public pages say of sub-processors and of the paper, as items that are told once."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from datetime import datetime

from troth.gateway.sub_processors import listed
from troth.gateway.vendors.record import VendorRecord
from troth.governance.news import Item
from troth.governance.webhooks import PAPER, SUB_PROCESSOR
from troth.kernel.clock import epoch_ms, iso
from troth.promises.paper.publishing import state_of
from troth.promises.paper.store import Head


def announced(vendors: list[VendorRecord], now: int, origin: str) -> Iterator[Item]:
    """Every announcement of somebody who will process data or does so, as the page of sub-processors has it."""
    for one in listed(vendors, now):
        if one.announced_at is None or one.state == "stopped":
            continue
        parts = (one.by or "", one.name, one.region or "", one.announced_at)
        told = {name: getattr(one, name) for name in ("name", "region", "by", "tasks", "announced_at", "routed_from")}
        told |= {"title": f"A sub-processor was announced: {one.name}", "url": f"{origin}/sub-processors"}
        name = hashlib.sha256(chr(0).join(parts).encode()).hexdigest()
        yield Item(SUB_PROCESSOR, name, epoch_ms(datetime.fromisoformat(one.announced_at)), told)


def published(heads: list[Head], now: int, origin: str) -> Iterator[Item]:
    """Every approved version of the paper that is in force or announced."""
    for one in heads:
        state = state_of(one, heads, now)
        if one.approved_at is None or one.effective_at is None or state not in ("announced", "in force"):
            continue
        told = {"paper": one.paper, "version": one.version, "effective_at": iso(one.effective_at)}
        told |= {"title": f"Our paper {one.paper} has a version {one.version}", "url": f"{origin}/trust"}
        yield Item(PAPER, f"{one.number}/{one.digest}", one.approved_at, told)
