"""`troth redact spans`: what a tier finds, line by line, as offsets and labels; never a value."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Iterable
from functools import partial
from typing import TYPE_CHECKING, Any

import click

from troth.redact.tiers import TIERS

if TYPE_CHECKING:
    from troth.redact.detect import Detector, Span

_LONGEST = 200_000_000  # characters of one line


TIER = click.option(
    "--tier",
    type=click.Choice(TIERS),
    default="rules",
    show_default=True,
    help="What reads the text; all but rules need troth[model].",
)


def loader(tier: str) -> Callable[[], Detector]:
    """Loads the detector of a tier, in this process or a worker of it."""
    from troth.redact.tiers import detector

    # Before numpy is imported: on products this small, more threads only wait for each other.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    return partial(detector, tier)


@click.command()
@TIER
def spans(tier: str) -> None:
    """JSON Lines {"text"} in, {"spans": [{"start", "end", "label", "score"}]} out, in the same order.

    Offsets are code points; labels are those of the taxonomy. Dates that only a rule sees (time stamps of logs) are
    left out. A line that is no such object stops the command with its number.
    """
    from troth.redact.detect import detect_each

    detector = loader(tier)()  # before the first line is read: what cannot be loaded stops the start
    contents = (content_of(line, number) for number, line in enumerate(sys.stdin.buffer, 1) if line.strip())
    for found in detect_each(detector, contents):
        sys.stdout.write(json.dumps({"spans": _shown(found)}) + "\n")


def content_of(line: bytes, number: int) -> str:
    """The text of one line, the `number`-th. Raises Malformed (`line-malformed`), which shows nothing of it."""
    from troth.kernel.errors import Malformed

    try:
        row = json.loads(line) if len(line) <= _LONGEST else None
    except (ValueError, RecursionError):
        row = None
    if not isinstance(row, dict) or not isinstance(row.get("text"), str):
        raise Malformed(f'Line {number} is not a JSON object with "text".', code="line-malformed")
    return str(row["text"])


def _shown(found: Iterable[Span]) -> list[dict[str, Any]]:
    from troth.redact.detect import KINDS

    return [
        {"start": s.start, "end": s.end, "label": KINDS[s.kind].label, "score": round(s.score, 3)}
        for s in found
        if (s.kind, s.detector) != ("date", "rules")
    ]
