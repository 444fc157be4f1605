"""Messages from strangers: what is read, what is refused before it costs anything, what is never believed."""

from __future__ import annotations

import base64
import contextlib
import time
from email.message import EmailMessage
from email.policy import SMTP

import pytest
from hypothesis import given
from hypothesis import strategies as st

from troth.kernel.errors import Malformed, TooLarge, TrothError
from troth.mail.reading import MAX_NESTED, MAX_TEXT, MAX_TITLE, read_mail


def plain(*headers: str, body: str = "Please send me my data.", sender: str = "Maria <maria@example.org>") -> bytes:
    return "\r\n".join([f"From: {sender}", *headers, "", body]).encode()


def test_a_plain_message() -> None:
    mail = read_mail(plain("Subject: My data"))
    assert (mail.sender, mail.title, mail.text) == ("maria@example.org", "My data", "Please send me my data.")
    assert (mail.automatic, mail.answerable) == (False, True)


def test_words_in_other_languages() -> None:
    message = EmailMessage(policy=SMTP)
    message["From"], message["Subject"] = "Jürgen <juergen@example.org>", "Löschung meiner Daten, bitte"
    message.set_content("Bitte löschen Sie alles über mich. 请删除")
    mail = read_mail(message.as_bytes())
    assert mail.title == "Löschung meiner Daten, bitte"
    assert mail.text == "Bitte löschen Sie alles über mich. 请删除"


def test_attachments_are_not_kept_and_html_is_only_read_for_want_of_text() -> None:
    message = EmailMessage(policy=SMTP)
    message["From"] = "maria@example.org"
    message.set_content("The text")
    message.add_alternative("<p>The page</p>", subtype="html")
    message.add_attachment(b"PASSPORT SCAN", maintype="image", subtype="png", filename="passport.png")
    message.add_attachment("attached words", filename="letter.txt")
    assert read_mail(message.as_bytes()).text == "The text"
    page = "<style>x{}</style><p>Erase <b>me</b></p><script>alert(1)</script><br>Now"
    html = plain("Content-Type: text/html", body=page)
    assert read_mail(html).text.split() == ["Erase", "me", "Now"]


@pytest.mark.parametrize(
    "header",
    ["Auto-Submitted: auto-replied", "Auto-Submitted: auto-generated; x=y", "auto-submitted: AUTO-NOTIFIED"],
)
def test_machines_ask_for_nothing(header: str) -> None:
    assert read_mail(plain(header)).automatic


@pytest.mark.parametrize("header", ["Precedence: bulk", "Precedence: LIST", "List-Id: <a.example.org>"])
def test_lists_are_read_and_not_answered_by_a_machine(header: str) -> None:
    mail = read_mail(plain(header))
    assert (mail.automatic, mail.answerable) == (False, False)
    assert not read_mail(plain("Auto-Submitted: no")).automatic


@pytest.mark.parametrize(
    "sender",
    [
        "maria@example.org",
        "<maria@example.org>",
        '"Gonzalez, Maria" <maria@example.org>',
        '"a \\" quote <x@y.z>" <maria@example.org>',
        "=?utf-8?q?Mar=C3=ADa?= <maria@example.org>",
        "Maria\r\n Gonzalez <maria@example.org>",
        "other@example.com <maria@example.org>",
    ],
)
def test_senders_as_programs_write_them(sender: str) -> None:
    assert read_mail(plain(sender=sender)).sender == "maria@example.org"


def test_authentication_results_are_not_believed() -> None:
    claimed = "Authentication-Results: mx.example.org; dkim=pass header.d=example.org; spf=pass; dmarc=pass"
    assert read_mail(plain(claimed)) == read_mail(plain())


@pytest.mark.parametrize(
    "sender",
    [
        "",
        "nobody",
        "a@example.org, b@example.org",
        "Group: a@example.org, b@example.org;",
        "a@b@example.org",
        "a@exa mple.org",
        "a@-example.org",
        "a..b@example.org",
        "<a@example.org> <b@example.org>",
        '"x@y.example.org" <>',
        "maria@example.org\r\nFrom: other@example.org",
        "ma\u0131ria@ex\u00e4mple.org",
        "x" * 65 + "@example.org",
        "a@" + "x" * 300 + ".org",
        "a@example.org " + "," * 2000,
    ],
)
def test_anything_but_one_plain_sender_is_refused(sender: str) -> None:
    with pytest.raises(Malformed) as refusal:
        read_mail(plain(sender=sender))
    assert refusal.value.code in ("mail-sender", "mail-unreadable")


