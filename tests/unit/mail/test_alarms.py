"""Alarms: every owner is written to once, what the relay does not take is tried again, the text names nobody."""

from __future__ import annotations

from dataclasses import dataclass, field
from email import message_from_bytes
from pathlib import Path

from mail_world import PASSWORD, USER, Postbox, relay
from troth.kernel.errors import NotFound
from troth.mail.alarms import Alarm, Alarms
from troth.mail.relay import SmtpRelay
from worlds import MovableClock

SENDER, PAGE = "alarm@desk.example.org", "https://troth.example.org/access"
SAID = ("Emergency access was taken", f"Look at who: {PAGE}")


@dataclass
class Bell:
    """Alarms in a list; people by their addresses."""

    alarms: list[Alarm]
    people: dict[str, str] = field(default_factory=dict)

    def waiting(self) -> list[Alarm]:
        return list(self.alarms)

    def address(self, person: str) -> str:
        if person not in self.people:
            raise NotFound("There is no such person.")
        return self.people[person]

    def rung(self, alarm: Alarm) -> None:
        self.alarms.remove(alarm)


def rung(bell: Bell, poster: SmtpRelay | None) -> int:
    return Alarms(bells=[bell], poster=poster, sender=SENDER).ring()


def test_every_owner_is_told_once_by_real_mail(tmp_path: Path, port: int) -> None:
    people = {"usr_a": "ann@example.org", "usr_b": "bob@example.org"}
    bell, postbox = Bell([Alarm("elv_1", "ten_1", ("usr_a", "usr_b", "usr_gone"), *SAID)], people), Postbox()
    with relay(tmp_path, postbox, port=port) as authority:
        poster = SmtpRelay(
            host="127.0.0.1", port=port, clock=MovableClock(), authority=authority, user=USER, password=PASSWORD
        )
        postbox.refuse = True
        assert (rung(bell, poster), len(bell.alarms)) == (0, 1)
        postbox.refuse = False
        assert (rung(bell, poster), rung(bell, poster), bell.alarms) == (2, 0, [])
    mails = [(to, message_from_bytes(raw)) for _, (to,), raw in postbox.mails]
    assert [to for to, _ in mails] == ["ann@example.org", "bob@example.org"]
    first = mails[0][1]
    assert (first["Auto-Submitted"], first["Message-ID"]) == ("auto-generated", "<elv_1.usr_a@desk.example.org>")
    text = str(first.get_payload(decode=True), "utf-8")
    assert PAGE in text
    assert not any(one in text for one in ("ten_1", "usr_a", "bob@example.org"))


def test_without_a_relay_nothing_is_lost() -> None:
    bell = Bell([Alarm("elv_1", "ten_1", ("usr_a",), *SAID)], {"usr_a": "ann@example.org"})
    assert (rung(bell, None), len(bell.alarms)) == (0, 1)


def test_what_the_relay_does_not_take_goes_over_the_second_channel(port: int) -> None:
    asked: list[str] = []

    def second(alarm: Alarm) -> int:
        asked.append(alarm.id)
        return 1

    bell = Bell([Alarm("elv_1", "ten_1", ("usr_a",), *SAID)], {"usr_a": "ann@example.org"})
    away = SmtpRelay(host="127.0.0.1", port=port, clock=MovableClock())
    ringing = Alarms(bells=[bell], poster=away, sender=SENDER, second=second)
    assert (ringing.ring(), asked, len(bell.alarms)) == (0, ["elv_1"], 1)  # by mail it is tried again
    alone = Alarms(bells=[bell], poster=None, sender=SENDER, second=second)
    assert (alone.ring(), len(asked), bell.alarms) == (0, 2, [])
