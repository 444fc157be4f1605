"""Refusals of the authorization server. Their codes are those of RFC 6749 section 5.2 and RFC 8628 section 3.5, with
dashes; the door writes them as `{"error", "error_description"}`."""

from __future__ import annotations

from typing import ClassVar

from troth.kernel.errors import TrothError, Unauthenticated


class GrantRefused(TrothError):
    """The request for a token is refused."""

    status: ClassVar[int] = 400
    title: ClassVar[str] = "The request for a token is refused"
    default_code: ClassVar[str] = "invalid-grant"


class ClientRefused(Unauthenticated):
    """The client did not show that it is the one it names."""

    default_code: ClassVar[str] = "invalid-client"


def bad_grant() -> GrantRefused:
    """One answer for every code or token that is unknown, used, over, of another client or of another key."""
    return GrantRefused("This code or token does not hold, or belongs to another client or key; begin again.")


def bad_client() -> ClientRefused:
    """One answer for every client that is unknown, disabled, over, or signs wrongly."""
    return ClientRefused("The client is not known, not in force, or did not prove itself by its key.")


def bad_request(advice: str) -> GrantRefused:
    """Something is missing or not of the form that RFC 6749 gives it."""
    return GrantRefused(advice, code="invalid-request")
