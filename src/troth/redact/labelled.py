"""A labelled sample: documents in which people marked every personal value, as a second measure of what is left.

JSON Lines `{"text", "spans": [{"start", "end", "label"}]}`, offsets in code points, labels of the taxonomy. Canaries
measure kinds as they are planted; this measures the writing of real people, if the sample is drawn from the data set.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from troth.kernel.errors import Invalid, Malformed, NotFound, TooLarge
from troth.redact.canaries import LeakBound
from troth.redact.decisions import Action, Policy
from troth.redact.detect import Detector
from troth.redact.detect.kinds import KINDS
from troth.redact.finding import Finder
from troth.redact.surrogates.draw import signs

_BYTES = 256 << 20  # a sample is read by people; more is none
LABELS = frozenset(kind.label for kind in KINDS.values())


@dataclass(frozen=True, slots=True)
class Labelled:
    """A sample that was read. `documents`: (text, [(start, end, label)]); `sha256` of the file."""

    documents: tuple[tuple[str, tuple[tuple[int, int, str], ...]], ...]
    sha256: str


def read_labelled(path: Path) -> Labelled:
    """A sample from a file. Raises NotFound, TooLarge; Malformed naming the line, never its content."""
    try:
        if path.stat().st_size > _BYTES:
            raise TooLarge("The labelled sample is larger than 256 MiB; draw a smaller one.", code="sample-too-large")
        content = path.read_bytes()
    except OSError as error:
        raise NotFound("The labelled sample cannot be read.", code="sample-not-found") from error
    lines = [(n, line) for n, line in enumerate(content.splitlines(), 1) if line.strip()]
    return Labelled(tuple(_document(line, n) for n, line in lines), hashlib.sha256(content).hexdigest())


def _document(line: bytes, number: int) -> tuple[str, tuple[tuple[int, int, str], ...]]:
    try:
        row = json.loads(line)
        text, spans = row["text"], [(s["start"], s["end"], s["label"]) for s in row["spans"]]
        sound = isinstance(text, str) and all(
            type(a) is int and type(b) is int and 0 <= a < b <= len(text) and label in LABELS for a, b, label in spans
        )
    except (ValueError, KeyError, TypeError, RecursionError):
        sound = False
    if not sound:
        raise Malformed(
            f'Line {number} of the labelled sample is not {{"text", "spans": [{{"start", "end", "label"}}]}} with '
            "labels of the taxonomy.",
            code="sample-malformed",
        )
    return text, tuple(spans)


def labels_taken_out(policy: Policy) -> frozenset[str]:
    """Labels whose every kind the policy takes out: only of these can a value that is left be called a leak."""
    kept = {kind.label for name, kind in KINDS.items() if policy.action(name) is Action.KEEP}
    return LABELS - kept


def sample_bound(sample: Labelled, detector: Detector, policy: Policy) -> LeakBound:
    """How many of the sample's values are left by half or more, with the bound.

    A value that one document has several times counts once, and as left when it is left anywhere: its places are no
    trials of their own, and a bound over them would be too good.

    Raises Invalid (`sample-empty`) when the policy keeps every label of the sample; as `Finder` otherwise.
    """
    finder, labels = Finder(detector, policy), labels_taken_out(policy)
    outcomes: dict[tuple[int, str, str], bool] = {}
    for number, (text, spans) in enumerate(sample.documents):
        found = [(span.start, span.end) for span in finder.find(text)]
        for start, end, label in spans:
            if label in labels:
                value = number, label, signs(text[start:end])
                stays = 2 * sum(_uncovered(start, end, found)) >= end - start
                outcomes[value] = outcomes.get(value, False) or stays
    tried, left = len(outcomes), sum(outcomes.values())
    if not tried:
        raise Invalid("The labelled sample has no value that the policy takes out; nothing can be measured on it.",
                      code="sample-empty")  # fmt: skip
    return LeakBound.of(tried, left, policy.confidence)


def _uncovered(start: int, end: int, found: list[tuple[int, int]]) -> Iterator[int]:
    """Lengths of the pieces of [start, end) that no find covers; `found` sorted."""
    position = start
    for a, b in found:
        if b <= position or a >= end:
            continue
        yield max(0, a - position)
        position = b
    yield max(0, end - position)


def as_json(bound: LeakBound, sample: Labelled, policy: Policy) -> dict[str, Any]:
    """For the manifest. `labels`: those of the sample that were measured; the bound says nothing of others."""
    marked = {label for _, spans in sample.documents for _, _, label in spans}
    labels = sorted(marked & labels_taken_out(policy))
    return {**bound.as_json("values"), "labels": labels, "documents": len(sample.documents), "sha256": sample.sha256}
