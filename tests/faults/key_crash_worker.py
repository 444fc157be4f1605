"""A process that changes a key tree until it is killed, and says what it was told is durable.

Usage: key_crash_worker.py FOLDER SEED. Prints one line per acknowledged step.
"""

from __future__ import annotations

import random
import sys
from pathlib import Path

from troth.kernel.clock import SystemClock
from troth.kernel.data_class import DataClass
from troth.keys import btree
from troth.keys.roots.local import LocalRoot
from troth.keys.tree import Domain, KeyTree, UnitRequest
from troth.storage.blobs import LocalBlobs
from troth.storage.database import Database, metadata


def opened(folder: Path) -> tuple[KeyTree, list[Domain], Database]:
    """The tree in `folder`, with two domains."""
    database = Database(f"sqlite:///{folder}/troth.db")
    metadata.create_all(database.engine)
    made = [
        Domain(LocalRoot(folder / f"roots-{at}", f"local-{at}"), LocalBlobs(folder / f"copies-{at}")) for at in range(2)
    ]
    return KeyTree(database, made, SystemClock()), made, database


def say(*words: object) -> None:
    print(*words, flush=True)


def main(folder: Path, seed: int) -> None:
    btree.LEAF_MAX, btree.BRANCH_MAX = 6, 4  # small pages, so that the tree is deep
    chance, tree = random.Random(seed), opened(folder)[0]
    tree.resume()
    say("ready")
    units: list[str] = []
    for number in range(10_000):
        subject = f"usr_{seed}_{chance.randrange(6)}"
        kind = chance.choices(["add", "destroy", "subject"], [6, 2, 1])[0]
        if kind == "add":
            periods = [f"{number}-{one}" for one in range(chance.randint(1, 3))]
            requests = [UnitRequest(f"ten_{seed}", subject, DataClass.ACCOUNT, period) for period in periods]
            for key in tree.units(requests):
                units.append(key.id.hex())
                say("added", key.id.hex(), key.key.hex())
        elif kind == "destroy" and units:
            goes = units.pop(chance.randrange(len(units)))
            say("destroying", goes)
            tree.destroy_units([bytes.fromhex(goes)])
            say("destroyed", goes)
        elif kind == "subject":
            subject = f"usr_{seed}_{number}x"
            made = [tree.own_unit(f"ten_{seed}", subject, DataClass.ACCOUNT).id.hex() for _ in range(2)]
            say("destroying", *made)
            tree.destroy_subject(f"ten_{seed}", subject)
            say("destroyed", *made)


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
