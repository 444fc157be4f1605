"""The desk: which addresses are its own, what becomes a request, what is answered to the mail server."""

from __future__ import annotations

import pytest

from rights_world import RightsWorld
from troth.kernel.errors import Unavailable
from troth.mail.desk import LATER, MailDesk
from troth.mail.relay import composed
from troth.vault.rights import register
from troth.vault.rights.intake import Message
from troth.vault.rights.outgoing import MAX_ATTEMPTS, Letter
from unit.mail.conftest import DOMAIN, TO
from vault_world import OTHER, TENANT

MAIL = b"From: Maria <maria@example.org>\r\nSubject: my data\r\n\r\nPlease erase me.\r\n"
PATH = "maria@example.org"


class Relay:
    """Takes letters, or does not."""

    def __init__(self) -> None:
        self.sent: list[tuple[Letter, str]] = []
        self.away = False

    def send(self, letter: Letter, sender: str) -> None:
        if self.away:
            raise Unavailable("The relay is away.")
        self.sent.append((letter, sender))


@pytest.mark.parametrize(
    ("address", "ours"),
    [
        (TO, True),
        (TO.upper(), True),
        (f"privacy+{OTHER}@{DOMAIN}", False),
        (f"privacy+{TENANT}@elsewhere.example.org", False),
        (f"privacy@{DOMAIN}", False),
        (f"root+{TENANT}@{DOMAIN}", False),
        (f"privacy+{TENANT}x@{DOMAIN}", False),
        (f"privacy+../../etc@{DOMAIN}", False),
        (f"privacy+{TENANT}\n@{DOMAIN}", False),
        ("", False),
    ],
)
def test_only_addresses_of_tenants_are_ours(desk: MailDesk, address: str, ours: bool) -> None:
    assert (desk.tenant_of(address) == TENANT) is ours


def test_a_message_becomes_a_request(desk: MailDesk, rights: RightsWorld) -> None:
    assert desk.take(TENANT, PATH, MAIL).startswith("250")
    (made,) = rights.handling.queue(TENANT)
    assert rights.handling.opened(TENANT, made.id).written.title == "my data"


@pytest.mark.parametrize(
    ("path", "raw"),
    [
        ("", MAIL),  # a bounce
        (PATH, b"Auto-Submitted: auto-replied\r\n" + MAIL),
        (PATH, MAIL.replace(b"maria@example.org", TO.encode())),  # our own notice comes back
    ],
)
def test_machines_and_loops_make_no_request(desk: MailDesk, rights: RightsWorld, path: str, raw: bytes) -> None:
    assert desk.take(TENANT, path, raw).startswith("250")
    assert rights.handling.queue(TENANT) == []
    assert rights.outgoing.waiting() == []


def test_what_cannot_be_read_is_refused_for_good_and_what_can_wait_waits(
    desk: MailDesk, rights: RightsWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert desk.take(TENANT, PATH, b"no headers at all").startswith("554 5.6.0")
    assert desk.take(TENANT, PATH, MAIL + b"Content-Type: multipart/mixed\r\n" * 100).startswith("552 5.3.4")
    monkeypatch.setattr("troth.vault.rights.intake.MAX_OPEN", 1)
    assert desk.take(TENANT, PATH, MAIL).startswith("250")
    assert desk.take(TENANT, PATH, MAIL + b"again").startswith("451 4.7.1")

    def down(_tenant: str, _message: Message) -> None:
        raise Unavailable("no record")

    monkeypatch.setattr(rights.intake, "receive", down)
    assert desk.take(TENANT, PATH, MAIL) == LATER
    assert register.MAX_OPEN > 1


def test_nothing_a_stranger_wrote_stands_in_the_answer(desk: MailDesk) -> None:
    hostile = b"From: Quillfeather\r\n250 OK <x@y>\r\n\r\nQuillfeather"
    assert "uillfeather" not in desk.take(TENANT, "Quillfeather", hostile)


def test_notices_go_out_once_and_confirm_receipt(desk: MailDesk, rights: RightsWorld) -> None:
    relay = Relay()
    posted = MailDesk(intake=desk.intake, outgoing=desk.outgoing, domain=DOMAIN, known=desk.known, relay=relay)
    posted.take(TENANT, PATH, MAIL)
    assert [posted.deliver(), posted.deliver()] == [1, 0]
    ((letter, sender),) = relay.sent
    assert (letter.address, sender) == ("maria@example.org", TO)
    assert rights.handling.queue(TENANT)[0].state == "confirmed"
    assert desk.deliver() == 0  # without a relay nothing goes


def test_a_relay_that_is_away_is_tried_again_and_then_handed_over(desk: MailDesk, rights: RightsWorld) -> None:
    relay = Relay()
    relay.away = True
    posted = MailDesk(intake=desk.intake, outgoing=desk.outgoing, domain=DOMAIN, known=desk.known, relay=relay)
    posted.take(TENANT, PATH, MAIL)
    assert [posted.deliver() for _ in range(MAX_ATTEMPTS)] == [0] * MAX_ATTEMPTS
    relay.away = False
    assert posted.deliver() == 0
    assert not rights.outgoing.waiting()[0].automatic
    assert rights.handling.queue(TENANT)[0].state == "received"


def test_a_notice_whose_mark_was_lost_goes_again_as_the_same(
    desk: MailDesk, rights: RightsWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    relay = Relay()
    posted = MailDesk(intake=desk.intake, outgoing=desk.outgoing, domain=DOMAIN, known=desk.known, relay=relay)
    posted.take(TENANT, PATH, MAIL)

    def lost(*_: object) -> None:
        raise Unavailable("no record")

    with monkeypatch.context() as broken:
        broken.setattr(rights.outgoing, "sent", lost)
        with pytest.raises(Unavailable):
            posted.deliver()
    assert posted.deliver() == 1
    first, second = (composed(letter, sender, rights.clock)["Message-ID"] for letter, sender in relay.sent)
    assert first == second


def test_lists_are_registered_and_answered_by_hand(desk: MailDesk, rights: RightsWorld) -> None:
    relay = Relay()
    posted = MailDesk(intake=desk.intake, outgoing=desk.outgoing, domain=DOMAIN, known=desk.known, relay=relay)
    posted.take(TENANT, PATH, b"Precedence: bulk\r\n" + MAIL)
    assert (posted.deliver(), len(rights.outgoing.waiting())) == (0, 1)
