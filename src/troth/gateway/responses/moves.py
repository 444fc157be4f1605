"""What happens in an answer, whatever API a vendor told it in: items are opened, say something, and end.

Readers (`native`, `from_chat`) make moves of a vendor's JSON and check every member on the way; `relay` makes of them
what the caller sees. Texts are still the vendor's: placeholders, unmoderated.
"""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass
from typing import Any, Literal

Kind = Literal["message", "function_call", "custom_tool_call", "reasoning"]
Part = Literal["output_text", "refusal", "arguments", "input", "summary_text", "reasoning_text"]
MAX_ITEMS = 256
MAX_PARTS = 256

# Which texts an item of each kind may hold.
PARTS: dict[Kind, frozenset[Part]] = {
    "message": frozenset({"output_text", "refusal"}),
    "function_call": frozenset({"arguments"}),
    "custom_tool_call": frozenset({"input"}),
    "reasoning": frozenset({"summary_text", "reasoning_text"}),
}


@dataclass(frozen=True, slots=True)
class Opened:
    """A new item. `item` is the reader's own name for it; calls have a `call` id and a `name`."""

    item: Hashable
    kind: Kind
    call: str | None = None
    name: str | None = None


@dataclass(frozen=True, slots=True)
class Said:
    """A piece of one text of an open item, perhaps empty; `number` tells texts of one kind apart."""

    item: Hashable
    part: Part
    text: str
    number: int = 0
    logprobs: tuple[dict[str, Any], ...] = ()


@dataclass(frozen=True, slots=True)
class Closed:
    """Nothing more comes for this item."""

    item: Hashable


@dataclass(frozen=True, slots=True)
class Ended:
    """The answer is over. `short_of`: why it is not whole. `usage`: counts as `Response.usage` has them."""

    short_of: Literal["max_output_tokens", "content_filter"] | None = None
    usage: dict[str, Any] | None = None


Move = Opened | Said | Closed | Ended
