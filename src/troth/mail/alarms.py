"""Writes to people of a tenant, when mail is set up, about what they must not miss; the letters name nobody."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from troth.kernel.errors import Gone, NotFound, Unavailable


@dataclass(frozen=True, slots=True)
class Alarm:
    """One thing to tell: its id, whom to write to (ids of people), and what."""

    id: str
    tenant: str
    people: tuple[str, ...]
    title: str
    text: str


@dataclass(frozen=True, slots=True)
class Message:
    """What is sent: `id` stays the same each time it is tried, so that a copy is seen as one."""

    id: str
    address: str
    title: str
    text: str


class Poster(Protocol):
    """What takes mail to the world."""

    def post(self, message: Message, sender: str) -> None:
        """Send one. Raises `Unavailable` when it was not taken."""
        ...


class Bell(Protocol):
    """Where alarms wait."""

    def waiting(self) -> Sequence[Alarm]:
        """Those of which nobody was told yet."""
        ...

    def address(self, person: str) -> str:
        """A person's address. Raises `NotFound`, `Gone`."""
        ...

    def rung(self, alarm: Alarm) -> None:
        """Everybody was told."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Alarms:
    """Rings for everything that waits. Without a relay the second channel alone is used; pages say it in any case."""

    bells: Sequence[Bell]
    poster: Poster | None
    sender: str
    second: Callable[[Alarm], int] = lambda _alarm: 0
    """Has an alarm told over another channel, once however often it is asked; in how many places (0: none there)."""

    def ring(self) -> int:
        """Write to the people of each alarm; how many letters went.

        What the relay does not take goes out over the second channel at once, and by mail again until it is taken.
        """
        return sum(self._rung(bell, alarm) for bell in self.bells for alarm in bell.waiting())

    def _rung(self, bell: Bell, alarm: Alarm) -> int:
        if self.poster is None:
            if self.second(alarm):
                bell.rung(alarm)
            return 0
        sent = 0
        try:
            for person in alarm.people:
                sent += self._told(self.poster, bell, alarm, person)
        except Unavailable:
            self.second(alarm)
            return sent
        bell.rung(alarm)
        return sent

    def _told(self, poster: Poster, bell: Bell, alarm: Alarm, person: str) -> bool:
        try:
            address = bell.address(person)
        except (NotFound, Gone):  # forgotten meanwhile
            return False
        poster.post(Message(f"{alarm.id}.{person}", address, alarm.title, alarm.text), self.sender)
        return True
