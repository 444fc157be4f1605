"""Where papers begin: the binding file of a text on this machine, written for the first time or again."""

from __future__ import annotations

import os
import re
import stat
from datetime import UTC, datetime
from pathlib import Path

from troth.kernel.errors import Invalid, NotFound
from troth.promises.paper.binding import SUFFIX, binding_path, limited, read_paper
from troth.promises.paper.skeleton import Skeleton, first, refreshed

_NAME = re.compile(r"[a-z][a-z0-9-]{0,39}")


def written(file: Path, name: str | None = None) -> Skeleton:
    """Write `NAME.paper.yaml` beside the text, whole or not at all. Raises as `read_paper`; Invalid (`bad-name`)."""
    target = binding_path(file)
    made = _again(file, target) if target.exists() else _first(file, name)
    part = target.with_name(f".{target.name}.{os.getpid()}")
    try:
        part.write_text(made.text, encoding="utf-8")
        if target.exists():
            part.chmod(stat.S_IMODE(target.stat().st_mode))
        part.replace(target)
    finally:
        part.unlink(missing_ok=True)
    return made


def _again(file: Path, target: Path) -> Skeleton:
    paper = read_paper(target)
    if file.name not in (target.name, paper.binding.text.file):
        says = f"The binding file beside it is of {paper.binding.text.file}; give this text a name of its own."
        raise Invalid(says, code="bad-name")
    return refreshed(paper, limited(target.with_name(paper.binding.text.file)))


def _first(file: Path, name: str | None) -> Skeleton:
    if file.name.endswith(SUFFIX):
        raise NotFound("That binding file is not there; name the text itself.", code="paper-not-found")
    token = name or re.sub(r"[^a-z0-9]+", "-", file.stem.lower()).strip("-")
    if not _NAME.fullmatch(token):
        says = "A paper's name has up to 40 small letters, digits and hyphens, a letter first; give one with --name."
        raise Invalid(says, code="bad-name")
    return first(limited(file), file.name, token, datetime.now(UTC).date())
