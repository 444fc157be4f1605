"""A message from a stranger, read with limits (RFC 5322, RFC 2045 to 2049). Pure: bytes in, a few short texts out.

Nothing in it is believed: From can be forged, and so can Authentication-Results and a DKIM signature's claim. No
attachment is kept; of the body only the text.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from email.errors import HeaderParseError, MessageError
from email.header import decode_header
from email.message import Message
from email.parser import BytesParser
from email.policy import compat32
from html.parser import HTMLParser

from troth.kernel.errors import Malformed, TooLarge

MAX_HEADER_BYTES = 64 << 10
MAX_NESTED = 24  # multipart and message/rfc822 parts anywhere: so deep at most can they lie in each other
MAX_PARTS = 60
MAX_TEXT, MAX_TITLE = 20_000, 200  # characters that are kept
_MAX_FROM = 1000
_MAX_HTML = 64 << 10  # characters of HTML that are looked at
_NESTING = re.compile(rb"(?:multipart|message)\s*/", re.IGNORECASE)
_HEADER_END = re.compile(rb"\r?\n\r?\n")
_ADDRESS = r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@[A-Za-z0-9](?:[A-Za-z0-9.-]{0,187}[A-Za-z0-9])?"
# One mailbox, bare or in angle brackets behind a name. The standard library's parser mends what is broken and so sees
# other addresses than mail servers do (CVE-2023-27043).
_MAILBOX = re.compile(rf"""\s*(?:(?:"(?:[^"\\]|\\.)*"|[^"<>,;:()\\])*<({_ADDRESS})>|({_ADDRESS}))\s*\Z""")
# Text encodings that mail is written in. Others, such as idna and punycode, decode in quadratic time.
_CHARSET = re.compile(
    r"(?:utf-?8|us-ascii|ascii|iso-8859-\d{1,2}|windows-125\d|koi8-[ru]|gb2312|gbk|big5|euc-[jk][pr]|shift_jis|iso-2022-jp)\Z"
)
_BULK = frozenset({"bulk", "junk", "list"})


@dataclass(frozen=True, slots=True)
class Mail:
    """What was read. `automatic`: a machine wrote it, it is no request. `answerable`: one may answer (RFC 3834)."""

    sender: str
    title: str
    text: str
    automatic: bool
    answerable: bool


def read_mail(raw: bytes) -> Mail:
    """Read one message. Raises `TooLarge` (headers, nesting, parts), `Malformed` (unreadable, not one sender)."""
    _bound(raw)
    try:
        message = BytesParser(policy=compat32).parsebytes(raw)
        parts = list(_parts(message))
    except (MessageError, RecursionError, ValueError, LookupError) as error:
        raise Malformed("The message cannot be read.", code="mail-unreadable") from error
    title = _one_line(_decoded(_header(message, "Subject")))[:MAX_TITLE]
    automatic = _header(message, "Auto-Submitted").partition(";")[0].strip().lower() not in ("", "no")
    answerable = not automatic and _header(message, "Precedence").strip().lower() not in _BULK
    answerable = answerable and not any(name in message for name in ("List-Id", "List-Unsubscribe"))
    return Mail(_sender(message), title, _text(parts), automatic, answerable)


def _bound(raw: bytes) -> None:
    """Refuse what would cost much to parse, before it is parsed."""
    end = _HEADER_END.search(raw)
    if (end.start() if end else len(raw)) > MAX_HEADER_BYTES:
        raise TooLarge("The message has too many headers.", code="mail-headers")
    if sum(1 for _ in _NESTING.finditer(raw)) > MAX_NESTED:
        raise TooLarge("The message has too many parts inside each other.", code="mail-nesting")


def _parts(message: Message) -> Iterator[Message]:
    for number, part in enumerate(message.walk()):
        if number >= MAX_PARTS:
            raise TooLarge("The message has too many parts.", code="mail-parts")
        yield part


def _sender(message: Message) -> str:
    """The one address in From. Raises `Malformed`: several senders, or none that can be answered."""
    values = [str(value) for value in message.get_all("From", [])]
    found = _MAILBOX.match(values[0]) if len(values) == 1 and len(values[0]) <= _MAX_FROM else None
    address = (found[1] or found[2]) if found else ".."
    if ".." in address:
        raise Malformed("The message must come from one address.", code="mail-sender")
    return address


def _text(parts: list[Message]) -> str:
    """The first plain text; without one the text of the first HTML. Attachments are not looked at."""
    inline = [part for part in parts if not part.is_multipart() and part.get_content_disposition() != "attachment"]
    plain = [part for part in inline if part.get_content_type() == "text/plain"]
    if plain:
        return _clean(_payload(plain[0]))[:MAX_TEXT]
    html = [part for part in inline if part.get_content_type() == "text/html"]
    return _clean(_without_tags(_payload(html[0])[:_MAX_HTML]))[:MAX_TEXT] if html else ""


def _payload(part: Message) -> str:
    content = part.get_payload(decode=True)
    if not isinstance(content, bytes):
        return ""
    charset = (part.get_content_charset() or "utf-8").lower()
    return content.decode(charset if _CHARSET.match(charset) else "latin-1", "replace")


def _header(message: Message, name: str) -> str:
    return str(message.get(name, ""))[:4000]


def _decoded(value: str) -> str:
    """Encoded words as text (RFC 2047)."""
    try:
        pieces = decode_header(value)
    except (HeaderParseError, ValueError):
        return value
    said = []
    for content, charset in pieces:
        if isinstance(content, str):
            said.append(content)
        else:
            known = (charset or "").lower()
            said.append(content.decode(known if _CHARSET.match(known) else "latin-1", "replace"))
    return "".join(said)


def _one_line(text: str) -> str:
    return " ".join(_clean(text).split())


def _clean(text: str) -> str:
    """Without control characters and marks that turn the direction of writing."""
    lines = text.replace("\r\n", "\n").replace("\r", "\n")
    kept = (one for one in lines if one in "\n\t" or unicodedata.category(one) not in ("Cc", "Cf", "Cs", "Co"))
    return "".join(kept).strip()


class _Words(HTMLParser):
    """Collects the text of a page, scripts and styles left out."""

    def __init__(self) -> None:
        super().__init__()
        self.words: list[str] = []
        self._silent = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:  # noqa: ARG002 - html.parser's
        self._silent += tag in ("script", "style")
        if tag in ("br", "p", "div", "li", "tr"):
            self.words.append("\n")

    def handle_endtag(self, tag: str) -> None:
        self._silent = max(0, self._silent - (tag in ("script", "style")))

    def handle_data(self, data: str) -> None:
        if not self._silent:
            self.words.append(data)


def _without_tags(html: str) -> str:
    words = _Words()
    words.feed(html)
    return "".join(words.words)
