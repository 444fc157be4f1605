"""What the operations on devices take and give."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints


class _Message(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, from_attributes=True)


class BindingOffered(_Message):
    """A challenge, in base64url, for five minutes and one answer."""

    challenge: str


class SessionBind(_Message):
    """A proof that names the challenge as `jti`, with the public key in its header: `troth-device+jwt` of the portal's
    script, or `dbsc+jwt` of a browser that binds sessions itself."""

    bound: Literal["webcrypto", "dbsc"]
    proof: Annotated[str, StringConstraints(min_length=1, max_length=4096)]


class SessionBound(_Message):
    """The session is bound. `cookie` is shown this once and stands for the device, for `seconds`."""

    session: str
    bound: str
    thumbprint: str = Field(description="Of the key, by RFC 7638.")
    cookie: str
    seconds: int
