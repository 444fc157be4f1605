"""Requests and answers of the operations on sharing."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from troth.kernel.clock import iso_if
from troth.vault.messages import Message, ObjectNamed
from troth.vault.store import Row

_PART = r"[^\s<>\"@\x00-\x1f\x7f]+"
_Address = Annotated[str, Field(min_length=3, max_length=254, pattern=f"^{_PART}@{_PART}$")]


class PersonOfObject(ObjectNamed):
    """Somebody of your tenant by the e-mail address of their account; by an id one could learn whose it is."""

    person: _Address


class Concerned(Message):
    """Somebody whom an object concerns; `address` is that of their account. The keeper says whom it shows."""

    id: str
    address: str | None
    me: bool
    keeper: bool


class People(Message):
    """Who owns an object, and whom it shows."""

    owners: tuple[Concerned, ...]
    shown: tuple[Concerned, ...]


class Depiction(Message):
    """Something that shows you. What it is and whose, its owners know; you may have it erased."""

    object: str
    data_class: str
    created_at: str
    expires_at: str | None

    @classmethod
    def of(cls, row: Row) -> Depiction:
        """The outward form."""
        times = {"created_at": iso_if(row.created_at) or "", "expires_at": iso_if(row.expires_at)}
        return cls(object=row.id, data_class=row.data_class, **times)  # type: ignore[arg-type]


class Depictions(Message):
    """What shows you, oldest first."""

    depictions: tuple[Depiction, ...]


class Left(Message):
    """What you do not own, or what does not show you, any more."""

    object: str
