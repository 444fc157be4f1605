"""The relay: a real SMTP server over real TLS; no way around it, nothing smuggled into a header."""

from __future__ import annotations

from dataclasses import replace
from email import message_from_bytes
from pathlib import Path

import pytest

from mail_world import PASSWORD, USER, Postbox, relay
from rights_world import RightsWorld
from troth.kernel.errors import Unavailable
from troth.mail.relay import SmtpRelay, composed
from troth.vault.rights.outgoing import Letter
from unit.mail.conftest import TO

SECONDS = 20


@pytest.fixture
def letter(rights: RightsWorld) -> Letter:
    rights.mail("maria@example.org")
    return rights.outgoing.waiting()[0]


def sender(rights: RightsWorld, port: int, authority: Path | None, **members: object) -> SmtpRelay:
    usual = {"host": "127.0.0.1", "port": port, "clock": rights.clock, "authority": authority}
    return SmtpRelay(**(usual | {"user": USER, "password": PASSWORD} | members))  # type: ignore[arg-type]


@pytest.mark.parametrize("tls", ["starttls", "implicit"])
def test_a_notice_arrives(rights: RightsWorld, letter: Letter, tmp_path: Path, port: int, tls: str) -> None:
    postbox = Postbox()
    with relay(tmp_path, postbox, tls=tls, port=port) as authority:
        sender(rights, port, authority, implicit=tls == "implicit").send(letter, TO)
    ((path, recipients, raw),) = postbox.mails
    message = message_from_bytes(raw)
    assert (path, recipients) == ("<>", ["maria@example.org"])
    assert (message["From"], message["To"], message["Auto-Submitted"]) == (TO, "maria@example.org", "auto-replied")
    assert letter.request.id in message["Subject"]
    assert message["Message-ID"] == f"<{letter.request.id}.receipt@desk.example.org>"
    assert letter.text.split() == str(message.get_payload(decode=True), "utf-8").split()


def test_no_tls_no_mail(rights: RightsWorld, letter: Letter, tmp_path: Path, port: int) -> None:
    postbox = Postbox()
    with relay(tmp_path, postbox, tls="none", port=port), pytest.raises(Unavailable) as refusal:
        sender(rights, port, None).send(letter, TO)
    assert (postbox.mails, refusal.value.code) == ([], "relay-failed")
    assert "example.org" not in refusal.value.advice


def test_a_certificate_of_nobody_is_refused(rights: RightsWorld, letter: Letter, tmp_path: Path, port: int) -> None:
    postbox = Postbox()
    with relay(tmp_path, postbox, port=port), pytest.raises(Unavailable):
        sender(rights, port, None).send(letter, TO)
    assert postbox.mails == []


def test_a_wrong_password_and_a_refusal_are_told_apart_from_success(
    rights: RightsWorld, letter: Letter, tmp_path: Path, port: int
) -> None:
    postbox = Postbox(refuse=True)
    with relay(tmp_path, postbox, port=port) as authority:
        for one in (sender(rights, port, authority, password="wrong"), sender(rights, port, authority)):
            with pytest.raises(Unavailable):
                one.send(letter, TO)
    with pytest.raises(Unavailable):  # and nobody there at all
        sender(rights, port, authority).send(letter, TO)


def test_a_line_break_in_a_header_stops_the_mail(rights: RightsWorld, letter: Letter) -> None:
    for hostile in (
        replace(letter, address="a@example.org\r\nBcc: all@example.org"),
        replace(letter, title="Hi\nBcc: all@example.org"),
    ):
        with pytest.raises(ValueError, match="line"):
            composed(hostile, TO, rights.clock)


def test_the_password_is_not_shown(rights: RightsWorld) -> None:
    assert PASSWORD not in repr(sender(rights, 1, None))
