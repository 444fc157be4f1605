"""What the data map says: activities with their purposes, tables and stores (GDPR Art. 30), and what holds no people.

Plain immutable data. `reading` makes it of YAML, `linting` says what contradicts, `places` compares it with what there
is, `statement` says it in plain words.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import field
from typing import Annotated, Final, Literal

import rfc8785
from pydantic import ConfigDict, Field, StringConstraints, TypeAdapter
from pydantic.dataclasses import dataclass

_STRICT: Final = ConfigDict(extra="forbid")

Token = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9-]{0,63}$")]
Name = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{0,62}$")]
Words = Annotated[str, StringConstraints(min_length=1, max_length=400, pattern=r"^[^\x00-\x1f\x7f]+$")]
Basis = Literal["contract", "consent", "legal-obligation", "legitimate-interests", "vital-interests", "public-task"]
Held = Literal["id", "sealed", "digest", "plain"]
Kind = Literal["controller", "processor"]


@dataclass(frozen=True, slots=True, config=_STRICT)
class Retention:
    """For how long. `days` from the moment that `after` names; None: until that moment itself.

    `setting`: which setting of an installation says how many days it is there.
    """

    after: Token
    days: Annotated[int, Field(ge=0, le=40_000)] | None = None
    setting: Annotated[str, StringConstraints(pattern=r"^[a-z]+\.[a-z_]+$")] | None = None


@dataclass(frozen=True, slots=True, config=_STRICT)
class Table:
    """Personal data of one table. Columns of a person go when they are erased; those of `stays` do not, and why.

    `id`: the opaque id, `sealed`: under the person's key, `digest`: keyed or of a random value, `plain`: as it is.
    `shown_as`: `holder/kind` as the person's copy lists it. `without`: columns of bytes that hold nothing of people,
    and why.
    """

    columns: Mapping[Name, Held] = field(default_factory=dict)
    stays: Mapping[Name, Words] = field(default_factory=dict)
    without: Mapping[Name, Words] = field(default_factory=dict)
    shown_as: tuple[Annotated[str, StringConstraints(pattern=r"^[a-z-]+/[a-z-]+$")], ...] = ()


@dataclass(frozen=True, slots=True, config=_STRICT)
class Store:
    """A place outside tables. `paths` begin with the setting that names the folder, `settings` name what points there.

    `erased`: how what it holds of a person ends.
    """

    title: Words
    erased: Words
    paths: tuple[Words, ...] = ()
    settings: tuple[Words, ...] = ()


@dataclass(frozen=True, slots=True, config=_STRICT)
class Activity:
    """One processing activity, with all that GDPR Art. 30(1) and 13(1), (2) ask of it. Tokens are words of the map."""

    id: Token
    title: Words
    purpose: Token
    basis: Basis
    subjects: tuple[Token, ...]
    categories: tuple[Token, ...]
    recipients: tuple[Token, ...]
    regions: tuple[Token, ...]
    retention: tuple[Retention, ...]
    safeguards: tuple[Token, ...]
    automated: Token = "none"
    transfers: Token = "none"
    role: Kind = "controller"
    interest: Words | None = None  # what the interest is, for legitimate-interests (Art. 13(1)(d))
    tables: Mapping[Name, Table] = field(default_factory=dict)
    stores: tuple[Token, ...] = ()


@dataclass(frozen=True, slots=True, config=_STRICT)
class Supplier:
    """A vendor that may be sent what people write: what is on file of it, as the map of a moment has it."""

    id: str
    name: str
    models: tuple[str, ...]
    regions: tuple[str, ...]
    retention: str
    retention_days: int = 0
    sub_processors: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, config=_STRICT)
class Exempt:
    """What holds nothing of people, by name, and why."""

    tables: Mapping[Name, Words] = field(default_factory=dict)
    stores: Mapping[Token, Words] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, config=_STRICT)
class DataMap:
    """The whole map. `words` says each token in plain words, by kind (purpose, subject, category, …)."""

    version: int
    words: Mapping[Token, Mapping[Token, Words]]
    activities: tuple[Activity, ...]
    stores: Mapping[Token, Store]
    exempt: Exempt
    suppliers: tuple[Supplier, ...] = ()
    rights: Mapping[Token, Words] = field(default_factory=dict)  # what people may ask (Art. 13(2)(b) to (d))

    @property
    def tables(self) -> dict[str, Table]:
        """Every table that holds personal data."""
        return {name: table for one in self.activities for name, table in one.tables.items()}

    @property
    def personal_stores(self) -> frozenset[str]:
        """Names of the stores that hold personal data."""
        return frozenset(name for one in self.activities for name in one.stores)

    def columns(self) -> Iterator[tuple[str, Held]]:
        """Columns that go with a person, as table.column, and how they are held."""
        for name, table in self.tables.items():
            yield from ((f"{name}.{column}", held) for column, held in table.columns.items())

    def staying(self) -> dict[str, str]:
        """Columns in which a person's opaque id stays, as table.column, and why."""
        return {f"{name}.{column}": why for name, table in self.tables.items() for column, why in table.stays.items()}


_WHOLE: Final[TypeAdapter[DataMap]] = TypeAdapter(DataMap)


def digest(of: DataMap) -> str:
    """SHA-256 (hex) over the map in canonical JSON (RFC 8785)."""
    return hashlib.sha256(rfc8785.dumps(_WHOLE.dump_python(of, mode="json"))).hexdigest()
