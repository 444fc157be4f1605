"""What a tenant wants of the vendors that its requests go to. It only narrows what the gate lets through. Pure."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Annotated, Literal

from pydantic import Field

from troth.gateway.vendors.gate import certificate_holds
from troth.gateway.vendors.papers import Code, Micros, PaperModel, Price
from troth.gateway.vendors.record import HERE, Offer, VendorRecord
from troth.gateway.vendors.terms import places
from troth.kernel.errors import Denied, Unavailable


class MostPrice(PaperModel):
    """The most that a model may cost, as `papers.Price` counts; None is no limit."""

    currency: Annotated[str, Field(pattern=r"^[A-Z]{3}$")] = "USD"
    input: Micros | None = None
    output: Micros | None = None
    picture: Micros | None = None
    second: Micros | None = None


class RoutingPolicy(PaperModel):
    """Which vendors, where, with which certificates, at what price, in which order. The empty one asks for nothing."""

    allow: Annotated[tuple[Code, ...], Field(max_length=64)] = ()  # vendors; empty: all
    deny: Annotated[tuple[Code, ...], Field(max_length=64)] = ()
    regions: Annotated[tuple[Code, ...], Field(max_length=64)] = ()  # where they may process; empty: as the gate says
    certificates: Annotated[tuple[Code, ...], Field(max_length=16)] = ()
    most: MostPrice | None = None
    order: Literal["listed", "price", "health", "latency"] = "listed"
    fallback: bool = True


ANYTHING = RoutingPolicy()


@dataclass(frozen=True, slots=True)
class Candidate:
    """A vendor that may be sent the request, what it offers, and the consent that permits its retention."""

    record: VendorRecord
    offer: Offer
    consent: str | None = None


@dataclass(frozen=True, slots=True)
class Doing:
    """How a vendor does: whether it rests, its moving error rate (0 to 1) and seconds to an answer."""

    resting: bool = False
    error_rate: float = 0.0
    seconds: float = 0.0


def permits(policy: RoutingPolicy, record: VendorRecord, offer: Offer, now: int) -> None:
    """Raises `Denied` for a vendor that the tenant does not want, `Unavailable` for a certificate that lapsed."""
    if record.id in policy.deny or (policy.allow and record.id not in policy.allow):
        raise Denied("Your tenant's routing policy does not allow this vendor; choose another model.",
                     code="vendor-not-allowed")  # fmt: skip
    if policy.regions and places(record.facts, now) - {*policy.regions, HERE}:
        raise Denied("Your tenant's routing policy does not allow where this vendor processes data; choose another "
                     "model.", code="region-not-allowed")  # fmt: skip
    if record.kind == "local-studio":
        return  # no third party: nobody certifies it, and nobody bills it
    for name in policy.certificates:
        certificate_holds(name, record.facts.certificates, now)
    if policy.most is not None:
        _price(policy.most, offer.price)


def _price(most: MostPrice, price: Price | None) -> None:
    if price is None or price.currency != most.currency:
        raise Unavailable("What this model costs is not on file in your currency, and your tenant's routing policy "
                          "sets a limit; choose another model.", code="price-unknown")  # fmt: skip
    for name in ("input", "output", "picture", "second"):
        limit = getattr(most, name)
        if limit is not None and getattr(price, name) > limit:
            raise Denied("This model costs more than your tenant's routing policy allows; choose another model.",
                         code="price-too-high")  # fmt: skip


def ordered(candidates: Sequence[Candidate], policy: RoutingPolicy, doing: Callable[[str], Doing]) -> list[Candidate]:
    """The same in the order of the policy; who rests comes last, equal ones as they are listed."""
    keys: dict[str, Callable[[Candidate, Doing], float]] = {
        "listed": lambda _one, _state: 0.0,
        "price": lambda one, _state: _sum(one.offer.price),
        "health": lambda _one, state: round(state.error_rate, 2),
        "latency": lambda _one, state: state.seconds,
    }
    key = keys[policy.order]
    states = {one.record.id: doing(one.record.id) for one in candidates}
    return sorted(candidates, key=lambda one: (states[one.record.id].resting, key(one, states[one.record.id])))


def _sum(price: Price | None) -> float:
    """One number to compare by: as many tokens read as written, a picture and a second. Unknown is dearest."""
    if price is None:
        return float("inf")
    return price.input + price.output + price.picture + price.second


def looser(before: RoutingPolicy, after: RoutingPolicy) -> list[str]:
    """In what `after` lets more through than `before`; empty when in nothing."""
    points = {
        "allow": _narrower(before.allow, after.allow),
        "deny": set(before.deny) <= set(after.deny),
        "regions": _narrower(before.regions, after.regions),
        "certificates": set(before.certificates) <= set(after.certificates),
        "most": _cheaper(before.most, after.most),
        "fallback": before.fallback or not after.fallback,
    }
    return [name for name, holds in points.items() if not holds]


def _narrower(before: tuple[str, ...], after: tuple[str, ...]) -> bool:
    return not before or (bool(after) and set(after) <= set(before))


def _cheaper(before: MostPrice | None, after: MostPrice | None) -> bool:
    if before is None:
        return True
    if after is None or after.currency != before.currency:
        return False
    pairs = [(getattr(before, name), getattr(after, name)) for name in ("input", "output", "picture", "second")]
    return all(old is None or (new is not None and new <= old) for old, new in pairs)
