"""The LMTP listener in real conversations: one recipient, bounded sizes and numbers, loopback only."""

from __future__ import annotations

import smtplib
import socket
import stat
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from rights_world import RightsWorld
from troth.kernel.errors import Invalid, Unavailable
from troth.mail import listener as module
from troth.mail.desk import LATER, MailDesk
from troth.mail.listener import Listener
from unit.mail.conftest import TO
from vault_world import TENANT
from worlds import FaultList

MAIL = "From: maria@example.org\r\nSubject: my data\r\n\r\nPlease erase me.\r\n"
LIMIT = 1 << 16


@contextmanager
def listening(desk: MailDesk, place: str = "127.0.0.1:0", faults: FaultList | None = None) -> Iterator[Listener]:
    made = Listener(desk, place, max_bytes=LIMIT, faults=faults or FaultList())
    made.start()
    try:
        yield made
    finally:
        made.stop()


def lmtp(made: Listener) -> smtplib.LMTP:
    return smtplib.LMTP(*made.bound, timeout=20) if isinstance(made.bound, tuple) else smtplib.LMTP(made.bound)


def code(act: Callable[[], object]) -> int:
    with pytest.raises((smtplib.SMTPResponseException, smtplib.SMTPRecipientsRefused)) as refusal:
        act()
    if isinstance(refusal.value, smtplib.SMTPRecipientsRefused):
        return int(next(iter(refusal.value.recipients.values()))[0])
    return int(refusal.value.smtp_code)


def test_a_mail_server_hands_a_message_over(desk: MailDesk, rights: RightsWorld) -> None:
    with listening(desk) as made, lmtp(made) as client:
        assert client.sendmail("maria@example.org", [TO], MAIL) == {}
        assert client.sendmail("maria@example.org", [TO], MAIL) == {}  # delivered twice
    (request,) = rights.handling.queue(TENANT)
    assert rights.handling.opened(TENANT, request.id).written.text == "Please erase me."


def test_a_bounce_is_taken_and_makes_no_request(desk: MailDesk, rights: RightsWorld) -> None:
    with listening(desk) as made, lmtp(made) as client:
        assert client.sendmail("", [TO], MAIL) == {}
    assert rights.handling.queue(TENANT) == []


def test_over_a_socket_file_for_this_user_and_group(desk: MailDesk, rights: RightsWorld, tmp_path: Path) -> None:
    path = tmp_path / "lmtp.sock"
    with listening(desk, f"unix:{path}") as made, lmtp(made) as client:
        assert stat.S_IMODE(path.stat().st_mode) == 0o660
        client.sendmail("maria@example.org", [TO], MAIL)
    assert len(rights.handling.queue(TENANT)) == 1
    assert not path.exists()
    left = socket.socket(socket.AF_UNIX)
    left.bind(str(path))
    left.close()
    with listening(desk, f"unix:{path}") as made, lmtp(made) as client:  # what a dead process left is replaced
        assert client.noop()[0] == 250


def test_strange_recipients_and_more_than_one_are_refused(desk: MailDesk, rights: RightsWorld) -> None:
    with listening(desk) as made, lmtp(made) as client:
        assert code(lambda: client.sendmail("maria@example.org", ["root@desk.example.org"], MAIL)) == 550
        client.rset()
        client.mail("maria@example.org")
        assert [client.rcpt(TO)[0], client.rcpt(TO)[0]] == [250, 452]
        assert client.data(MAIL)[0] == 250
    assert len(rights.handling.queue(TENANT)) == 1


