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


class StepsIn(Answer):
    """A vendor that might have got the same request in place of the first, and on which terms."""

    vendor: str
    regions: list[str]
    retention: str
    retention_days: int


class Routing(Answer):
    """How the vendor was chosen: `refused` says by which code the others that offer the model were left out."""

    refused: dict[str, str]
    may_step_in: list[StepsIn]


class Attempt(Answer):
    """One vendor that was sent the request, and how that ended."""

    vendor: str
    outcome: str
    sent_at: int


class Step(Answer):
    """One thing that was done with the request before it left, or with its answer, and what did it, with its version.

    `count`: of values that came back into the answer, how many different ones.
    """

    step: str
    by: str
    count: int | None = None


class Receipt(Answer):
    """What was sent, to whom and on which terms. Times are milliseconds since the epoch.

    `sent` is the request exactly as the vendor got it; pictures stand there as SHA-256 digests. `withheld` counts what
    was replaced, by kind. `retention` is what the vendor's agreement allows it to keep. `objected`: the uses that the
    person said no to when it left, such as sale and sharing by a browser's Sec-GPC signal. `vendor` was asked first;
    `attempts` names every vendor that was sent the request when another had to step in, in order.
    `steps`: what was done before it left, `answer_steps`: with what came back, in order. `expires_at`: when this
    receipt ends at the latest. `pictures`: what was done to those that left (blur, fill, remove or keep: faces, words,
    codes); what was covered in them does not come back in an answer. `marked`: how many of `objects` carry which mark
    (`content-credentials`, `time-stamp`, `watermark`, `fingerprint`); None for answers without pictures. `parts`: what
    was sent further for the same request, in order: a picture that the model asked for is a receipt of its own.
    """

    request_id: str
    operation: str
    vendor: str
    model: str
    regions: list[str]
    retention: str
    retention_days: int
    consent: str | None
    objected: tuple[str, ...] = ()
    withheld: dict[str, int]
    moderation: str
    detector: str
    sent: dict[str, Any]
    sent_at: int
    outcome: str
    answered_at: int | None
    objects: list[str]
    routing: Routing | None = None  # None in receipts of before
    attempts: tuple[Attempt, ...] = ()
    pictures: dict[str, str] | None = None  # None without pictures, and for the local studio
    steps: tuple[Step, ...] = ()  # empty in receipts of before
    answer_steps: tuple[Step, ...] = ()  # likewise
    marked: dict[str, int] | None = None  # None in receipts of before, too
    expires_at: int | None = None
    parts: tuple[Receipt, ...] = ()
