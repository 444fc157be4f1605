"""What people are told by mail about their request. Pure; of the person only the request's id stands in it."""

from __future__ import annotations

from datetime import date
from enum import StrEnum
from types import MappingProxyType
from typing import Final

from troth.vault.rights.requests import Request


class Notice(StrEnum):
    """What is told."""

    RECEIPT = "receipt"
    EXTENSION = "extension"
    ANSWER = "answer"
    REFUSAL = "refusal"
    # The same to the account's own address, when somebody else's address asked: nobody acts for a person unseen.
    RECEIPT_COPY = "receipt-copy"
    EXTENSION_COPY = "extension-copy"
    ANSWER_COPY = "answer-copy"
    REFUSAL_COPY = "refusal-copy"
    ERASED = "erased"  # the last letter


COPIES: Final = MappingProxyType(
    {
        Notice.RECEIPT: Notice.RECEIPT_COPY,
        Notice.EXTENSION: Notice.EXTENSION_COPY,
        Notice.ANSWER: Notice.ANSWER_COPY,
        Notice.REFUSAL: Notice.REFUSAL_COPY,
    }
)
_COPIED: Final = MappingProxyType({copy: first for first, copy in COPIES.items()})


_TITLES = {
    Notice.RECEIPT: "We have your request",
    Notice.EXTENSION: "Your request takes longer",
    Notice.ANSWER: "The answer to your request",
    Notice.REFUSAL: "Your request was refused",
    Notice.ERASED: "You were forgotten, as you asked",
}
_WHY_LONGER = {
    "complexity": "it is complex",
    "number-of-requests": "there are many requests at this time",
}
_RECEIPT = """\
Your message arrived and became request {id}.
You get an answer by {due} at the latest.

Before anything about you is shown, changed or erased, we must see that it is you
who asks: an address in a mail can be forged. If you have an account, sign in and
open "My requests"; there you confirm it with one click. If you have none, we will
ask you for another way. If you write for somebody else, ask that person to sign in
and confirm it themselves.

If you did not write to us, do nothing: nothing happens without the confirmation.
"""
_EXTENSION = """\
Request {id} takes longer than we said, because {why}.
You get an answer by {due} at the latest. There will be no second extension.

You may complain to your data protection authority, and you may go to court.
"""
_ANSWER = """\
Request {id} is answered.

{text}
"""
_REFUSAL = """\
Request {id} was refused. The reason: {reason}.

{text}

You may complain to your data protection authority, and you may go to court.
"""
_COPY = """\
This goes to the address of your account because the request came from another
address, and an officer saw who asked. If it was not you, sign in, open
"My requests" and withdraw it, or write to us at once.

"""
_ERASED = """\
Request {id} is answered: what was kept about you here was erased. The keys of
it are destroyed, so that no backup opens it either; your account is closed.

This address was kept apart to tell you, and is forgotten with this letter.
You may complain to your data protection authority, and you may go to court.
"""


def subject_line(notice: Notice, request: str) -> str:
    """The subject of the mail."""
    return f"{_TITLES[_COPIED.get(notice, notice)]} [{request}]"


def text_of(notice: Notice, request: Request, due: date, written: str = "") -> str:
    """The text of the mail. `written` is what the officer wrote; `due` the day by which the answer comes."""
    if notice is Notice.ERASED:
        return _ERASED.format(id=request.id)
    if notice in _COPIED:
        return _COPY + text_of(_COPIED[notice], request, due, written)
    day = f"{due.day} {due:%B %Y}"
    if notice is Notice.RECEIPT:
        return _RECEIPT.format(id=request.id, due=day)
    if notice is Notice.EXTENSION:
        return _EXTENSION.format(id=request.id, due=day, why=_WHY_LONGER.get(request.reason or "", "of its size"))
    if notice is Notice.ANSWER:
        return _ANSWER.format(id=request.id, text=written)
    reason = (request.reason or "not stated").replace("-", " ")
    return _REFUSAL.format(id=request.id, reason=reason, text=written)
