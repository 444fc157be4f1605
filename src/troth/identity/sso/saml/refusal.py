"""Why a SAML message was refused: one sentence for strangers, one word of a fixed vocabulary for the log."""

from __future__ import annotations

from enum import StrEnum

from troth.kernel.errors import Unauthenticated


class Reason(StrEnum):
    """The words that may reach the audit log. None of them carries anything of the message."""

    TOO_LARGE = "too-large"
    MALFORMED = "malformed"
    DOCTYPE = "doctype"
    COMMENT = "comment"
    CDATA = "cdata"
    INSTRUCTION = "processing-instruction"
    ENCODING = "encoding"
    TOO_DEEP = "too-deep"
    TOO_MANY = "too-many-parts"
    ELEMENT = "unexpected-element"
    ATTRIBUTE = "unexpected-attribute"
    TEXT = "unexpected-text"
    REPEATED = "repeated-element"
    MISSING = "missing-part"
    ID = "bad-id"
    ID_TWICE = "id-not-unique"
    VERSION = "version"
    TIME = "bad-time"
    STATUS = "status-not-success"
    ISSUER = "issuer"
    DESTINATION = "destination"
    UNSOLICITED = "unsolicited"
    STALE = "stale"
    UNSIGNED = "unsigned"
    ALGORITHM = "algorithm"
    TRANSFORM = "transform"
    REFERENCE = "reference"
    SIGNATURE = "signature"
    DIGEST = "digest"
    CERTIFICATE = "certificate-out-of-date"
    ENCRYPTION = "encryption-algorithm"
    DECRYPTION = "decryption"
    NAME_ID = "name-id"
    CONFIRMATION = "confirmation-method"
    CONFIRMATION_OVER = "confirmation-over"
    RECIPIENT = "recipient"
    NOT_YET = "not-yet-valid"
    OVER = "expired"
    AUDIENCE = "audience"
    AUTHENTICATION_OLD = "authentication-too-old"
    SESSION_OVER = "session-over"
    REPLAYED = "replayed"


class SamlRefused(Unauthenticated):
    """A message that does not hold. `reason` is for the log alone: whoever sent it learns nothing from the answer."""

    def __init__(self, reason: Reason) -> None:
        super().__init__(
            "The sign-in of your organisation did not hold; start again from the sign-in page.", code="saml-refused"
        )
        self.reason = reason
