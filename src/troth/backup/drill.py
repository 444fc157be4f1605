"""The restore drill: the newest backup is restored to a private temporary place, tried, measured and thrown away."""

from __future__ import annotations

import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from troth.backup.places import Held
from troth.backup.restoring import Restored, Restoring
from troth.backup.source import Progress, quiet

PASSED, UNKNOWN = "passed", "unknown"


@dataclass(frozen=True, slots=True)
class Drilled:
    """What a drill showed. `rpo_ms`: the age of what would have been lost; `log_rpo_ms`: that of the log's entries and
    the erasures in them; `rto_ms`: how long the restore took."""

    backup: str
    place: str
    rpo_ms: int
    rto_ms: int
    log_rpo_ms: int
    restored: Restored

    @property
    def state(self) -> str:
        """`passed` only when something of today was there to open and to compare; else `unknown`."""
        seen = self.restored.compared is not None and self.restored.compared.expected and self.restored.probed.live
        return PASSED if seen else UNKNOWN


def drill(restoring: Restoring, held: Held, now: int, progress: Progress = quiet) -> Drilled:
    """Restore and measure; nothing of it stays. Raises what `Restoring.into` raises."""
    begin = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="troth-drill-") as name:
        restored = restoring.into(Path(name) / "drill", held, progress)
        took = round((time.monotonic() - begin) * 1000)
    manifest, tail = held.manifest, restoring.remains.tail()
    logged = tail.tail.made_at if tail else manifest.made_at
    age, log_age = max(0, now - manifest.made_at), max(0, now - logged)
    return Drilled(manifest.id, held.location.name, age, took, log_age, restored)
