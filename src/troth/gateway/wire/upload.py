"""One uploaded part of a multipart form, as the HTTP door hands it over."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field


class Upload(BaseModel):
    """A file in memory. `filename` and `media_type` are what the client claims; `intake` decides what it is."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    filename: str = Field(max_length=1024)
    media_type: str = Field(max_length=255)
    content: bytes = Field(max_length=64 << 20, repr=False)
