"""The three classes of data (promise CLS-01), from strictest to least strict."""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum


class DataClass(StrEnum):
    """Everything Troth keeps falls in exactly one of these."""

    USER_GENERATED = "user-generated"  # prompts, uploads, outputs and what derives from them
    ACCOUNT = "account"  # who a person is to us: names, addresses, credentials, consent
    SYSTEM = "system"  # what runs the service: configuration, counters, evidence; no personal data

    @property
    def code(self) -> int:
        """One byte in object headers (TOB1)."""
        return {DataClass.USER_GENERATED: 1, DataClass.ACCOUNT: 2, DataClass.SYSTEM: 3}[self]

    @classmethod
    def from_code(cls, code: int) -> DataClass:
        """The inverse of `code`. Raises ValueError for an unknown byte."""
        return {1: cls.USER_GENERATED, 2: cls.ACCOUNT, 3: cls.SYSTEM}[code] if code in (1, 2, 3) else cls(str(code))


def strictest(classes: Iterable[DataClass]) -> DataClass:
    """The class a derived object inherits from its inputs (promise CLS-08)."""
    return min(classes, key=lambda one: one.code)
