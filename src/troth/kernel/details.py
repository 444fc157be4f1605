"""Personal details of an audit entry: who did it from where, and why in their own words. Never in the log itself.

The entry carries only a commitment, `pd` = HMAC-SHA256(salt, details). Details and salt are sealed under the key
unit of the person they are about, beside the log: when that key is destroyed the commitment says nothing and no proof
breaks.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

from troth.kernel.caller import Caller

OPERATORS = "operator"  # whose keys seal what is about people who stand outside every tenant
UNAVAILABLE = "unavailable"  # stands for a commitment when the keys were away; the entry says so for ever
MAX_AGENT = 256  # characters of a user agent that are kept
MAX_REASON = 500  # characters of a reason in free text
Owner = tuple[str, str]  # tenant (or `OPERATORS`) and person


@dataclass(frozen=True, slots=True)
class SealedDetails:
    """Details ready to be kept. `commitment` is 64 hex digits, or `UNAVAILABLE` and then `content` is empty."""

    owner: Owner
    commitment: str
    content: bytes = field(repr=False)


class DetailSealer(Protocol):
    """Seals details for the person they are about."""

    def seal(self, owner: Owner, details: Mapping[str, str]) -> SealedDetails | None:
        """Sealed; None for a person who was erased; with `UNAVAILABLE` when the keys cannot be used. Never raises."""
        ...

    def at_hand(self, owner: Owner) -> bool:
        """True when `seal` answers from memory, so that an event loop may call it."""
        ...


def owner_of(caller: Caller) -> Owner | None:
    """The person that a caller's details are about; None for strangers and services, of whom nothing is kept."""
    return None if caller.subject is None else (caller.tenant or OPERATORS, caller.subject)


def details_of(caller: Caller) -> dict[str, str]:
    """Where an identified caller came from: door, address, agent, session. Empty for a call inside this process."""
    origin = caller.connection.origin
    if not (origin.address or origin.agent):
        return {}
    members = {
        "door": origin.door,
        "address": origin.address,
        "agent": origin.agent,
        "session": caller.authentication.credential or "",
    }
    return {name: value for name, value in members.items() if value}


def printable(text: str, most: int) -> str:
    """What a stranger sent, cut to `most` characters and without control characters."""
    cut = text[:most]
    return (cut if cut.isprintable() else "".join(one if one.isprintable() else " " for one in cut)).strip()
