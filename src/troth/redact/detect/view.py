"""What a reader sees of a text: escapes decoded, invisible characters and Markdown emphasis gone, with the way back.

`{"e":"john\\u0040acme.org"}`, `john%40acme.org`, `john&#64;acme.org`, `4111<zero width space>1111` and `**Jo** Doe`
say the same to a reader as their plain forms, but not to a pattern. A view is the plain form of such a text; `back`
turns a span of it into the span of the text that holds all of its characters.
"""

from __future__ import annotations

import re
import unicodedata
from bisect import bisect_right
from collections.abc import Callable, Iterator
from html.entities import html5

from troth.redact.detect.shadow import IGNORABLE, INVISIBLE, MARK, MARKS

DEPTH = 4  # encodings of encodings; each level is one more pass over the text
_FEW = 32
_FAR = 200  # characters between the two ends of an emphasis
_HEX = "[0-9A-Fa-f]"
_ENTITY_NAME = "[A-Za-z][A-Za-z0-9]{1,30};"


# A sign that something may read differently from how it is written, by the byte of the shadow that it begins with:
# a search for one byte costs next to nothing, and what follows is looked at only where that byte stands.
_SEEN = rb"[\x20-\x7e\xa1-\xac\xae-\xff]"
_SIGNS = {
    sign.encode("latin-1"): re.compile(re.escape(sign.encode("latin-1")) + rest)
    for sign, rest in (
        ("\\", rb"[unrtbfxU\"'/]"),
        ("%", rb"[0-9A-Fa-f]{2}"),
        ("=", rb"[C-Fc-f][0-9A-Fa-f]=[89ABab]"),
        ("&", rb"(?:#[0-9xX]|[A-Za-z][A-Za-z0-9]{1,30};)"),
        ("_", rb"(?<![A-Za-z0-9]_)_{0,2}[^\s_]"),
        *((marker, rb"[^\s*`~]") for marker in "*`~"),
        (INVISIBLE, rb"(?<=" + _SEEN + rb"\xad)\xad*" + _SEEN),
        (MARK, rb"(?<=[A-Za-z0-9@.]\xaf)"),
    )
}

_ANY_SIGN = re.compile(b"[" + re.escape(b"".join(_SIGNS)) + b"]").search
_CODE_SIGN = re.compile(b"[" + re.escape(b"\\%=&" + (INVISIBLE + MARK).encode("latin-1")) + b"]").search  # of `_CODED`

# Possessive repeats, and no start inside a run of backslashes: linear on any text.
_CODED = re.compile(
    rf"(?P<escape>(?<!\\)\\++(?:u[dD][89abAB]{_HEX}{{2}}\\++u[dD][c-fC-F]{_HEX}{{2}}|u{_HEX}{{4}}|u\{{{_HEX}{{1,6}}\}}"
    rf"|U{_HEX}{{8}}|x{_HEX}{{2}}|[nrtbf\"'/]))"
    rf"|(?P<percent>(?:%{_HEX}{{2}})++)"
    rf"|(?P<quoted>(?:=[C-Fc-f]{_HEX}(?:=[89ABab]{_HEX})++)++)"
    rf"|(?P<entity>&(?:#[0-9]{{1,7}};?|#[xX]{_HEX}{{1,6}};?|{_ENTITY_NAME}))"
    rf"|(?P<invisible>[{IGNORABLE}]++)"
    rf"|(?P<marked>[^\W_][{MARKS}]++)"
)
_PLAIN_ESCAPES = {"n": "\n", "r": "\n", "t": "\t", "b": " ", "f": " "}
_EMPHASIS = re.compile(r"([*_`~])\1{0,2}")


class View:
    """`text` as a reader sees some source, and where each of its characters stands there."""

    def __init__(self, text: str, at: list[int], starts: list[int], ends: list[int]) -> None:
        """Pieces: `at[i]` in the view begins `starts[i]:ends[i]` of the source, copied, or in one character."""
        self.text = text
        self._at, self._starts, self._ends = at, starts, ends

    def back(self, start: int, end: int) -> tuple[int, int]:
        """The offsets in the source of a non-empty span of the view."""
        return self._place(start)[0], self._place(end - 1)[1]

    def _place(self, position: int) -> tuple[int, int]:
        piece = bisect_right(self._at, position) - 1
        start, end = self._starts[piece], self._ends[piece]
        size = (self._at[piece + 1] if piece + 1 < len(self._at) else len(self.text)) - self._at[piece]
        if size != end - start:  # decoded: every character stands for the whole
            return start, end
        start += position - self._at[piece]
        return start, start + 1


Change = tuple[int, int, str]  # source[start:end] reads as this: nothing, or one character


