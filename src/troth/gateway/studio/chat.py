"""A small text responder without a model: it restates, shortens and drafts with the user's own words, and says so.

Words are copied whole, so a placeholder such as `<PERSON_x1>` comes back exactly as it was sent.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

_INTRODUCTION: Final = "This is Troth's local responder: rules, no language model."
_SENTENCE: Final = re.compile(r"[^.!?\n]+[.!?]*")
_PIECE: Final = re.compile(r"\s*\S{1,7}|\s+$")
_PLACEHOLDER: Final = re.compile(r"<[A-Z][A-Z0-9_]*_[A-Za-z0-9_-]+>")
_SUMMARY: Final = re.compile(r"\b(summar\w*|shorten|tl;?dr|in short|key points?)\b", re.I)
_DRAFT: Final = re.compile(r"\b(draft|write|compose|reply|answer|respond)\b", re.I)
_LETTER: Final = re.compile(r"\b(e-?mail|mail|letter|message|note|reply|to)\b", re.I)
_GREETING: Final = re.compile(r"^\s*(hi|hello|hey|good (morning|afternoon|evening))\b[\s!.,]*$", re.I)
_TO: Final = re.compile(r"\bto\s+(<[^<>\s]+>|(?:[A-Z][\w'-]+)(?:\s+[A-Z][\w'-]+)?)")
_ABOUT: Final = re.compile(r"\b(?:about|regarding|concerning|that|saying|on)\s+(.+)", re.I | re.S)
_MAX_QUOTED: Final = 600


def answer(messages: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    """The answer to an OpenAI-style conversation, in pieces of a few characters. Only user messages are read."""
    yield from _PIECE.findall(f"{_INTRODUCTION} {_reply(last_request(messages))}")


def last_request(messages: Sequence[Mapping[str, Any]]) -> str:
    """What the user said last; empty without."""
    return next((text for text in map(_user_text, reversed(messages)) if text), "")


def _user_text(message: Mapping[str, Any]) -> str:
    """The text of a user's message: a string, or the text parts of a list of parts."""
    content = message.get("content")
    if message.get("role") != "user":
        return ""
    if isinstance(content, str):
        return content.strip()
    parts = content if isinstance(content, Sequence) else ()
    texts = (part.get("text", "") for part in parts if isinstance(part, Mapping) and part.get("type") == "text")
    return "\n".join(text for text in texts if isinstance(text, str)).strip()


def _reply(request: str) -> str:
    if not request:
        return "There was no text to work with: send a user message."
    if _GREETING.match(request):
        return "Hello. Ask me to summarise a text, or to draft a short message, and I will use your own words."
    if _SUMMARY.search(request):
        return _summary(request)
    verb = _DRAFT.search(request)
    if verb and _LETTER.search(request, verb.end()):  # two searches: one expression for both is quadratic
        return _draft(request)
    return f"I cannot know the answer, but I can repeat what arrived: “{cut(request)}”{_mentioned(request)}"


def _summary(request: str) -> str:
    """The first sentence and the two with the most names, numbers and placeholders, in their order."""
    instruction, separator, body = request.partition(":")
    text = body if separator and _SUMMARY.search(instruction) and body.strip() else request
    sentences = [sentence.strip() for sentence in _SENTENCE.findall(text) if sentence.strip()]
    ranked = sorted(range(1, len(sentences)), key=lambda index: (-_facts(sentences[index]), index))
    chosen = sorted({0, *ranked[:2]})
    kept = " ".join(sentences[index] for index in chosen)
    return f"In {len(chosen)} of {len(sentences)} sentences: {cut(kept)}"


def _facts(sentence: str) -> int:
    return len(_PLACEHOLDER.findall(sentence)) * 2 + len(re.findall(r"\b(?:[A-Z][a-z]+|\d[\d.,:/-]*)", sentence))


def _draft(request: str) -> str:
    """A short message to whoever is named, about what is named."""
    to, about = _TO.search(request), _ABOUT.search(request)
    name = to.group(1) if to else "you"
    topic = cut(about.group(1) if about else request).rstrip(" .!?")
    greeting = f"Dear {name}," if to else "Hello,"
    return (
        f"Here is a draft.\n\n{greeting}\n\nI am writing about this: {topic}. "
        f"Please tell me whether this suits you, or what I should change.\n\nKind regards{_mentioned(request)}"
    )


def _mentioned(request: str) -> str:
    """A line with every placeholder once, so that a reader sees each of them restored."""
    found = list(dict.fromkeys(_PLACEHOLDER.findall(request)))
    return f"\n\nMentioned: {', '.join(found)}." if found else ""


def cut(text: str) -> str:
    """At most 600 characters, cut between words so that no placeholder is torn."""
    plain = " ".join(text.split())
    if len(plain) <= _MAX_QUOTED:
        return plain
    return plain[:_MAX_QUOTED].rpartition(" ")[0] + " …"
