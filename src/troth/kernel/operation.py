"""One declaration of an operation yields its HTTP route, command, permission and audit event (house rules 1, 2)."""

from __future__ import annotations

import inspect
from collections import Counter
from collections.abc import AsyncGenerator, Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, TypeVar

from troth.kernel.caller import Caller
from troth.kernel.data_class import DataClass
from troth.kernel.errors import Denied, NotFound
from troth.kernel.record import Change, Fact, checked_facts


class Group(StrEnum):
    """Families of actions; the Cedar policies speak of these, never of single operations."""

    PUBLIC = "public"  # anyone, signed in or not
    SIGN_IN = "sign-in"  # becoming somebody
    OWN_ACCOUNT = "own-account"  # one's own account: sessions, second factor, sign-out
    OWN_DATA = "own-data"  # one's own content: list, open, export, delete, agree to its use
    OWN_RIGHTS = "own-rights"  # asking for one's rights and following that, taking consent back; never content
    OWN_ERASURE = "own-erasure"  # forgetting oneself: a person, never a key
    OWN_KEYS = "own-keys"  # one's own API keys
    GENERATE = "generate"  # calls that may reach a vendor
    ADMINISTER = "administer"  # people and roles of one's own tenant
    PRIVACY = "privacy"  # rights of other people of the tenant: erase on request
    AUDIT = "audit"  # read the log of one's own tenant
    REVIEW = "review"  # judge what administrators did, by the log that one may read
    GOVERN = "govern"  # the registers of one's own tenant: what people must do and prove
    OPERATE = "operate"  # the service itself: tenants, vendors, promises
    PROVISION = "provision"  # people and groups of one tenant, by its identity provider (RFC 7644)
    ROOM = "room"  # an auditor's rooms: each shows its own promises, registers and period, until its day


@dataclass(frozen=True, slots=True)
class Route:
    """Where an operation stands in HTTP; braces hold path parameters.

    `body` is none, json, form, multipart, either (json or multipart) or scim.
    """

    method: str
    path: str
    body: str = "json"
    status: int = 200
    max_bytes: int = 1 << 20


@dataclass(slots=True)
class Call:
    """One running operation: who asked, when, and the facts that the closing record will carry."""

    caller: Caller
    request_id: str
    at: datetime
    facts: dict[str, Fact] = field(default_factory=dict)
    last: list[Change] = field(default_factory=list)
    after: list[Callable[[], None]] = field(default_factory=list)
    uses: Counter[str] = field(default_factory=Counter)  # of content and vendors (`kernel.uses`)
    reasons: list[tuple[str, str]] = field(default_factory=list)  # (person it is about, text), at most one
    told: dict[str, str] = field(default_factory=dict)  # response headers, also of a refusal
    also: Callable[[str], None] | None = field(default=None, repr=False, compare=False)  # set by the dispatcher

    def finish_with(self, change: Change) -> None:
        """A small change that is made in the transaction of the closing record: both happen or neither."""
        self.last.append(change)

    def afterwards(self, act: Callable[[], None]) -> None:
        """Something short, in memory, that is done once the closing record stands. It must not raise."""
        self.after.append(act)

    def note(self, **facts: Fact) -> None:
        """Add facts to the closing record. Raises `Invalid` for anything that is not an id, enum or number."""
        self.facts.update(checked_facts(facts))

    def explain(self, reason: str, about: str | None = None) -> None:
        """Why, in free text: sealed beside the closing record for the person it is about (the caller, if not said)."""
        person = about or self.caller.subject
        if person is not None and reason:
            self.reasons[:] = [(person, reason)]

    def require(self, operation: str) -> None:
        """For what this operation does of another one's work, such as reading: raises the refusal that the caller would
        meet there. A permission for one operation is none for what it could be made to do."""
        if self.also is None:
            raise Denied("This was not asked by the one road in, so nothing more is permitted; ask through a door.")
        self.also(operation)

    @property
    def tenant(self) -> str:
        """The caller's tenant. Raises `NotFound` for a caller without one."""
        if self.caller.tenant is None:
            raise NotFound("This belongs to a tenant; sign in as one of its members.")
        return self.caller.tenant

    @property
    def subject(self) -> str:
        """The person the caller acts for. Raises `NotFound` for a caller without one."""
        if self.caller.subject is None:
            raise NotFound("This belongs to a person; sign in as one.")
        return self.caller.subject


