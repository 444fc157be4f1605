"""Promises about what lies about while work is done: temporary files, spools, core files, uploads that died."""

from __future__ import annotations

import os
import resource
import secrets
import tempfile
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path

from sqlalchemy import func, select

from troth.kernel.clock import epoch_ms
from troth.promises.check import Check, Facts, counted
from troth.promises.probe import Probe, probe
from troth.promises.system import System
from troth.vault.retention import ORPHAN_GRACE_MS
from troth.vault.store import orphans

_SIZE = 3 << 20  # bytes; libraries that spool begin at 1 MiB
_HEAD = 1 << 16  # bytes of a file that are looked at
_DESCRIPTORS = Path("/proc/self/fd")
_SWEEPS_MS = 2 * 3_600_000  # an orphan is deleted by the first sweep after its grace
Work = Callable[[bytes], AbstractContextManager[object]]


def _clean(_content: bytes) -> AbstractContextManager[object]:
    return nullcontext()


@contextmanager
def _spooled(content: bytes) -> Iterator[object]:
    """The known-bad upload: its bytes lie in an unlinked temporary file while it runs."""
    with tempfile.TemporaryFile() as spool:
        spool.write(content)
        spool.flush()
        yield spool


def _while_keeping(system: System, work: Work) -> Facts:
    """In the middle of a large upload: nothing of it in an open file or in the folder for temporary files."""
    if not _DESCRIPTORS.is_dir():  # only Linux shows what a process holds open
        return Facts(0, 0, 0, configured=False)
    needle = secrets.token_hex(32).encode()
    content = needle * (_SIZE // len(needle))
    seen: list[bool] = []
    with probe(system) as person, work(content):
        _kept(person, content, lambda: seen.extend(needle not in head for head in _heads()))
    return counted([*seen, _no_core_files(), _no_old_orphans(system)])


def _kept(person: Probe, content: bytes, look: Callable[[], None]) -> None:
    """Keep, and look while the transaction is open: the ciphertext is written, the row is not yet."""
    person.system.vault.objects.keep(person.request(content), beside=lambda _connection, _object: look())


def _heads() -> Iterator[bytes]:
    """The first bytes of every regular file that this process holds open, and of its user in the temporary folder."""
    for one in (*_DESCRIPTORS.iterdir(), *_ours(Path(tempfile.gettempdir()))):
        try:
            if one.is_file():
                yield _head(one)
        except OSError:
            continue  # closed meanwhile, or not for us to read


def _head(path: Path) -> bytes:
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    try:
        return os.pread(descriptor, _HEAD, 0)
    finally:
        os.close(descriptor)


def _ours(folder: Path) -> Iterator[Path]:
    with os.scandir(folder) as entries:
        for entry in entries:
            if entry.is_file(follow_symlinks=False) and entry.stat(follow_symlinks=False).st_uid == os.getuid():
                yield Path(entry.path)


def _no_core_files() -> bool:
    return resource.getrlimit(resource.RLIMIT_CORE)[0] == 0


def _no_old_orphans(system: System) -> bool:
    """Ciphertext of an upload that died is gone within the grace and a sweep."""
    with system.base.database.read() as connection:
        oldest = connection.execute(select(func.min(orphans.c.seen_at))).scalar()
    return oldest is None or epoch_ms(system.base.clock.now()) - oldest <= ORPHAN_GRACE_MS + _SWEEPS_MS


CHECKS = (
    Check(
        "no-clear-scratch",
        ("DEL-08",),
        "In the middle of a synthetic 3 MiB upload, no file that this process holds open, unlinked ones too, and no "
        "file of this user in the temporary folder may show its bytes; core files must be off, and no ciphertext "
        "without a row older than three hours. What a kernel hands to a crash handler by a pipe is not looked at.",
        lambda system: _while_keeping(system, _clean),
        lambda system: _while_keeping(system, _spooled),
        every=6 * 3600,
        scope="open and temporary files of this process and user",
        population="files looked at, core files, and old orphans",
    ),
)
