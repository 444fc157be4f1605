"""Letters about what is due, over the mail relay: how much, the first lines, and where to look. They name nobody."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from troth.governance.deliveries import Letter
from troth.kernel.errors import Gone, NotFound, Unavailable
from troth.mail.alarms import Message, Poster

CHANNEL: Final = "mail"
_BY_MAIL: Final = "This comes by mail because another way to tell you does not work; look at the page."
_SAYS: Final = {"escalated": ", nobody acted yet", "lapsed": ": what hung on it has ended"}


@dataclass(frozen=True, slots=True)
class Letters:
    """Implements `deliveries.Sender`. `poster`: the relay; `address`: of an active account of a tenant, raises
    `NotFound`, `Gone`."""

    poster: Callable[[], Poster | None]
    address: Callable[[str, str], str]
    page: str  # https address of the calendar
    sender: str

    def send(self, letter: Letter) -> None:
        """Post a letter. Raises `Unavailable`, and `Gone` (`nobody-there`) for who was shut out or forgotten."""
        relay = self.poster()
        if relay is None:
            raise Unavailable("No mail relay is set up.", code="no-relay")
        try:
            address = self.address(letter.tenant, letter.target)
        except (NotFound, Gone) as error:
            raise Gone("Who was to be told is not here any more.", code="nobody-there") from error
        title, text = composed(letter, self.page)
        relay.post(Message(letter.id, address, title, text), self.sender)


def composed(letter: Letter, page: str) -> tuple[str, str]:
    """(title, text) of a letter."""
    told = json.loads(letter.body)["data"]
    if "dues" not in told:  # news, of which a webhook should have been told
        return str(told["title"]), f"{told['title']}.\n\nLook here: {told['url']}\n\n{_BY_MAIL}\n"
    dues = told["dues"]
    late = sum(one["state"] in ("overdue", "lapsed") for one in dues)
    count = int(told.get("count", len(dues)))
    title = f"{count} {'thing is' if count == 1 else 'things are'} due" + (f", {late} overdue" if late else "")
    lines = [_line(one) for one in dues]
    if count > len(dues):
        lines.append(f"- and {count - len(dues)} more")
    if letter.instead_of is not None:
        lines.append(f"\n{_BY_MAIL}")
    return title, "\n".join(("This is due in your organisation:", "", *lines, "", f"Look here: {page}", ""))


def _line(one: dict[str, Any]) -> str:
    day = datetime.fromtimestamp(one["at"] / 1000, UTC).strftime("%Y-%m-%d")
    words = f"{one['name']} ({one['form']})".replace("-", " ")
    return f"- {day}: {words}, {one['state']}{_SAYS.get(one['stage'], '')}"
