"""GET /v1/receipts/{request_id} and GET /v1/assets/{token}."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field

from troth.gateway.wire.fields import Answer, Wire

RequestId = Annotated[str, Field(min_length=1, max_length=64, pattern=r"^[A-Za-z0-9_-]+$")]


class ShowReceipt(Wire):
    """The receipt of one of one's own requests."""

    request_id: RequestId


class OpenAsset(Wire):
    """A link that was given out with a picture."""

    token: Annotated[str, Field(min_length=1, max_length=600, pattern=r"^[A-Za-z0-9_-]+$")]


class Receipt(Answer):
    """What was sent, to whom and on which terms. Times are milliseconds since the epoch.

    `sent` is the request exactly as the vendor got it; pictures stand there as SHA-256 digests. `withheld` counts what
    was replaced, by kind. `retention` is what the vendor's agreement allows it to keep.
    """

    request_id: str
    operation: str
    vendor: str
    model: str
    regions: list[str]
    retention: str
    retention_days: int
    consent: str | None
    withheld: dict[str, int]
    moderation: str
    detector: str
    sent: dict[str, Any]
    sent_at: int
    outcome: str
    answered_at: int | None
    objects: list[str]
