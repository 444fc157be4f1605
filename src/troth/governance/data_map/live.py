"""The map of one installation: with the days that its settings say, and the vendors that may be sent something."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from troth.gateway.vendors.record import State, VendorRecord
from troth.governance.data_map.map import Activity, DataMap, Retention, Supplier


def live(of: DataMap, settings: Any, vendors: Iterable[VendorRecord]) -> DataMap:
    """`of` as it holds here. `settings` by name (`retention.user_generated_days`); approved vendors alone, by id."""
    approved = sorted((one for one in vendors if one.state is State.APPROVED), key=lambda one: one.id)
    activities = tuple(_by_settings(one, settings) for one in of.activities)
    return replace(of, activities=activities, suppliers=tuple(map(supplier_of, approved)))


def supplier_of(one: VendorRecord) -> Supplier:
    """What is on file of a vendor, as the map has it. One on this machine keeps what the vault keeps: nothing more."""
    facts = one.facts
    return Supplier(
        id=one.id,
        name=facts.name,
        models=tuple(dict.fromkeys(offer.model for offer in facts.offers)),
        regions=tuple(dict.fromkeys(facts.regions)) or ("here",),
        retention=str(facts.retention or "zero"),
        retention_days=facts.retention_days,
        sub_processors=tuple(dict.fromkeys(sub.name for sub in facts.sub_processors)),
    )


def _by_settings(one: Activity, settings: Any) -> Activity:
    return replace(one, retention=tuple(_term(term, settings) for term in one.retention))


def _term(term: Retention, settings: Any) -> Retention:
    if term.setting is None:
        return term
    section, _, name = term.setting.partition(".")
    return replace(term, days=int(getattr(getattr(settings, section), name)))
