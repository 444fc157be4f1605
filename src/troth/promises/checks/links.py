"""Promises about links to pictures: what somebody can do who changes one."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

from troth.gateway.wire.receipts import OpenAsset
from troth.kernel.caller import Caller, Connection, anonymous
from troth.kernel.errors import Gone, NotFound
from troth.kernel.operation import Binary
from troth.promises.check import Check, Facts, counted
from troth.promises.probe import Probe, probe, refused
from troth.promises.system import System

_NOBODY = anonymous(Connection(None, "in-process"))
_STRIDE = 3  # bytes between two changed ones; an end has 13 digits


class _Links(Protocol):
    """Gives out and opens links, as `Assets` does."""

    def link(self, tenant: str, subject: str, object_id: str) -> str: ...

    def open(self, token: str, caller: Caller) -> tuple[str, Binary]: ...


def _forged(system: System, links: _Links) -> Facts:
    """A genuine link opens; changed anywhere, turned to another's object, or written by hand it opens nothing."""
    with probe(system) as owner, probe(system) as colleague, probe(system, neighbour=True) as other:
        people = (owner, colleague, other)
        mine, *theirs = [_names(person, person.keep(b"by link", kind="output").id) for person in people]
        token = links.link(*mine).rsplit("/", 1)[1]
        forged = {*_changed(token), *(one for names in theirs for one in (*_turned(token, mine, names), *_made(names)))}
        outcomes = [links.open(token, _NOBODY)[1].content == b"by link"]
        outcomes += [refused(lambda one=one: links.open(one, _NOBODY), NotFound) for one in sorted(forged)]  # type: ignore[misc]
        own = system.gateway.assets.link(*mine).rsplit("/", 1)[1]
        outcomes.append(not refused(lambda: _followed(system, own)))
        owner.erase(object_id=mine[2])
        outcomes.append(refused(lambda: _followed(system, own), Gone, NotFound))
    return counted(outcomes)


def _followed(system: System, token: str) -> object:
    """A stranger follows a link: the operation behind it."""
    return system.dispatcher.run("asset.open", _NOBODY, OpenAsset(token=token))


def _names(person: Probe, object_id: str) -> tuple[str, str, str]:
    return person.tenant, person.subject, object_id


def _changed(token: str) -> Iterator[str]:
    """One bit changed, in one byte after another: a digit of an end becomes another digit."""
    raw = _raw(token)
    for place in range(0, len(raw), _STRIDE):
        yield _text(raw[:place] + bytes([raw[place] ^ 1]) + raw[place + 1 :])


def _turned(token: str, mine: tuple[str, ...], theirs: tuple[str, ...]) -> Iterator[str]:
    """The names changed into another's at every place where they may stand, as plain text or under a stream cipher."""
    raw, old, new = _raw(token), "\0".join(mine).encode(), "\0".join(theirs).encode()
    change = bytes(a ^ b for a, b in zip(old, new, strict=True))
    for place in range(len(raw) - len(change) + 1):
        end = place + len(change)
        yield _text(raw[:place] + bytes(a ^ b for a, b in zip(raw[place:end], change, strict=True)) + raw[end:])


def _made(names: tuple[str, ...]) -> Iterator[str]:
    """Links written by hand, with nothing or zeros in the place of a seal."""
    for zeros in (0, 12, 16, 32):
        yield _text(bytes(zeros) + "\0".join((*names, "9999999999999")).encode())


def _raw(token: str) -> bytes:
    return base64.urlsafe_b64decode(token + "=" * (-len(token) % 4))


def _text(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


@dataclass(frozen=True)
class _Open:
    """The known-bad links: they say what they open, and nobody asks who wrote them."""

    system: System

    def link(self, tenant: str, subject: str, object_id: str) -> str:
        """The names and an end, as they are."""
        return "/" + _text("\0".join((tenant, subject, object_id, "9999999999999")).encode())

    def open(self, token: str, caller: Caller) -> tuple[str, Binary]:  # noqa: ARG002 - the shape of links
        try:
            tenant, subject, object_id, _ = _raw(token).decode().split("\0")
        except ValueError as error:
            raise NotFound("No such link.") from error
        return object_id, Binary(self.system.vault.objects.open(tenant, subject, object_id)[1], "text/plain", "")


CHECKS = (
    Check(
        "links-cannot-be-forged",
        ("EDG-05", "RGT-01"),
        "A link to a synthetic picture is changed bit by bit, turned to the object of a colleague and of another "
        "tenant's person, and written by hand: nothing may open. After an erasure the genuine link must not either. "
        "Who hands a link on within its hour is not looked at.",
        lambda system: _forged(system, system.gateway.assets),
        lambda system: _forged(system, _Open(system)),
        every=6 * 3600,
        scope="links to one synthetic picture",
        population="links, genuine and forged",
    ),
)
