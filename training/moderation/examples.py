"""Sentences to learn from: lines of `data/` with their choices made, by a fixed seed. Standard library only.

A line is "codes | sentence"; `[a|b]` is a choice, `{name}` a word of a list; `-` is harmless.
"""

from __future__ import annotations

import random
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).parent
CODES = {
    "h": "harassment", "ht": "harassment/threatening", "e": "hate", "et": "hate/threatening", "i": "illicit",
    "iv": "illicit/violent", "s": "self-harm", "si": "self-harm/intent", "sx": "self-harm/instructions", "x": "sexual",
    "xm": "sexual/minors", "v": "violence", "vg": "violence/graphic",
}  # fmt: skip
THEMES = ("abuse", "hate", "crime", "self", "sexual", "violence", "harmless", "others")
_SLOT, _CHOICE = re.compile(r"{(\w+)}"), re.compile(r"\[([^\[\]]*)\]")
_OPENINGS = """hey|ok so|listen|please|can you|for a friend:|quick question:|honestly|lol|hello|i have a question|well|and|but|so|
you know what|seriously|yo|look|for my blog:|dear all|by the way|just saying|to be honest|hi there""".replace(
    "\n", ""
).split("|")
_ENDINGS = """please|now|thanks|lol|ok?|you know|in two sentences|it is urgent|for my blog|today|man|bro|!!!|and i mean it|asap|
haha|right?|that is all|got it?|i am serious""".replace("\n", "").split("|")
_LEET = str.maketrans("aeiost", "431057")

Labels = frozenset[str]


@dataclass(frozen=True, slots=True)
class Example:
    """A text, what it is, and the line that it was made of (all of a line are learnt from, or none)."""

    labels: Labels
    text: str
    line: str


def written(name: str) -> list[tuple[Labels, str, dict[str, list[str]]]]:
    """The lines of one theme, with the lists that hold for each."""
    lists = dict(_lists((HERE / "data" / "words.txt").read_text("utf-8")))
    found = []
    for line in (HERE / "data" / f"{name}.txt").read_text("utf-8").splitlines():
        if line.startswith("@"):
            lists.update(_lists(line))
        elif line and not line.startswith("#"):
            codes, _, sentence = line.partition("| ")
            found.append((frozenset(CODES[code] for code in codes.split() if code != "-"), sentence, dict(lists)))
    return found


def made(seed: int, each: dict[str, int]) -> list[Example]:
    """Up to `each[theme]` texts of every line, shuffled."""
    draw = random.Random(seed)
    found: list[Example] = []
    for theme in THEMES:
        for labels, sentence, lists in written(theme):
            texts = {_filled(sentence, lists, draw) for _ in range(each[theme])}
            found += [Example(labels, text, sentence) for text in sorted(texts)]
    draw.shuffle(found)
    return found


def dressed(text: str, draw: random.Random, *, english: bool = True) -> str:
    """The text as people might send it: with an opening or end, other case, disguised words."""
    if english and draw.random() < 0.2:
        text = f"{draw.choice(_OPENINGS)} {text}"
    if english and draw.random() < 0.15:
        text = f"{text} {draw.choice(_ENDINGS)}"
    words = text.split(" ")
    if draw.random() < 0.06:
        at = draw.randrange(len(words))
        words[at] = draw.choice((words[at].translate(_LEET), " ".join(words[at]), words[at] + words[at][-1:] * 3))
    if draw.random() < 0.08 and len(words) > 5:
        del words[draw.randrange(len(words))]
    return " ".join(words)


def heldout(name: str = "heldout.txt") -> dict[str, list[tuple[Labels, str]]]:
    """Sentences that no step of training looks at, in parts ("" first; then as the lines `## part` say)."""
    parts: dict[str, list[tuple[Labels, str]]] = {"": []}
    part = ""
    for line in (HERE / name).read_text("utf-8").splitlines():
        if line.startswith("## "):
            part = line[3:]
            parts[part] = []
        elif line and not line.startswith("#"):
            labels, _, sentence = line.partition(" | ")
            parts[part].append((frozenset() if labels == "-" else frozenset(labels.split(",")), sentence))
    return parts


def near(heldout_texts: list[str]) -> set[tuple[str, ...]]:
    """Runs of four words of held-out sentences; a training text that shares half of its runs with them is left out."""
    return {run for text in heldout_texts for run in runs(text)}


def runs(text: str) -> list[tuple[str, ...]]:
    """Every four words in a row."""
    words = re.findall(r"\w+", text.lower())
    return [tuple(words[at : at + 4]) for at in range(len(words) - 3)]


def _lists(text: str) -> Iterator[tuple[str, list[str]]]:
    for line in text.splitlines():
        if line.startswith("@"):
            name, _, values = line[1:].partition(" = ")
            yield name, values.split("|")


def _filled(sentence: str, lists: dict[str, list[str]], draw: random.Random) -> str:
    while "[" in sentence or "{" in sentence:
        sentence = _CHOICE.sub(lambda match: draw.choice(match[1].split("|")), sentence)
        sentence = _SLOT.sub(lambda match: draw.choice(lists[match[1]]), sentence)
    return re.sub(r"\s+([,.!?]|'(?:ll|m|re|d|ve)\b)", r"\1", re.sub(r"\s+", " ", sentence)).strip()
