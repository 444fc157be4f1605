"""Surrogates: made-up values of the same shape that belong to nobody.

`Surrogates(key).of(value, kind)` is deterministic under the key of the data set: the same value has the same surrogate,
two data sets have unlinkable ones. It is never the value; numbers with check digits fail them; where a range is
reserved for examples (RFC 2606, 5737, 3849, 9542, telephone numbers for fiction), the surrogate lies in it. What is a
surrogate of this data set already stays, so that redacting again changes nothing, but for dates, which move again.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache

from troth.redact.detect.kinds import KINDS
from troth.redact.surrogates import contact, dates, named, network, numbers
from troth.redact.surrogates.draw import Draw, canonical, signs
from troth.redact.surrogates.validity import valid

_TRIES = 64
_LEAST = 6  # characters in one piece that a surrogate may not share with its value
Make = Callable[[str, str, Draw], str | None]
Own = Callable[[str, str, bytes], bool]

# Kinds whose values are not numbers, each with what makes a surrogate and what knows one again.
_MAKERS: dict[str, tuple[Make, Own]] = {
    "person": (named.person, named.own_person),
    "username": (contact.username, contact.own_username),
    "email": (contact.email, contact.own_email),
    "url": (contact.url, contact.own_url),
    "phone": (contact.phone, contact.own_phone),
    "address": (named.place, named.own_place),
    "place": (named.place, named.own_place),
    "organisation": (named.place, named.own_place),
    "ipv4": (network.ipv4, network.own_ipv4),
    "ipv6": (network.ipv6, network.own_ipv6),
    "mac": (network.mac, network.own_mac),
}
_DATES = frozenset({"date", "birth_date"})
# Numbers, codes and secrets: sign by sign. What is not here, nor above, gets its label: an age, a private key, a word.
_NUMBERED = (
    frozenset(name for name, kind in KINDS.items() if kind.label in ("ID", "IBAN", "CREDIT_CARD", "SECRET"))
    - {"private_key", "connection_string", "mac"}
) | {"postcode"}
SURROGATE_KINDS = frozenset(_MAKERS) | _DATES | _NUMBERED


class Surrogates:
    """The surrogates of one data set. `key`: its 32 secret bytes. Safe to share between threads."""

    def __init__(self, key: bytes) -> None:
        self._key = key

    def of(self, value: str, kind: str, *, entity: str = "", document: bytes = b"") -> str | None:
        """The surrogate of `value`, or None where there is none; then its label stands there.

        `entity`: the whole name of the person of whom `value` is a mention. `document`: what tells this document from
        others when its dates move by a distance of their own; empty: one distance for the data set.
        """
        if kind in _DATES:
            return dates.shifted(value, self._key, document)
        if kind not in SURROGATE_KINDS:
            return None
        return _of(self._key, value, kind, entity)


@lru_cache(maxsize=8192)
def _of(key: bytes, value: str, kind: str, entity: str) -> str | None:
    make, own = _MAKERS.get(kind, (numbers.numbered, numbers.own_number))
    if own(value, kind, key):
        return value
    seed = entity if entity and kind == "person" else value
    for attempt in range(_TRIES):
        draw = Draw(key, kind, canonical(seed, kind), attempt, entity=seed)
        made = make(value, kind, draw)
        if made is None:
            return None
        if differs(value, made) and not _real(made, kind):
            return made
    return None


def differs(value: str, made: str) -> bool:
    """Whether `made` is another value and shares no piece of half of it; short pieces are anybody's."""
    old, new = signs(value), signs(made).replace("example", " ")  # that word is nobody's
    size = max(_LEAST, (len(old) + 1) // 2)
    return signs(made) != old and not any(old[i : i + size] in new for i in range(len(old) - size + 1))


def _real(made: str, kind: str) -> bool:
    """Whether somebody could have it."""
    return contact.assignable(made) if kind == "phone" else valid(made, kind)
