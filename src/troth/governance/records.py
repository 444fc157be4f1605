"""A record of a register is what its events say: a list that only grows, each event bound to the one before it.

The link of an event is the SHA-256 of who, when, which move, the digest of its content and the link before. The content
itself is bound by HMAC-SHA256 under a salt of its own, so that it may be erased with its person while the chain holds.
"""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final

import rfc8785

from troth.governance.forms.expressions import Value
from troth.governance.forms.fields import read_value
from troth.governance.forms.form import Form
from troth.kernel.errors import IntegrityError, Invalid

FIRST: Final = "0" * 64
ATTACH, DETACH = "attach", "detach"  # moves that every form has; a file changes nothing of what a record says
OF_FILES: Final = frozenset({ATTACH, DETACH})
_PREFIX: Final = b"troth-register-v1\n"
_LARGE: Final = 2**53  # from here on a number has no exact double
_AS_THEY_ARE: Final = frozenset({str, bool, type(None)})
_encode = json.JSONEncoder(ensure_ascii=False, sort_keys=True, separators=(",", ":"), check_circular=False).encode


@dataclass(frozen=True, slots=True)
class Event:
    """One event of a record. `values` as in JSON; None: erased with its person. Times in epoch ms.

    `digest`: `content_digest(salt, values)`, which stays when the content goes.
    """

    form: str
    form_version: int
    record: str
    sequence: int
    at: int
    actor: str
    move: str
    state: str
    values: Mapping[str, Any] | None
    salt: bytes
    digest: str
    previous: str

    @property
    def link(self) -> str:
        """What the next event names as `previous`, and the log keeps."""
        told: list[str | int] = [
            self.form, self.form_version, self.record, self.sequence, self.at, self.actor, self.move, self.state,
            self.digest, self.previous,
        ]  # fmt: skip
        return hashlib.sha256(_PREFIX + canonical(told)).hexdigest()


@dataclass(frozen=True, slots=True)
class Done:
    """The last time that a move was made, and by whom."""

    at: int
    actor: str


@dataclass(frozen=True, slots=True)
class Record:
    """What the events of a record add up to.

    `raw` is as in JSON, `values` as conditions see it. `done`: the last of each move, `entered`: when each state was
    reached first, `changed_at`: the last entry that is of no file, `forgotten`: how many events lost their content with
    a person.
    """

    form: str
    id: str
    state: str
    raw: Mapping[str, Any]
    values: Mapping[str, Value]
    opened_at: int
    changed_at: int
    sequence: int
    head: str
    done: Mapping[str, Done] = field(default_factory=dict)
    entered: Mapping[str, int] = field(default_factory=dict)
    forgotten: int = 0


def content_digest(salt: bytes, values: Mapping[str, Any]) -> str:
    """HMAC-SHA256 of the canonical JSON (RFC 8785) under the salt, in hex."""
    return hmac.new(salt, canonical(dict(values)), hashlib.sha256).hexdigest()


def canonical(told: dict[str, Any] | list[Any]) -> bytes:
    """Canonical JSON (RFC 8785). Raises as `rfc8785.dumps`.

    Texts, flags, lists of texts and numbers without a fraction are written alike by the encoder of Python, at a tenth
    of the cost: names of members are ASCII, so that the order of code points is that of UTF-16.
    """
    values = told
    if isinstance(told, dict):
        values = list(told.values())
        if not all(map(str.isascii, told)):
            return rfc8785.dumps(told)
    if all(map(_plain, values)):
        try:
            return _encode(told).encode()
        except UnicodeEncodeError:  # half a character, which the other way refuses by name
            pass
    return rfc8785.dumps(told)


def _plain(value: Any) -> bool:
    kind = type(value)
    if kind is list:
        return all(type(one) is str for one in value)
    return kind in _AS_THEY_ARE or (kind is int and -_LARGE < value < _LARGE)


def erased(event: Event) -> Event:
    """The event without its content and salt: nothing can be guessed from the digest that stays."""
    return replace(event, values=None, salt=b"")


def fold(form: Form, events: Sequence[Event]) -> Record:
    """The record that `events` make, in their order.

    What the form of today can no longer read counts as missing. Raises IntegrityError(register-chain) when an event
    is missing, altered, moved or of another record. Of the last event only its content and number are held by the
    chain: compare `head` with what the log keeps.
    """
    if not events:
        raise _broken()
    raw: dict[str, Any] = {}
    done: dict[str, Done] = {}
    entered: dict[str, int] = {}
    changed = events[0].at
    previous = FIRST
    for number, event in enumerate(events, 1):
        _hold(event, events[0], number, previous)
        raw |= event.values or {}
        done[event.move] = Done(event.at, event.actor)
        entered.setdefault(event.state, event.at)
        changed = changed if event.move in OF_FILES else event.at
        previous = event.link
    first, last = events[0], events[-1]
    if last.state not in form.states:
        raise Invalid("A record stands in a state that its form does not know any more.", code="bad-form")
    known = {name: one for name, one in raw.items() if name in form.fields}
    return Record(
        form=form.name, id=first.record, state=last.state, raw=known, values=typed(form, known), opened_at=first.at,
        changed_at=changed, sequence=last.sequence, head=previous, done=done, entered=entered,
        forgotten=sum(one.values is None for one in events),
    )  # fmt: skip


def _hold(event: Event, first: Event, number: int, previous: str) -> None:
    same = (event.form, event.record) == (first.form, first.record)
    if not same or event.sequence != number or event.previous != previous:
        raise _broken()
    if event.values is not None and not hmac.compare_digest(content_digest(event.salt, event.values), event.digest):
        raise _broken()


def _broken() -> IntegrityError:
    says = "The events of a record do not follow on each other; restore them from a backup and look who changed them."
    return IntegrityError(says, code="register-chain")


def typed(form: Form, raw: Mapping[str, Any]) -> dict[str, Value]:
    """Values as conditions see them; what the form cannot read counts as missing."""
    found: dict[str, Value] = {}
    for name, one in form.fields.items():
        try:
            found[name] = read_value(one, raw.get(name))
        except Invalid:
            found[name] = None
    return found


def mentions(record: Record, text: str) -> bool:
    """Whether a text stands in one of the record's texts, in whatever case."""
    wanted = text.casefold()
    flat = [entry for one in record.raw.values() for entry in (one if isinstance(one, list) else [one])]
    return any(wanted in one.casefold() for one in flat if isinstance(one, str))
