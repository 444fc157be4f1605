"""Are one vendor's terms at least as good as another's? A fallback may only go to such a vendor. Pure."""

from __future__ import annotations

from troth.gateway.vendors.papers import Certificate
from troth.gateway.vendors.record import HERE, DueDiligence, Retention, VendorRecord

_KEEPS = {Retention.ZERO: 0, Retention.TRANSIENT: 1, Retention.DAYS: 2}
# Answers of the review that the person's data depends on: what one vendor does, the next must do too.
_ANSWERS = ("training", "human-review", "encryption-rest", "deletion")


def weaker(first: VendorRecord, other: VendorRecord, jurisdiction: str, now: int) -> list[str]:
    """In what `other` promises less than `first` for data of that jurisdiction at `now`; empty when in nothing."""
    one, two = first.facts, other.facts
    points = {
        "retention": _kept(two) <= _kept(one),
        "regions": places(two, now) <= places(one, now) | {jurisdiction, HERE},
        "clauses": _clauses(one) <= _clauses(two),
        "certificates": _valid(one.certificates, now) <= _valid(two.certificates, now),
        "answers": _yes(one) <= _yes(two),
        "encryption": _tls13(one, now) <= _tls13(two, now),
        "third-party": first.kind != "local-studio" or other.kind == "local-studio",
    }
    return [name for name, holds in points.items() if not holds]


def places(facts: DueDiligence, now: int) -> frozenset[str]:
    """Every region in which the vendor or who works for it processes data at `now`."""
    chain = {one.region or "unknown" for one in facts.sub_processors if one.since <= now}
    return frozenset(facts.regions) | chain


def _kept(facts: DueDiligence) -> tuple[int, int]:
    """The longer, the more; unknown terms are the longest."""
    return (9, 0) if facts.retention is None else (_KEEPS[facts.retention], facts.retention_days)


def _clauses(facts: DueDiligence) -> frozenset[str]:
    return frozenset(facts.contract.clauses) if facts.contract else frozenset()


def _valid(held: tuple[Certificate, ...], now: int) -> frozenset[str]:
    return frozenset(one.name for one in held if one.starts <= now < one.ends)


def _yes(facts: DueDiligence) -> frozenset[str]:
    answers = facts.diligence.answers if facts.diligence else {}
    return frozenset(name for name in _ANSWERS if name in answers and answers[name].answer == "yes")


def _tls13(facts: DueDiligence, now: int) -> bool:
    """True without an exception from TLS 1.3."""
    return facts.tls_waiver is None or not facts.tls_waiver.holds(now)
