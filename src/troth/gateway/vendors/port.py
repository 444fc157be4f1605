"""What the gateway asks of a vendor. Payloads are OpenAI's JSON, already redacted; answers are not yet trusted."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass
from typing import Any, Protocol


@dataclass(frozen=True, slots=True)
class Produced:
    """One picture from a vendor, as it came."""

    content: bytes
    revised_prompt: str | None = None


@dataclass(frozen=True, slots=True)
class Attachment:
    """One picture for a vendor: personal metadata is gone, and it has no file name. Sides in pixels."""

    content: bytes
    media_type: str
    width: int
    height: int


class Vendor(Protocol):
    """One vendor that can be called. Every method raises `VendorFailed`, `TooMany`, `Invalid` or `Unavailable`."""

    async def chat(self, payload: dict[str, Any]) -> dict[str, Any]:
        """A chat.completion object."""
        ...

    def chat_stream(self, payload: dict[str, Any]) -> AsyncGenerator[dict[str, Any], None]:
        """chat.completion.chunk objects in order."""
        ...

    async def image(self, payload: dict[str, Any]) -> list[Produced]:
        """Pictures for a prompt."""
        ...

    async def edit(
        self, payload: dict[str, Any], images: Sequence[Attachment], mask: Attachment | None
    ) -> list[Produced]:
        """Changed pictures."""
        ...