def test_headers_cannot_be_smuggled_through_the_title() -> None:
    title = (
        "=?utf-8?b?" + base64.b64encode("Hi\r\nBcc: all@example.org\r\n\r\nx\x00\u202egnp.exe".encode()).decode() + "?="
    )
    mail = read_mail(plain(f"Subject: {title}"))
    assert mail.title == "Hi Bcc: all@example.org xgnp.exe"
    assert len(read_mail(plain("Subject: " + "x" * 900)).title) == MAX_TITLE


def test_control_characters_leave_the_text() -> None:
    text = read_mail(plain(body="a\x00b\x1b[31mc\u202ed\r\ne\tf")).text
    assert text == "ab[31mcd\ne\tf"


def nested(depth: int) -> bytes:
    lines = ["From: maria@example.org"]
    for number in range(depth):
        lines += [f'Content-Type: multipart/mixed; boundary="b{number}"', "", f"--b{number}"]
    return "\r\n".join([*lines, "", "deep"]).encode()


def test_deep_nesting_is_refused_before_it_is_parsed() -> None:
    assert read_mail(nested(MAX_NESTED - 1)).sender == "maria@example.org"
    for bomb in (
        nested(MAX_NESTED + 1),
        nested(5000),
        b"From: a@example.org\r\n" + b"Content-Type: message/rfc822\r\n\r\n" * 5000,
    ):
        with pytest.raises(TooLarge) as refusal:
            read_mail(bomb)
        assert refusal.value.code == "mail-nesting"


def test_many_parts_and_many_headers_are_refused() -> None:
    parts = "".join("--b\r\n\r\nx\r\n" for _ in range(200))
    wide = plain('Content-Type: multipart/mixed; boundary="b"', body=parts + "--b--")
    with pytest.raises(TooLarge) as refusal:
        read_mail(wide)
    assert refusal.value.code == "mail-parts"
    with pytest.raises(TooLarge) as refusal:
        read_mail(plain(*(f"X-{number}: y" for number in range(20_000))))
    assert refusal.value.code == "mail-headers"


def test_a_long_text_is_cut() -> None:
    assert len(read_mail(plain(body="word " * 20_000)).text) == MAX_TEXT


@pytest.mark.parametrize("charset", ["idna", "punycode", "zlib", "hex", "rot13", "unicode_escape", "utf-7", "x" * 300])
def test_odd_encodings_are_read_plainly(charset: str) -> None:
    assert read_mail(plain(f'Content-Type: text/plain; charset="{charset}"', body="plain words")).text == "plain words"


@pytest.mark.parametrize(
    "hostile",
    [
        plain("Subject: " + "=?utf-8?q?" + "=" * 60_000),
        plain("Content-Type: text/html", body="<!--" * 16_000),
        plain("Content-Type: text/html", body="<a " * 60_000),
        plain("Content-Type: text/plain; charset=" + '"' * 60_000),
        plain(sender="(" * 60_000),
        plain(body="<" * 250_000),
        plain(*("Subject: " + "x," * 500 for _ in range(50))),
    ],
    ids=range(7),
)
def test_hostile_messages_cost_little(hostile: bytes) -> None:
    began = time.process_time()
    with contextlib.suppress(TrothError):
        read_mail(hostile)
    assert time.process_time() - began < 5  # catches what is not linear; each takes some milliseconds


@given(st.binary(max_size=3000))
def test_any_bytes_are_read_or_refused(raw: bytes) -> None:
    for message in (
        raw,
        b"From: a@example.org\r\n" + raw,
        b"From: a@example.org\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n" + raw,
    ):
        try:
            mail = read_mail(message)
        except TrothError:
            continue
        assert len(mail.text) <= MAX_TEXT
        assert "\n" not in mail.title + mail.sender
