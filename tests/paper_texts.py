"""Small papers for tests: a text and what its sentences carry."""

from __future__ import annotations

from datetime import date
from hashlib import sha256
from typing import Any

import yaml

from troth.promises.catalogue import catalogue
from troth.promises.paper.binding import Paper, paper_of
from troth.promises.paper.lint import Finding, Known, lint
from troth.promises.paper.parameters import parameters
from troth.promises.paper.splitting import sentences

TODAY = date(2026, 11, 23)
Row = dict[str, Any]


def known(**changes: Any) -> Known:
    """What papers are held against in tests."""
    told = {"promises": catalogue(), "parameters": parameters(), "checks": (), "today": TODAY}
    return Known(**(told | changes))


def bound_text(text: str, rows: list[Row], **header: Any) -> Paper:
    """A plain paper: one row for each sentence, without place and digest, which are as they must be."""
    content = text.encode()
    placed = [{"at": one.at, "sha256": one.sha256, **row} for one, row in zip(sentences(text), rows, strict=True)]
    named = {"file": "small.txt", "sha256": sha256(content).hexdigest()}
    return paper_of(
        content,
        yaml.safe_dump({"paper": "small", "version": "1", "text": named, "sentences": placed} | header).encode(),
    )


def says(text: str, *carries: str) -> Paper:
    """A paper of one sentence that carries those promises."""
    return bound_text(text, [{"carries": list(carries)} if carries else {"because": "rhetoric"}])


def codes(found: tuple[Finding, ...], severity: str = "error") -> list[str]:
    """The codes of findings."""
    return [one.code for one in found if one.severity == severity]


def linted(paper: Paper, **changes: Any) -> list[str]:
    """The codes of a paper's faults."""
    return codes(lint(paper, known(**changes)))