def test_a_large_message_is_cut_off(desk: MailDesk, rights: RightsWorld) -> None:
    with listening(desk) as made, lmtp(made) as client:
        huge = MAIL + ("x" * 70 + "\r\n") * (2 * LIMIT // 72)
        assert code(lambda: client.sendmail("maria@example.org", [TO], huge)) == 552
    with listening(desk) as made, lmtp(made) as client:
        long_line = MAIL + "x" * 5000 + "\r\n"
        assert code(lambda: client.sendmail("maria@example.org", [TO], long_line)) in (500, 552)
    assert rights.handling.queue(TENANT) == []


def test_a_bomb_of_parts_is_refused(desk: MailDesk, rights: RightsWorld) -> None:
    deep = "".join(f'Content-Type: multipart/mixed; boundary="{n}"\r\n\r\n--{n}\r\n' for n in range(500))
    with listening(desk) as made, lmtp(made) as client:
        assert code(lambda: client.sendmail("m@example.org", [TO], "From: m@example.org\r\n" + deep)) == 552
        assert client.sendmail("maria@example.org", [TO], MAIL) == {}
    assert len(rights.handling.queue(TENANT)) == 1


def test_commands_cannot_be_smuggled(desk: MailDesk, rights: RightsWorld) -> None:
    """A bare line feed around the dot must not end the message (SMTP smuggling, CVE-2023-51764 and kin)."""
    smuggled = MAIL + f"text\n.\nMAIL FROM:<evil@example.org>\nRCPT TO:<{TO}>\nDATA\nFrom: evil@example.org\n\nhi\n"
    with (
        listening(desk) as made,
        socket.create_connection(made.bound, timeout=20) as raw,
        raw.makefile("rb") as answers,
    ):
        answers.readline()
        for line in ("LHLO a", "MAIL FROM:<maria@example.org>", f"RCPT TO:<{TO}>", "DATA"):
            raw.sendall(line.encode() + b"\r\n")
            while answers.readline()[3:4] == b"-":
                continue
        raw.sendall(smuggled.encode() + b"\r\n.\r\nQUIT\r\n")
        said = answers.read().split(b"\r\n")
    assert [line[:3] for line in said if line] in ([b"250", b"221"], [b"500", b"221"])
    assert len(rights.handling.queue(TENANT)) <= 1


def test_a_fault_is_told_to_come_back_and_noted(
    desk: MailDesk, rights: RightsWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> None:
        raise RuntimeError("Quillfeather")

    monkeypatch.setattr(rights.intake, "receive", broken)
    faults = FaultList()
    with listening(desk, faults=faults) as made, lmtp(made) as client:
        client.ehlo()
        client.mail("maria@example.org")
        client.rcpt(TO)
        answer = client.data(MAIL)
    assert f"{answer[0]} {answer[1].decode()}" == LATER
    assert faults.faults == ["RuntimeError"]


def test_a_flood_waits_outside(desk: MailDesk, rights: RightsWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAX_A_MINUTE", 3)
    with listening(desk) as made, lmtp(made) as client:
        for number in range(3):
            client.sendmail("maria@example.org", [TO], MAIL + str(number))
        assert code(lambda: client.sendmail("maria@example.org", [TO], MAIL + "more")) == 451


def test_connections_are_bounded(desk: MailDesk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAX_CONNECTIONS", 2)
    with listening(desk) as made, lmtp(made), lmtp(made), socket.create_connection(made.bound, timeout=20) as third:
        assert third.recv(100).startswith(b"421")
    with listening(desk) as made, lmtp(made) as client:
        assert client.noop()[0] == 250


@pytest.mark.parametrize(
    "place", ["0.0.0.0:2424", "192.168.0.1:2424", "example.org:25", "127.0.0.1:99999", "127.0.0.1", "unix:relative", ""]
)
def test_only_this_machine_is_listened_to(desk: MailDesk, place: str) -> None:
    with pytest.raises(Invalid):
        Listener(desk, place, max_bytes=LIMIT, faults=FaultList())


def test_a_taken_place_is_refused(desk: MailDesk) -> None:
    with listening(desk) as made:
        second = Listener(desk, f"127.0.0.1:{made.bound[1]}", max_bytes=LIMIT, faults=FaultList())
        with pytest.raises(Unavailable) as refusal:
            second.start()
        assert refusal.value.code == "mail-listen"
        second.stop()


def test_it_ends_with_its_thread(desk: MailDesk) -> None:
    with listening(desk):
        assert "mail" in {thread.name for thread in threading.enumerate()}
    assert "mail" not in {thread.name for thread in threading.enumerate()}
