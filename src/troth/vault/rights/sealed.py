"""What is written in requests and answers: sealed for the person, or for the request itself while nobody knows them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from troth.kernel.personal import PersonalFields

BODY, ANSWER, STATEMENT, CLOSING = "request-body", "request-answer", "statement", "request-closing"


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """What somebody wrote. `address` is where an answer goes when they have no account here."""

    text: str = ""
    title: str = ""
    address: str | None = None


class SealedTexts:
    """Seals and opens the texts of one row. A row is a mapping with `tenant`, `subject`, `id`, `body` and `answer`."""

    def __init__(self, fields: PersonalFields) -> None:
        self._fields = fields

    def body(self, tenant: str, holder: str, written: Written) -> bytes:
        """Sealed for `holder`: a person, or a request that belongs to nobody yet."""
        return self._fields.seal(tenant, holder, BODY, json.dumps(asdict(written)).encode())

    def answer(self, tenant: str, holder: str, text: str) -> bytes:
        """The sealed answer."""
        return self._fields.seal(tenant, holder, ANSWER, text.encode())

    def written(self, row: Mapping[str, Any]) -> Written:
        """What was asked; nothing when it was forgotten."""
        if row["body"] is None:
            return Written()
        return Written(**json.loads(self._fields.open(row["tenant"], holder_of(row), BODY, row["body"])))

    def answered(self, row: Mapping[str, Any]) -> str | None:
        """What was answered."""
        if row["answer"] is None:
            return None
        return self._fields.open(row["tenant"], holder_of(row), ANSWER, row["answer"]).decode()

    def statement(self, tenant: str, subject: str, text: str) -> bytes:
        """A sealed statement."""
        return self._fields.seal(tenant, subject, STATEMENT, text.encode())

    def stated(self, row: Mapping[str, Any]) -> str:
        """The text of a statement's row."""
        return self._fields.open(row["tenant"], row["subject"], STATEMENT, row["text"]).decode()

    def closing(self, tenant: str, letter: str, address: str) -> bytes:
        """The sealed address of a closing letter, under the letter's own key."""
        return self._fields.seal(tenant, letter, CLOSING, address.encode())

    def closing_address(self, row: Mapping[str, Any]) -> str:
        """The address of a closing letter's row."""
        return self._fields.open(row["tenant"], row["id"], CLOSING, row["letter"]).decode()

    def index(self, label: str, value: str) -> bytes:
        """A keyed hash."""
        return self._fields.blind_index(label, value)


def holder_of(row: Mapping[str, Any]) -> str:
    """Whose key a row's texts are sealed under."""
    return str(row["subject"] or row["id"])
