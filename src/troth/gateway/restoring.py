"""Putting the caller's own text back into a vendor's answer: everywhere but in addresses (`links`).

What a vendor was sent in place of it are placeholders such as `<PERSON_k3f9q2mz7a>` and, where only letters and digits
are allowed, aliases such as `n_0123456789abcdef`. Both are drawn at random for one request, so both are looked for in
every text; what was not issued for this request is text like any other.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping

from troth.gateway.links import Links
from troth.redact.tokens import LOOKS_LIKE, TokenMap

PLACEHOLDER = LOOKS_LIKE  # the shape that `TokenMap` issues
_ISSUED = re.compile(f"{LOOKS_LIKE.pattern}|n_[0-9a-f]{{16}}")
_LONGEST_ALIAS = 18
_MAX_UNREAD = 1 << 16  # characters kept unread between two placeholders
_JSON = re.compile(r'\\u([0-9a-fA-F]{4})|\\(.)|(")|([^"\\]+|\\)', re.DOTALL)
_ANGLE = re.compile(r"\\(?:u[0-9a-fA-F]{4}|u[0-9a-fA-F]{0,3}\Z|.|\Z)", re.DOTALL)  # one escape, whole or cut by the end
_ESCAPE_SIGNS = 6  # of `\u003c`
_ANGLES = {"\\u003c": "<", "\\u003e": ">"}
_ESCAPES = {"n": "\n", "t": "\t", "r": "\r", "f": "\f", "b": "\b"}


class Restorer:
    """One text of an answer, in one piece or many; what it gave out so far decides what is in an address.

    `names`: aliases and what they stand for. `within_json`: the text is JSON, so values come back escaped, and each
    string in it is a text of its own. `returned` is told which placeholders were put back. Text is not read before the
    first placeholder is due.
    """

    def __init__(
        self,
        tokens: TokenMap,
        names: Mapping[str, str],
        *,
        within_json: bool = False,
        returned: set[str] | None = None,
    ) -> None:
        self._tokens = tokens
        self._names = names
        self._returned = set[str]() if returned is None else returned
        self._within_json = within_json
        self._links = Links()
        self._unread: list[str] = []
        self._size = 0

    def restore(self, text: str) -> str:
        """`text` with the values of its placeholders, but for those in addresses, which stay placeholders."""
        if not self._names and not self._tokens.placeholders():
            return well_formed(text)
        parts, position = [], 0
        for match in _ISSUED.finditer(text):
            value = self._names.get(match.group()) or self._tokens.restore(match.group())
            if value == match.group():
                continue  # not issued: text like any other
            self._later(text[position : match.start()])
            parts += [text[position : match.start()], self._given(match.group(), value)]
            position = match.end()
        self._later(text[position:])
        return well_formed("".join([*parts, text[position:]]))

    def _given(self, placeholder: str, value: str) -> str:
        self._read()
        given = placeholder if self._links.inside(value) else value
        if given == value:
            self._returned.add(placeholder)
        self._links.read("x" if given == placeholder else given)
        return json.dumps(given, ensure_ascii=False)[1:-1] if self._within_json else given

    def _later(self, text: str) -> None:
        self._unread.append(text)
        self._size += len(text)
        if self._size > _MAX_UNREAD and not self._within_json:  # an escape may be cut in two here
            self._read()

    def _read(self) -> None:
        text, self._unread, self._size = "".join(self._unread), [], 0
        if not self._within_json:
            self._links.read(text)
            return
        for match in _JSON.finditer(text):
            if match.group(3):
                self._links = Links()
            else:
                self._links.read(_sign(match))


class StreamedText:
    """A text that arrives in pieces: what it gave out so far is what a `Restorer` makes of what it was fed, but for an
    open end. It holds back only while the end is a beginning of something that was issued, or of an escape in JSON.
    """

    def __init__(
        self,
        tokens: TokenMap,
        names: Mapping[str, str],
        *,
        within_json: bool = False,
        returned: set[str] | None = None,
    ) -> None:
        self._restorer = Restorer(tokens, names, within_json=within_json, returned=returned)
        self._tokens = tokens
        self._names = names
        self._within_json = within_json
        self._held = ""

    def feed(self, piece: str) -> str:
        """The text that can be given out now; may be empty."""
        text, cut = self._held + piece, ""
        if self._within_json and "\\" in text and self._tokens.placeholders():
            text, cut = _angles(text)
        open_at = self._open(text)
        self._held = text[open_at:] + cut
        return self._restorer.restore(text[:open_at])

    def finish(self) -> str:
        """The rest, when the text has ended."""
        rest, self._held = self._held, ""
        return self._restorer.restore(rest)

    def _open(self, text: str) -> int:
        """Where an unfinished placeholder or alias begins at the end of `text`; its length when there is none."""
        at = text.rfind("<")
        if at >= 0 and _begins(text[at:], self._tokens.placeholders()):
            return at
        for at in range(max(0, len(text) - _LONGEST_ALIAS), len(text) if self._names else 0):
            if text[at] == "n" and _begins(text[at:], self._names):
                return at
        return len(text)


def _begins(tail: str, issued: Iterable[str]) -> bool:
    return any(len(tail) < len(one) and one.startswith(tail) for one in issued)


def _angles(text: str) -> tuple[str, str]:
    """JSON with `\\u003c` and `\\u003e`, as Go writes them, as the signs they mean; and an escape that the end cuts."""
    cut = ""

    def plain(match: re.Match[str]) -> str:
        nonlocal cut
        escape = match.group()
        if match.end() == len(text) and (escape == "\\" or (escape[1] == "u" and len(escape) < _ESCAPE_SIGNS)):
            cut = escape
            return ""
        return _ANGLES.get(escape.lower(), escape)

    return _ANGLE.sub(plain, text), cut


def well_formed(text: str) -> str:
    """`text` with U+FFFD for each half of a surrogate pair: those cannot be written as UTF-8 (RFC 3629)."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    return text


def unescaped(text: str) -> str:
    """The signs of JSON as readers of its strings see them."""
    return "".join(match.group(3) or _sign(match) for match in _JSON.finditer(text)) if "\\" in text else text


def _sign(match: re.Match[str]) -> str:
    code, escape, _, plain = match.groups()
    if code:
        return chr(int(code, 16))
    return plain if escape is None else _ESCAPES.get(escape, escape)
