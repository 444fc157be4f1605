"""A realistic data set for the demonstration: support tickets, chats and mails of invented people, with consent flags.

Deterministic: the same count and seed give the same bytes on every machine. Built from the texts shipped beside this
file; every person, address and number is invented, numbers that have check digits carry right ones.
"""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from importlib import resources
from pathlib import Path
from typing import Any

from troth.redact.canaries import with_luhn
from troth.redact.detect.rules.people import certain_given_names

_SURNAMES = (
    "Abernathy Alvarez Baumgartner Beaumont Bianchi Blackwood Carmichael Castillo Dubois Eriksen "
    "Fairbanks Fernandez Fitzgerald Gallagher Greenwood Haverford Hofmann Iglesias Jankowski Kowalski "
    "Lindqvist Lombardi MacAllister Moreau Nakamura Novak O'Sullivan Oyelaran Pemberton Petrov Quinn "
    "Ramirez Rossi Schneider Sinclair Thornton Underwood Valentine Vasquez Weatherby Whitfield Yamamoto "
    "Zimmermann"
).split()
_STREETS = ("Maple Street", "Station Road", "Harbour Lane", "Orchard Avenue", "Mill Court", "Victoria Terrace")
_TOWNS = ("Springfield, IL 62704", "Portland, OR 97205", "Leeds LS1 4AP", "Bristol BS1 5TR", "Ballarat VIC 3350")
_HOSTS = ("example.org", "example.com", "mail.example.net", "post.example.org")
_CHANNELS = ("ticket", "chat", "mail")
_CONSENT_SHARE = 0.82  # of subjects


@dataclass(frozen=True, slots=True)
class _Person:
    subject: str
    given: str
    surname: str
    consent: str | None

    @property
    def name(self) -> str:
        return f"{self.given} {self.surname}"


@lru_cache(maxsize=1)
def _phrases() -> dict[str, list[str]]:
    lines = resources.files("troth.redact.samples").joinpath("phrases.txt").read_text(encoding="utf-8").splitlines()
    found: dict[str, list[str]] = {}
    for line in lines:
        if line and not line.startswith("#"):
            part, _, sentence = line.partition("\t")
            found.setdefault(part, []).append(sentence)
    return found


@lru_cache(maxsize=1)
def _notes() -> list[str]:
    text = resources.files("troth.redact.samples").joinpath("notes.jsonl").read_text(encoding="utf-8")
    return [json.loads(line)["text"] for line in text.splitlines()]


class _Writer:
    """Fills phrases in for one person."""

    def __init__(self, r: random.Random) -> None:
        self._r = r

    def person(self, number: int) -> _Person:
        r = self._r
        consent = f"c-{r.randrange(16**8):08x}" if r.random() < _CONSENT_SHARE else None
        given = r.choice(certain_given_names())
        return _Person(f"s-{number:06d}", given, r.choice(_SURNAMES), consent)

    def pick(self, part: str, person: _Person) -> str:
        return self._r.choice(_phrases()[part]).format_map(self._values(person))

    def _values(self, person: _Person) -> dict[str, str]:
        r = self._r
        plain = person.surname.lower().replace("'", "")
        return {
            "name": person.name,
            "given": person.given,
            "email": f"{person.given[:1].lower()}.{plain}{r.randrange(100)}@{r.choice(_HOSTS)}",
            "phone": r.choice((f"+44 20 7946 0{r.randrange(1000):03d}", f"(415) 555-0{r.randrange(100, 200)}")),
            "address": f"{r.randrange(1, 400)} {r.choice(_STREETS)}, {r.choice(_TOWNS)}",
            "card": with_luhn("4" + "".join(r.choices("0123456789", k=14))),
            "order": f"{r.randrange(10**7):07d}",
            "version": f"{r.randrange(1, 9)}.{r.randrange(20)}.{r.randrange(10)}",
            "date": f"{r.randrange(1, 29):02d}/{r.randrange(1, 13):02d}/{r.randrange(1945, 2006)}",
        }

    def row(self, number: int, person: _Person) -> dict[str, Any]:
        r = self._r
        body = [self.pick("open", person)]
        for _ in range(r.randint(2, 5)):
            body.append(self.pick("middle" if r.random() < 0.7 else "contact", person))
        body.append(self.pick("close", person))
        row: dict[str, Any] = {
            "id": number,
            "channel": r.choice(_CHANNELS),
            "subject": person.subject,
            "consent": person.consent,
            "title": self.pick("title", person),
            "body": " ".join(body),
            "reply": " ".join(self.pick("reply", person) for _ in range(r.randint(1, 3))),
            "minutes": r.randrange(1, 600),
        }
        if r.random() < 0.15:
            row["note"] = r.choice(_notes())
        return row


def rows(count: int, seed: int = 1) -> Iterator[dict[str, Any]]:
    """`count` rows about some `count`/4 invented subjects; `consent` is a consent id or null."""
    r = random.Random(f"troth/samples/v1/{seed}")  # noqa: S311  invented people need no secrecy
    writer = _Writer(r)
    people = [writer.person(number) for number in range(max(1, count // 4))]
    for number in range(count):
        yield writer.row(number, r.choice(people))


def write_sample(path: Path, megabytes: float = 3.0, seed: int = 1) -> int:
    """Write about `megabytes` of JSON Lines to `path`; the number of rows."""
    limit, size, number = int(megabytes * 1e6), 0, 0
    with path.open("wb") as stream:
        for number, row in enumerate(rows(int(megabytes * 1400) + 1, seed), 1):  # noqa: B007  the last number counts
            size += stream.write(json.dumps(row, ensure_ascii=False).encode() + b"\n")
            if size >= limit:
                break
    return number