def _view(source: str, changes: Iterator[Change]) -> View | None:
    """None when nothing changes."""
    parts: list[str] = []
    at: list[int] = []
    starts: list[int] = []
    ends: list[int] = []
    size = position = 0
    for start, end, reading in changes:
        for a, z, part in ((position, start, source[position:start]), (start, end, reading)):
            if part:
                parts.append(part)
                at.append(size)
                starts.append(a)
                ends.append(z)
                size += len(part)
        position = end
    if not position:
        return None
    if position < len(source):
        parts.append(source[position:])
        at.append(size)
        starts.append(position)
        ends.append(len(source))
    return View("".join(parts), at, starts, ends)


def _escape(value: str) -> str:
    body = value.lstrip("\\")
    if body[0] not in "uUx":
        return _PLAIN_ESCAPES.get(body[0], body[0])
    first, _, second = body.partition("\\")
    code = int(first[1:].strip("{}"), 16)
    if second:  # a surrogate pair (RFC 8259 section 7)
        code = 0x10000 + ((code - 0xD800) << 10) + (int(second.lstrip("\\")[1:], 16) - 0xDC00)
    return chr(code) if code < 0x110000 else "\ufffd"


def _entity(value: str) -> str:
    if value[1] != "#":
        return html5.get(value[1:], "")[:1] or value
    digits = value[2:].rstrip(";")
    code = int(digits[1:], 16) if digits[0] in "xX" else int(digits)
    return chr(code) if code < 0x110000 else "\ufffd"


def _marked(value: str) -> str:
    """The letter with its marks, where Unicode has it, or without them."""
    return unicodedata.normalize("NFC", value[:8])[0]


_READING: dict[str, Callable[[str], str]] = {
    "escape": _escape, "entity": _entity, "invisible": lambda _: "", "marked": _marked,
}  # fmt: skip


def _octets(value: str, start: int) -> Iterator[Change]:
    """A run of %XX as UTF-8 (RFC 3986 section 2.5); an octet that is none stands for itself."""
    raw, at = bytes.fromhex(value.replace("%", "")), 0
    while at < len(raw):
        size = 1 + (raw[at] >= 0xC0) + (raw[at] >= 0xE0) + (raw[at] >= 0xF0)
        try:
            reading = raw[at : at + size].decode()
        except UnicodeDecodeError:
            reading, size = chr(raw[at]), 1
        yield start + 3 * at, start + 3 * (at + size), reading
        at += size


def _decoded(text: str) -> Iterator[Change]:
    for match in _CODED.finditer(text):
        kind, value = str(match.lastgroup), match.group()
        if kind in ("percent", "quoted"):  # quoted-printable (RFC 2045): only what cannot be a name and its value
            yield from _octets(value.replace("=", "%"), match.start())
            continue
        reading = _READING[kind](value)
        if reading != value:
            yield match.start(), match.end(), reading


def _emphasis(text: str) -> Iterator[Change]:
    """Both ends of each *emphasis*, __emphasis__ and `code` that begins and ends on one line (CommonMark 6.2)."""
    opened: dict[str, tuple[int, int]] = {}
    dropped: list[tuple[int, int]] = []
    for match in _EMPHASIS.finditer(text):
        sign, (start, end) = match.group(), match.span()
        before, after = text[start - 1 : start], text[end : end + 1]
        inside_word = sign[0] == "_" and before.isalnum() and after.isalnum()
        begin = opened.get(sign)
        if begin and before.strip() and not inside_word and _near(text, begin[1], start):
            dropped += [begin, (start, end)]
            del opened[sign]
        elif after.strip() and not (sign[0] == "_" and before.isalnum()):
            opened[sign] = start, end
    for start, end in sorted(dropped):
        yield start, end, ""


def _near(text: str, start: int, end: int) -> bool:
    return end - start <= _FAR and "\n" not in text[start:end]


class Sight:
    """A chain of views: the last one's text, and the way back to the first source."""

    def __init__(self, views: list[View]) -> None:
        self._views = views
        self.text = views[-1].text

    def back(self, start: int, end: int) -> tuple[int, int]:
        """The offsets in the source of a non-empty span of `text`."""
        for view in reversed(self._views):
            start, end = view.back(start, end)
        return start, end


def _stands(sign: bytes, regex: re.Pattern[bytes], data: bytes) -> bool:
    """What `regex.search` says, but by the faster search for a byte as long as the byte is rare."""
    at = data.find(sign)
    for _ in range(_FEW):
        if at < 0 or regex.match(data, at):
            return at >= 0
        at = data.find(sign, at + 1)
    return at >= 0 and regex.search(data, at) is not None


def _some_sign(data: bytes) -> bool:
    if not _ANY_SIGN(data):
        return False
    return any(sign in data and _stands(sign, regex, data) for sign, regex in _SIGNS.items())


def see_through(text: str, data: bytes) -> Sight | None:
    """How a reader sees `text`, whose shadow is `data`; None when that is how it is written."""
    if not _some_sign(data):
        return None
    views: list[View] = []
    for _ in range(DEPTH if _CODE_SIGN(data) else 0):
        if (view := _view(text, _decoded(text))) is None:
            break
        views.append(view)
        text = view.text
    if (view := _view(text, _emphasis(text))) is not None:
        views.append(view)
    return Sight(views) if views else None
