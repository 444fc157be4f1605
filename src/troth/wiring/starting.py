"""What started: an entry with the digests of the program's files and of its settings, so that a change shows."""

from __future__ import annotations

import hashlib
from functools import cache
from pathlib import Path
from typing import Any

import rfc8785
from pydantic import BaseModel

import troth
from troth.kernel.clock import epoch_ms
from troth.kernel.ids import new_id
from troth.kernel.record import Entry, Outcome, checked_facts
from troth.promises.system import Base


def announce(base: Base) -> None:
    """Record `service.started` in the operator's log. Raises `Unavailable`: a start that is not recorded is none."""
    facts = checked_facts(
        {"version": troth.__version__, "digest": package_digest(), "settings": settings_digest(base.settings)}
    )
    now, name, who = epoch_ms(base.clock.now()), "service.started", "svc_start"
    base.outbox.record(Entry("operator", name, "event", Outcome.DONE, new_id("req"), who, None, now, facts=facts))


@cache
def package_digest(folder: Path = Path(troth.__file__).parent) -> str:
    """SHA-256 over path and SHA-256 of each file of the package, by path, without what Python compiled."""
    lines = [
        f"{path.relative_to(folder).as_posix()}\0{hashlib.sha256(path.read_bytes()).hexdigest()}\n"
        for path in sorted(folder.rglob("*"))
        if path.is_file() and "__pycache__" not in path.parts
    ]
    return hashlib.sha256("".join(lines).encode()).hexdigest()


def settings_digest(settings: BaseModel) -> str:
    """SHA-256 over the settings as canonical JSON (RFC 8785), without those that are secret (`repr=False`)."""
    return hashlib.sha256(rfc8785.dumps(_open(settings))).hexdigest()


def _open(value: Any) -> Any:
    if isinstance(value, BaseModel):
        shown = type(value).model_fields.items()
        return {name: _open(getattr(value, name)) for name, field in shown if field.repr}
    if isinstance(value, dict):
        return {str(name): _open(one) for name, one in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [_open(one) for one in value]
    return value if value is None or isinstance(value, bool | int | float | str) else str(value)
