"""What the rights need to know of accounts; bound in the wiring, for the vault knows none."""

from __future__ import annotations

from typing import Protocol


class Directory(Protocol):
    """Who has an account."""

    def find(self, tenant: str, address: str) -> str | None:
        """The person of a tenant with this e-mail address."""
        ...

    def belongs(self, tenant: str, subject: str) -> bool:
        """Whether there is such a person in the tenant."""
        ...

    def address(self, tenant: str, subject: str) -> str | None:
        """The e-mail address of a person's account; None for nobody, or for one who is forgotten."""
        ...

    def other_officers(self, tenant: str, subject: str) -> bool:
        """Whether anybody else of the tenant may handle requests."""
        ...


class Choices(Protocol):
    """The privacy settings of people."""

    def change(self, owner: str, name: str, value: str) -> None:
        """Choose one value."""
        ...