@dataclass(frozen=True, slots=True)
class Binary:
    """A response of bytes; nothing keeps it on the way unless `cache_control` (RFC 9111) says so."""

    content: bytes
    media_type: str
    filename: str | None = None
    cache_control: str = "no-store"


@dataclass(frozen=True, slots=True)
class Reply:
    """A response as another protocol wants it: status, bytes and headers of its own."""

    status: int
    content: bytes
    media_type: str
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Stream:
    """A response that arrives in pieces; the audit record closes when it ends."""

    chunks: AsyncGenerator[bytes, None]
    media_type: str = "text/event-stream"
    headers: Mapping[str, str] = field(default_factory=dict)  # response headers, known before the first piece


@dataclass(frozen=True, slots=True)
class Declaration:
    """What the author of an operation says about it."""

    name: str
    group: Group
    request: type[Any]
    route: Route | None
    command: tuple[str, ...] | None
    data_class: DataClass
    quick: bool = False


@dataclass(frozen=True, slots=True)
class Operation:
    """A declared operation bound to the object that does it."""

    declaration: Declaration
    run: Callable[[Call, Any], Any]
    asynchronous: bool = field(init=False)
    """True for vendor calls and relays; everything else runs on a worker thread."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "asynchronous", inspect.iscoroutinefunction(self.run))

    @property
    def name(self) -> str:
        return self.declaration.name

    @property
    def summary(self) -> str:
        """First line of its docstring, for help texts and OpenAPI."""
        return (inspect.getdoc(self.run) or self.name).splitlines()[0]

    @property
    def response(self) -> Any:
        """The annotated return type, resolved."""
        return inspect.signature(self.run, eval_str=True).return_annotation


F = TypeVar("F", bound=Callable[..., Any])


def operation(
    name: str,
    *,
    group: Group,
    request: type[Any],
    route: Route | None = None,
    command: tuple[str, ...] | None = None,
    data_class: DataClass = DataClass.SYSTEM,
    quick: bool = False,
) -> Callable[[F], F]:
    """Declare a method `(self, call: Call, request: Request) -> Response` as an operation.

    `name` is noun.verb and is also the Cedar action; `data_class` is the strictest class it may reveal.
    `quick` says that it does no more than a short read of the database: a hand-over to another thread would cost more.
    """
    declaration = Declaration(name, group, request, route, command, data_class, quick)

    def mark(function: F) -> F:
        function.__operation__ = declaration  # type: ignore[attr-defined]
        return function

    return mark


def declarations(owner: type[Any]) -> Iterator[tuple[str, Declaration]]:
    """Method names and declarations of a class, in source order; needs no instance (docs, CLI, schema)."""
    for attribute, member in vars(owner).items():
        if hasattr(member, "__operation__"):
            yield attribute, member.__operation__


class Registry:
    """All operations by name. Two of one name, or of one route, are a mistake and stop the start."""

    def __init__(self, *owners: Any) -> None:
        self._operations: dict[str, Operation] = {}
        routes: set[tuple[str, str]] = set()
        for owner in owners:
            for attribute, declaration in declarations(type(owner)):
                place = (declaration.route.method, declaration.route.path) if declaration.route else None
                if declaration.name in self._operations or place in routes:
                    raise ValueError(f"operation {declaration.name} is declared twice")
                self._operations[declaration.name] = Operation(declaration, getattr(owner, attribute))
                if place:
                    routes.add(place)

    def __iter__(self) -> Iterator[Operation]:
        return iter(self._operations.values())

    def __getitem__(self, name: str) -> Operation:
        if name not in self._operations:
            raise NotFound("There is no such operation.", code="unknown-operation")
        return self._operations[name]

    def __len__(self) -> int:
        return len(self._operations)
