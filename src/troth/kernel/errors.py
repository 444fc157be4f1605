"""Typed refusals. Each has a stable code and a sentence that says what to do; the edge renders them (RFC 9457).

Messages may be shown to strangers: they never carry user content, secrets, paths or library texts.
"""

from __future__ import annotations

from typing import ClassVar


class TrothError(Exception):
    """Base of every refusal Troth makes on purpose.

    Attributes: `code` (stable, kebab-case), `status` (HTTP), `title` (short), `advice` (what the caller can do).
    """

    status: ClassVar[int] = 500
    title: ClassVar[str] = "Something went wrong"
    default_code: ClassVar[str] = "internal"

    def __init__(self, advice: str, *, code: str | None = None, field: str | None = None) -> None:
        super().__init__(advice)
        self.advice = advice
        self.code = code or self.default_code
        self.field = field


class Invalid(TrothError):
    """The request is understood but its content is not acceptable."""

    status, title, default_code = 422, "The request is not valid", "invalid"


class Malformed(TrothError):
    """The bytes are not what their content type says."""

    status, title, default_code = 400, "The request cannot be read", "malformed"


class Unauthenticated(TrothError):
    """No identity, or one that does not hold (expired, revoked, wrong, replayed)."""

    status, title, default_code = 401, "Sign in first", "unauthenticated"


class Denied(TrothError):
    """The policy said no, or gave no clear yes."""

    status, title, default_code = 403, "Not allowed", "access-denied"


class NotFound(TrothError):
    """Nothing of that name for this caller; also the answer for what belongs to another tenant."""

    status, title, default_code = 404, "Not found", "not-found"


class WrongMethod(TrothError):
    """The address exists, for other methods; `Allow` names them (RFC 9110 section 15.5.6)."""

    status, title, default_code = 405, "Not for this method", "no-route"


class TooSlow(TrothError):
    """The rest of a request came too slowly (RFC 9110 section 15.5.9)."""

    status, title, default_code = 408, "Too slow", "too-slow"


class Conflict(TrothError):
    """The state does not permit it now (already exists, already done, changed meanwhile, on hold)."""

    status, title, default_code = 409, "Conflicts with the current state", "conflict"


class Gone(TrothError):
    """It existed and its content was erased or has expired."""

    status, title, default_code = 410, "Erased or expired", "gone"


class PreconditionFailed(TrothError):
    """What the caller saw is not what stands there any more (RFC 9110 section 13)."""

    status, title, default_code = 412, "Changed meanwhile", "precondition-failed"


class TooLarge(TrothError):
    """A size, count, pixel or depth limit was passed."""

    status, title, default_code = 413, "Too large", "too-large"


class UnsupportedMedia(TrothError):
    """A type of content that Troth does not accept here."""

    status, title, default_code = 415, "Unsupported type of content", "unsupported-media"


class TooMany(TrothError):
    """A rate or attempt limit was passed."""

    status, title, default_code = 429, "Too many requests", "too-many-requests"

    def __init__(self, advice: str, *, code: str | None = None, field: str | None = None, seconds: int = 60) -> None:
        super().__init__(advice, code=code, field=field)
        self.seconds = seconds
        """After how long it may be asked again."""


class HeadTooLarge(TrothError):
    """The headers passed their limit (RFC 6585 section 5)."""

    status, title, default_code = 431, "Headers too large", "head-too-large"


class Unavailable(TrothError):
    """Something that must work before we may act does not: no record, no key, no vendor. Nothing was done."""

    status, title, default_code = 503, "Not available now", "unavailable"


class VendorFailed(TrothError):
    """The vendor refused, timed out or answered nonsense."""

    status, title, default_code = 502, "The vendor did not answer as agreed", "vendor-failed"


class IntegrityError(TrothError):
    """A proof, tag, digest or signature does not hold. Never recovered from silently."""

    status, title, default_code = 500, "Integrity check failed", "integrity"
