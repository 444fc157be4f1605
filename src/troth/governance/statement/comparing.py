"""What a new version of the statement says otherwise, section by section."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from troth.governance.statement.generate import Statement


@dataclass(frozen=True, slots=True)
class Difference:
    """Sentences of one section that are there no more, and those that are new."""

    section: str
    title: str
    kind: Literal["added", "dropped", "changed"]
    before: tuple[str, ...]
    after: tuple[str, ...]


def differences(old: Statement, new: Statement) -> list[Difference]:
    """Section by section, in the order of the new one; what was dropped comes last."""
    return list(_differences(old, new))


def _differences(old: Statement, new: Statement) -> Iterator[Difference]:
    earlier = {one.id: one for one in old.sections}
    for one in new.sections:
        was = earlier.pop(one.id, None)
        told, before = [each.text for each in one.sentences], [each.text for each in was.sentences] if was else []
        gone, come = tuple(t for t in before if t not in told), tuple(t for t in told if t not in before)
        if gone or come:
            yield Difference(one.id, one.title, "changed" if was else "added", gone, come)
    for one in earlier.values():
        yield Difference(one.id, one.title, "dropped", tuple(each.text for each in one.sentences), ())
