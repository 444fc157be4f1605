"""Putting the caller's own text back into a vendor's answer: everywhere but in addresses (`links`)."""

from __future__ import annotations

import json
import re
from collections.abc import Callable

from troth.gateway.links import Links
from troth.redact.tokens import TokenMap

PLACEHOLDER = re.compile(r"<[A-Z][A-Z_]{0,30}_[a-z2-7]{10}>")  # the shape that `TokenMap` issues
_MAX_UNREAD = 1 << 16  # characters kept unread between two placeholders
_JSON = re.compile(r'\\u([0-9a-fA-F]{4})|\\(.)|(")|([^"\\]+|\\)', re.DOTALL)
_ESCAPES = {"n": "\n", "t": "\t", "r": "\r", "f": "\f", "b": "\b"}


class Restorer:
    """One text of an answer, in one piece or many; what it gave out so far decides what is in an address.

    `within_json`: the text is JSON, so values come back escaped, and each string in it is a text of its own. Stands in
    for a `TokenMap` inside a `StreamRestorer`. Text is not read before the first placeholder is due.
    """

    def __init__(self, tokens: TokenMap, *, within_json: bool = False) -> None:
        self._tokens = tokens
        self._within_json = within_json
        self._links = Links()
        self._unread: list[str] = []
        self._size = 0
        self.placeholders: Callable[[], frozenset[str]] = tokens.placeholders

    def restore(self, text: str) -> str:
        """`text` with the values of its placeholders, but for those in addresses, which stay placeholders."""
        if not self.placeholders():
            return well_formed(text)
        parts, position = [], 0
        for match in PLACEHOLDER.finditer(text):
            value = self._tokens.restore(match.group())
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
