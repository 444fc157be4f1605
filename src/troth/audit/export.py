"""A whole log as a folder of static files in the C2SP tlog-tiles layout: to serve, to mirror, to hand to an auditor."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from troth.audit.checkpoint import Checkpoint
from troth.audit.note import parse_note
from troth.audit.tiles import CHECKPOINT, MINIMUM, tiles_of
from troth.kernel.errors import Conflict


def export_log(
    resource: Callable[[str], bytes], folder: Path, begin: Callable[[int], object] = lambda _files: None
) -> Checkpoint:
    """Write every tile and bundle, and last the checkpoint that needs them.

    Entries below the log's minimum index were pruned: their bundles are left out, and the file `minimum` says so.
    `resource` gives a log's bytes by path, such as `functools.partial(publisher.resource, log)`. The log may grow
    meanwhile. `begin` is told how many tiles and bundles there are. Raises `Conflict` when the folder exists and is
    not empty.
    """
    if folder.exists() and any(folder.iterdir()):
        raise Conflict("The folder is not empty; name a new one, so that no old tile stays in it.", code="exists")
    note = resource(CHECKPOINT)
    checkpoint = Checkpoint.parse(parse_note(note).text)
    minimum = int(resource(MINIMUM))
    wanted = [tile for tile in tiles_of(checkpoint.size) if tile.level is not None or tile.start >= minimum]
    begin(len(wanted))
    for tile in wanted:
        _write(folder / tile.path, resource(tile.path))
    if minimum:
        _write(folder / MINIMUM, b"%d\n" % minimum)
    _write(folder / CHECKPOINT, note)
    return checkpoint


def _write(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    path.write_bytes(content)
