"""What a connection of kind `saml` keeps in its JSON settings."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

Attribute = Annotated[str, StringConstraints(min_length=1, max_length=256, pattern=r"^[^\x00-\x1f\x7f]*$")]
_Base64 = Annotated[str, StringConstraints(max_length=8192)]


class Reading(BaseModel):
    """Where a person's facts stand in the provider's answer. A field that is not given means the NameID."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    subject_attribute: Attribute | None = Field(default=None, description="One that never changes; else the NameID.")
    email_attribute: Attribute | None = Field(default=None, description="The address; else the NameID.")
    name_attribute: Attribute | None = Field(default=None, description="The name to show.")
    max_age_hours: int = Field(default=12, ge=1, le=24, description="How long ago a person may have signed in there.")


class Settings(Reading):
    """`Reading`, with what metadata said and our own certificates (the one that signs first). Times in epoch ms."""

    sso_url: str
    certificates: Annotated[tuple[_Base64, ...], Field(min_length=1, max_length=8)]
    valid_until: int | None = None
    own: Annotated[tuple[_Base64, ...], Field(min_length=1, max_length=2)]
