"""Binding files, written: a first one for a new text, or the old one over a changed text; promises are not guessed."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from hashlib import sha256
from typing import Any

import yaml

from troth.promises.paper.binding import Bound, Paper, layout_of
from troth.promises.paper.matching import Pair, match
from troth.promises.paper.splitting import sentences, text_of

_QUOTE = 110
_HEAD = """\
# What each sentence of {file} carries. Written by `troth paper bind {file}`; run it again when the text changes.
# Under each sentence: the promises that it carries (carries: [CRY-01]), or carries: [] and why it carries none
# (because: heading, lead-in, rhetoric, contact, link or not-ours). `troth paper lint {file}` says what is missing.
"""


@dataclass(frozen=True, slots=True)
class Skeleton:
    """A binding file as text, and how many of its sentences are kept, changed and still to be bound by a person."""

    text: str
    sentences: int
    changed: int
    unbound: int


def first(content: bytes, file: str, name: str, today: date) -> Skeleton:
    """The binding file of a text that has none: every sentence unbound. Raises as `splitting.text_of`."""
    header = {"paper": name, "version": "1", "text": _text(content, file), "effective": today, "domains": []}
    found = sentences(text_of(content), layout_of(file))
    return _written(file, header, [Pair(one, None, "none") for one in found])


def refreshed(paper: Paper, content: bytes) -> Skeleton:
    """The binding file of a paper over its text as it is now: what stands stays bound, what changed is to be bound
    again by a person (a comment says what it carried)."""
    old = paper.binding
    header = old.model_dump(exclude={"sentences", "text"}, exclude_defaults=True)
    layout = {"layout": old.text.layout} if old.text.layout else {}
    ordered = {"paper": header.pop("paper"), "version": header.pop("version")}
    header = ordered | {"text": _text(content, old.text.file) | layout} | header
    found = sentences(text_of(content), paper.layout)
    return _written(old.text.file, header, list(match(found, old.sentences).pairs))


def _text(content: bytes, file: str) -> dict[str, str]:
    return {"file": file, "sha256": sha256(content).hexdigest()}


def _written(file: str, header: dict[str, Any], pairs: list[Pair]) -> Skeleton:
    lines = [
        _HEAD.format(file=file) + yaml.safe_dump(_plain(header), sort_keys=False, allow_unicode=True),
        "sentences:",
    ]
    for pair in pairs:
        lines += _row(pair)
    changed = sum(pair.how == "changed" for pair in pairs)
    unbound = sum(not _kept(pair) for pair in pairs)
    text = "\n".join(lines if pairs else [*lines[:-1], "sentences: []"]) + "\n"
    return Skeleton(text, len(pairs), changed, unbound)


def _plain(value: Any) -> Any:
    """Tuples as lists, for YAML."""
    if isinstance(value, dict):
        return {name: _plain(one) for name, one in value.items()}
    return [_plain(one) for one in value] if isinstance(value, tuple) else value


def _kept(pair: Pair) -> bool:
    return pair.bound is not None and pair.how != "changed" and pair.bound.decided


def _row(pair: Pair) -> Iterator[str]:
    words = pair.sentence.text
    yield f"# {words if len(words) <= _QUOTE else words[: _QUOTE - 1] + '…'}"
    row: dict[str, Any] = {"at": pair.sentence.at, "sha256": pair.sentence.sha256, "carries": []}
    if pair.bound and pair.how == "changed":
        yield f"# ^ other words than before, when it carried: {_before(pair.bound)}"
    elif pair.bound:
        row |= pair.bound.model_dump(exclude={"at", "sha256"}, exclude_defaults=True)
        row["carries"] = list(pair.bound.carries)
        if pair.bound.accepts:
            row["accepts"] = [one.model_dump() for one in pair.bound.accepts]
    dumped = yaml.safe_dump(row, sort_keys=False, allow_unicode=True, default_flow_style=True, width=1_000_000)
    yield f"- {dumped.strip()}"


def _before(bound: Bound) -> str:
    return ", ".join(bound.carries) or f"nothing ({bound.because or 'unbound'})"
