"""A whole log as a folder of static files in the C2SP tlog-tiles layout: to serve, to mirror, to hand to an auditor."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from troth.audit.checkpoint import Checkpoint
from troth.audit.note import parse_note
from troth.audit.tiles import CHECKPOINT, tiles_of
from troth.kernel.errors import Conflict


def export_log(resource: Callable[[str], bytes], folder: Path) -> Checkpoint:
    """Write every tile and bundle, and last the checkpoint that needs them.

    `resource` gives a log's bytes by path, such as `functools.partial(publisher.resource, log)`. The log may grow
    meanwhile. Raises `Conflict` when the folder exists and is not empty.
    """
    if folder.exists() and any(folder.iterdir()):
        raise Conflict("The folder is not empty; name a new one, so that no old tile stays in it.", code="exists")
    note = resource(CHECKPOINT)
    checkpoint = Checkpoint.parse(parse_note(note).text)
    for tile in tiles_of(checkpoint.size):
        _write(folder / tile.path, resource(tile.path))
    _write(folder / CHECKPOINT, note)
    return checkpoint


def _write(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    path.write_bytes(content)
