"""What the gateway asks of a vendor. Payloads are OpenAI's JSON, already redacted; answers are not yet trusted."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Literal, Protocol

from troth.kernel.errors import Invalid, TrothError, VendorFailed

# Refusals that say that the vendor did nothing with the request: it was not reached, did not let us in, or was full.
NOTHING_DONE = frozenset(
    {
        "vendor-unreachable",
        "vendor-resting",
        "vendor-busy",
        "vendor-overloaded",
        "vendor-credential",
        "vendor-model-unknown",
    }
)


@dataclass(frozen=True, slots=True)
class Produced:
    """One picture from a vendor, as it came. `usage` is of the whole answer and stands at its first picture."""

    content: bytes
    revised_prompt: str | None = None
    usage: dict[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class Partial:
    """A stage of a picture that is still being made; `index` counts the stages from 0."""

    content: bytes
    index: int


VideoState = Literal["queued", "in_progress", "completed", "failed", "unknown"]


@dataclass(frozen=True, slots=True)
class VideoProgress:
    """Where a video stands at its vendor. `progress` in percent; `unknown`: the vendor has no such job any more."""

    state: VideoState
    progress: int = 0


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

    async def responses(self, payload: dict[str, Any]) -> dict[str, Any]:
        """A response object, of a vendor whose offer says `responses`."""
        ...

    def responses_stream(self, payload: dict[str, Any]) -> AsyncGenerator[dict[str, Any], None]:
        """The events of a response in order; the last one is `response.completed`, `.incomplete` or `.failed`."""
        ...

    async def embeddings(self, payload: dict[str, Any]) -> dict[str, Any]:
        """A list object of embeddings."""
        ...

    async def image(self, payload: dict[str, Any]) -> list[Produced]:
        """Pictures for a prompt."""
        ...

    async def edit(
        self, payload: dict[str, Any], images: Sequence[Attachment], mask: Attachment | None
    ) -> list[Produced]:
        """Changed pictures."""
        ...

    def image_stream(self, payload: dict[str, Any]) -> AsyncGenerator[Partial | Produced, None]:
        """The same as `image`, with the stages that `partial_images` asks for before the pictures."""
        ...

    def edit_stream(
        self, payload: dict[str, Any], images: Sequence[Attachment], mask: Attachment | None
    ) -> AsyncGenerator[Partial | Produced, None]:
        """The same as `edit`, with stages."""
        ...

    async def video_create(self, payload: dict[str, Any], attachments: Sequence[Attachment]) -> str:
        """Begin a video (prompt, size, seconds); its id at the vendor, at most 200 characters."""
        ...

    async def video_poll(self, identifier: str) -> VideoProgress:
        """Where it stands."""
        ...

    async def video_content(self, identifier: str) -> bytes:
        """The finished video (MP4)."""
        ...

    async def video_cancel(self, identifier: str) -> None:
        """Nobody wants it any more; the vendor forgets it as far as it can."""
        ...


class Unoffered:
    """What an adapter inherits for the calls that its vendor does not know: each refuses with `Invalid`."""

    async def responses(self, payload: dict[str, Any]) -> dict[str, Any]:  # noqa: ARG002
        """Not offered."""
        raise unoffered()

    async def responses_stream(self, payload: dict[str, Any]) -> AsyncGenerator[dict[str, Any], None]:  # noqa: ARG002
        """Not offered."""
        raise unoffered()
        yield {}  # makes this a generator

    async def embeddings(self, payload: dict[str, Any]) -> dict[str, Any]:  # noqa: ARG002
        """Not offered."""
        raise unoffered()

    async def image_stream(self, payload: dict[str, Any]) -> AsyncGenerator[Partial | Produced, None]:  # noqa: ARG002
        """Not offered."""
        raise unoffered()
        yield Partial(b"", 0)  # makes this a generator

    async def edit_stream(
        self,
        payload: dict[str, Any],  # noqa: ARG002
        images: Sequence[Attachment],  # noqa: ARG002
        mask: Attachment | None,  # noqa: ARG002
    ) -> AsyncGenerator[Partial | Produced, None]:
        """Not offered."""
        raise unoffered()
        yield Partial(b"", 0)

    async def video_create(self, payload: dict[str, Any], attachments: Sequence[Attachment]) -> str:  # noqa: ARG002
        """Not offered."""
        raise unoffered()

    async def video_poll(self, identifier: str) -> VideoProgress:  # noqa: ARG002
        """Not offered."""
        raise unoffered()

    async def video_content(self, identifier: str) -> bytes:  # noqa: ARG002
        """Not offered."""
        raise unoffered()

    async def video_cancel(self, identifier: str) -> None:
        """There is nothing to forget."""


def unoffered() -> Invalid:
    """The refusal of a call that this kind of vendor does not know."""
    return Invalid("The vendor of this model does not offer this call; choose another model.",
                   code="call-not-offered", field="model")  # fmt: skip


@contextmanager
def begun() -> Iterator[None]:
    """For the later exchanges of one request: a refusal there says nothing of the work that the vendor has begun.

    Raises `VendorFailed` (vendor-failed) in place of every refusal of `NOTHING_DONE`, so that nobody steps in.
    """
    try:
        yield
    except TrothError as error:
        if error.code in NOTHING_DONE:
            raise VendorFailed("The vendor failed after it had begun; try again.", code="vendor-failed") from error
        raise
