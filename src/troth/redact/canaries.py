"""Canaries: values planted in copies of real rows, redacted by the same code, and counted when they survive (TRN-02).

What this measures is how much of the planted kinds, written as people write them, gets through in the surroundings of
this very data set. It says nothing of kinds that are not planted.
"""

from __future__ import annotations

import copy
import json
import random
import re
import string
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from troth.redact.decisions import Action, Policy
from troth.redact.detect import KINDS
from troth.redact.detect.checks import luhn
from troth.redact.intervals import lower
from troth.redact.rows import RowRedactor
from troth.redact.surrogates import Surrogates
from troth.redact.surrogates.draw import signs

_BOUNDARY = re.compile(r"[.!?]\s|\n")  # between sentences: within one, a plant would cut real values in two
_TRIES = 100  # at a value that is no surrogate already
_GIVEN = ("Margaret", "Thomas", "Priscilla", "Matthias", "Aurélie", "Giovanni", "Fernando", "Siobhan")
_SURNAMES = (
    "Ackerley",
    "Brandauer",
    "Castellanos",
    "Delacroix",
    "Featherstone",
    "Grimaldi",
    "Hollingsworth",
    "Quintanilla",
)


def _digits(r: random.Random, count: int) -> str:
    return "".join(r.choices(string.digits, k=count))


def _signs(r: random.Random, count: int) -> str:
    return "".join(r.choices(string.ascii_letters + string.digits, k=count))


def with_luhn(body: str) -> str:
    """`body` with its check digit (ISO/IEC 7812-1)."""
    return next(body + d for d in string.digits if luhn(body + d))


def _person(r: random.Random) -> str:
    return f"{r.choice(_GIVEN)} {r.choice(_SURNAMES)}"


def _iban(r: random.Random) -> str:
    bban = _digits(r, 18)
    check = 98 - int(bban + "131400") % 97  # ISO 7064 mod 97-10; D=13, E=14
    return f"DE{check:02d}{bban}"


def _ssn(r: random.Random) -> str:
    return f"{r.randint(100, 665)}-{r.randint(10, 99)}-{r.randint(1000, 9999)}"


def _dni(r: random.Random) -> str:
    number = r.randint(10_000_000, 99_999_999)
    return f"{number}{'TRWAGMYFPDXBNJZSQVHLCKE'[number % 23]}"


def _nir(r: random.Random) -> str:
    body = f"{r.randint(1, 2)}{r.randint(10, 99)}{r.randint(1, 12):02d}{r.randint(10, 89)}{_digits(r, 6)}"
    return f"{body}{97 - int(body) % 97:02d}"


def _street(r: random.Random) -> str:
    town = r.choice(("Springfield, IL 62704", "Portland, OR 97205"))
    return f"{r.randint(10, 999)} {r.choice(_SURNAMES)} Street, {town}"


# kind, sentence around the value, value. The surroundings name the kind the way people do, in several languages.
_PLANTS: tuple[tuple[str, str, Callable[[random.Random], str]], ...] = (
    ("person", "My name is {}.", _person),
    ("person", "Please ask Mrs {} about it.", _person),
    ("email", "Write to {} please.", lambda r: f"{_signs(r, 6).lower()}.{r.choice(_SURNAMES).lower()}@example.org"),
    ("phone", "Call me on {} today.", lambda r: f"+44 20 7946 0{_digits(r, 3)}"),
    ("phone", "My number is ({}", lambda r: f"415) 555-0{_digits(r, 3)}"),
    ("payment_card", "Card {} was charged twice.", lambda r: with_luhn("4" + _digits(r, 14))),
    ("iban", "IBAN {}", _iban),
    ("us_ssn", "SSN {}.", _ssn),
    ("es_dni", "DNI {}.", _dni),
    ("fr_nir", "Numéro de sécurité sociale : {}.", _nir),
    ("ipv4", "It came from {} at night.", lambda r: ".".join(str(r.randint(128, 223)) for _ in range(4))),
    ("address", "I live at {}.", _street),
    (
        "birth_date",
        "Date of birth: {}.",
        lambda r: f"{r.randint(1, 28):02d}/{r.randint(1, 12):02d}/{r.randint(1940, 2004)}",
    ),
    ("github_token", "token ghp_{} leaked", lambda r: _signs(r, 36)),
    ("aws_key", "AKIA{} is ours", lambda r: "".join(r.choices(string.ascii_uppercase + "234567", k=16))),
)


