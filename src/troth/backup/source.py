"""What a backup takes from and hands back to the installation."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from troth.backup.chunks import Chunks
from troth.kernel.clock import Clock, epoch_ms
from troth.kernel.record import Recorder
from troth.kernel.signer import Signer
from troth.storage.blobs import BlobStore
from troth.storage.database import Database

Progress = Callable[[str, int, int], None]  # stage, done, of how many


@dataclass(frozen=True, slots=True)
class Source:
    """The living installation. `settle` brings everything that waits into the signed logs, `prove` proves an entry.

    Both raise `Unavailable` when the log cannot do it now.
    """

    database: Database
    objects: BlobStore
    signer: Signer
    recorder: Recorder
    clock: Clock
    chunks: Chunks
    jurisdiction: str
    tool: str
    settle: Callable[[], None]
    prove: Callable[[str, str], str]

    def now(self) -> int:
        """Milliseconds since the epoch."""
        return epoch_ms(self.clock.now())

    def keys(self) -> dict[str, bytes]:
        """Who may have signed a manifest."""
        return {self.signer.name: self.signer.public_key}


def quiet(_stage: str, _done: int, _total: int) -> None:
    """Progress that nobody watches."""
