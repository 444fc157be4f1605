"""A witness that dies by SIGKILL: before its record moves, or between the record and the answer."""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path
from typing import NoReturn

from troth.audit.cosignature import Ed25519Cosigner
from troth.storage.blobs import LocalBlobs
from witness_world import GrowingLog, witness_in


def die(*_arguments: object) -> NoReturn:
    os.kill(os.getpid(), signal.SIGKILL)
    raise AssertionError


def main() -> None:
    folder, moment, size = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])
    log = GrowingLog().grow(10)
    witness = witness_in(folder, log)
    if moment == "before":
        LocalBlobs.swap = die  # type: ignore[method-assign]
    else:
        Ed25519Cosigner.cosign = die  # type: ignore[method-assign]
    witness.add_checkpoint(log.ask(int(sys.argv[4]), size))


main()