@dataclass(frozen=True, slots=True)
class LeakBound:
    """`planted` values, `left` of them found in the output, and with `confidence` the share taken out, at least."""

    planted: int
    left: int
    recall_lower: float
    confidence: float

    @classmethod
    def of(cls, planted: int, left: int, confidence: float) -> LeakBound:
        """With the exact bound."""
        return cls(planted, left, lower(planted - left, planted, confidence), confidence)

    @property
    def leak_upper(self) -> float:
        """The share that is left, at most."""
        return 1.0 - self.recall_lower

    def as_json(self, tried: str = "planted") -> dict[str, Any]:
        """For the manifest; shares in millionths of one, since RFC 8785 numbers should be plain."""
        bounds = {"recall_lower": round(self.recall_lower, 6), "leak_upper": round(self.leak_upper, 6)}
        return {tried: self.planted, "left": self.left, **bounds, "confidence": self.confidence}


def leak_bound(rows: list[dict[str, Any]], redactor: RowRedactor, count: int, seed: str) -> LeakBound:
    """Plant `count` values, one each in copies of `rows` (used in turn), redact them, and count the survivors."""
    plants = [p for p in _PLANTS if redactor.policy.action(p[0]) is not Action.KEEP]
    if not rows or not plants:
        return LeakBound.of(0, 0, redactor.policy.confidence)
    r = random.Random(seed)  # noqa: S311  which rows and values are planted must be repeatable, not secret
    left = 0
    for i in range(count):
        kind, carrier, make = plants[i % len(plants)]
        value = _unlike(make, r, kind, redactor)
        row = rows[i % len(rows)]
        left += survives(value, redactor.redact(_planted(row, carrier.format(value), r)), redactor.redact(row))
    return LeakBound.of(count, left, redactor.policy.confidence)


def _unlike(make: Callable[[random.Random], str], r: random.Random, kind: str, redactor: RowRedactor) -> str:
    """A value that is no surrogate of this data set by chance: one in a range for examples could be, and would stay."""
    for _ in range(_TRIES):
        value = make(r)
        if (
            redactor.policy.action(kind) is not Action.SURROGATE
            or Surrogates(redactor.key or b"").of(value, kind) != value
        ):
            break
    return value


def planted_kinds(policy: Policy) -> list[str]:
    """The kinds that are planted under `policy`."""
    return sorted({kind for kind, _, _ in _PLANTS if policy.action(kind) is not Action.KEEP and kind in KINDS})


def _planted(row: Mapping[str, Any], sentence: str, r: random.Random) -> dict[str, Any]:
    """A copy of `row` with `sentence` put between two sentences of its longest text."""
    result = copy.deepcopy(dict(row))
    places = sorted(_texts(result), key=lambda place: -len(place[0][place[1]]))
    if not places:
        result["text"] = sentence
        return result
    holder, where = places[0]
    text = holder[where]
    at = r.choice([0, *(m.end() for m in _BOUNDARY.finditer(text)), len(text)])
    holder[where] = f"{text[:at]} {sentence} {text[at:]}"
    return result


def _texts(value: Any) -> Iterator[tuple[Any, Any]]:
    """(container, key or index) of every text leaf."""
    items = value.items() if isinstance(value, dict) else enumerate(value)
    for key, inner in list(items):
        if isinstance(inner, str):
            yield value, key
        elif isinstance(inner, (dict, list)):
            yield from _texts(inner)


def survives(value: str, redacted: Mapping[str, Any], before: Mapping[str, Any]) -> bool:
    """Whether the value, or half of it or more in one piece, came through, and was not in the row before. Case,
    separators and JSON escapes do not hide it."""
    text, known = (signs(json.dumps(row, ensure_ascii=False)) for row in (redacted, before))
    plain = signs(value)
    size = max(6, (len(plain) + 1) // 2)
    pieces = (plain[i : i + size] for i in range(len(plain) - size + 1))
    return any(piece in text and piece not in known for piece in pieces)
