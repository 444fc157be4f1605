"""Text moderation by a declared list of phrases, before anything leaves and before anything is delivered (VEN-05).

It fails closed: without a readable, complete list Troth does not start. It knows phrases in English, not meaning.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterable
from importlib.resources import files
from typing import Any

import re2
import yaml

from troth.kernel.errors import Denied, Unavailable

CATEGORIES = frozenset(
    """harassment harassment/threatening hate hate/threatening illicit illicit/violent self-harm self-harm/intent
    self-harm/instructions sexual sexual/minors violence violence/graphic""".split()
)
WINDOW = 512  # characters of a stream that are looked at together; no rule can match more
_GAP = "([^ ]+ ){0,3}"
_BETWEEN = re.compile(r"[\W_]+")
_UNSEEN = dict.fromkeys(
    [*range(0x200B, 0x2010), *range(0x202A, 0x202F), *range(0x2060, 0x2065), 0xFEFF, 0x00AD, 0x034F, 0x180E]
)


class Moderator:
    """Stops text that holds a listed phrase. Safe to share between threads."""

    def __init__(self, rules: dict[str, Any] | None = None) -> None:
        listed = rules if rules is not None else _shipped()
        categories = listed.get("categories", {})
        if set(categories) != CATEGORIES or not all(categories.values()):
            raise Unavailable("The moderation list is not complete; reinstall Troth.", code="moderation-list")
        self.version = str(listed["version"])
        self._order = list(categories)
        self._rules = [_compile(lines) for lines in categories.values()]
        self._any = _compile([line for lines in categories.values() for line in lines])
        self._harmless = _compile(listed.get("harmless") or ["a^"])

    def check(self, text: str) -> None:
        """Return for text without a listed phrase. Raises `Denied` that names the category, never the phrase."""
        plain = str(self._harmless.sub(" ~ ", normalise(text)))
        if not self._any.search(plain):  # one walk for all: nearly every text ends here
            return
        for category, rule in zip(self._order, self._rules, strict=True):
            if rule.search(plain):
                raise Denied(f"The content policy does not permit this ({category}); change the request.",
                             code="moderation-blocked")  # fmt: skip

    def check_all(self, texts: Iterable[str]) -> None:
        """All texts, also as if they were one: a phrase cut in two is still the phrase."""
        self.check(" ".join(texts))


class StreamModerator:
    """The same for text that arrives in pieces: each piece is judged with what came before it, then given out.

    `read` turns the text so far into what its readers see, as for JSON strings; it may make it shorter by `scale`.
    """

    def __init__(self, moderator: Moderator, read: Callable[[str], str] = str, scale: int = 1) -> None:
        self._moderator = moderator
        self._read = read
        self._window = WINDOW * scale
        self._tail = ""

    def check(self, piece: str) -> None:
        """Raises `Denied` as soon as the text so far holds a listed phrase; `piece` must then not be given out."""
        if piece:
            text = self._tail + piece
            self._moderator.check(self._read(text))
            self._tail = text[-self._window :]


def normalise(text: str) -> str:
    """Lower case, compatibility forms and accents folded, unseen signs dropped, words joined by one space."""
    if text.isascii():  # nothing to fold but case
        bare = text.casefold()
    else:
        folded = unicodedata.normalize("NFKD", text.translate(_UNSEEN)).casefold()
        bare = "".join(sign for sign in folded if not unicodedata.combining(sign))
    return f" {_BETWEEN.sub(' ', bare).strip()} "


def _compile(lines: list[str]) -> Any:
    options = re2.Options()
    options.log_errors = False
    parts = [line.replace(" _ ", f" {_GAP}").replace(" _", f" {_GAP}") for line in lines]
    return re2.compile(" (" + "|".join(f"({part})" for part in parts) + ") ", options)


def _shipped() -> dict[str, Any]:
    text = files("troth.gateway").joinpath("moderation_rules.yaml").read_text("utf-8")
    rules: dict[str, Any] = yaml.safe_load(text)
    return rules
