"""Processes that change a key tree until they are killed, and say what they were told is durable.

Usage: key_crash_worker.py FOLDER; then one seed a line on standard input. Each seed forks a process of its own (so that
nothing is imported again), which says its id and then one line per acknowledged step. Whole lines end with a dot.
"""

from __future__ import annotations

import os
import random
import sys
from pathlib import Path

from troth.kernel.clock import SystemClock
from troth.kernel.data_class import DataClass
from troth.kernel.errors import Conflict
from troth.keys import btree
from troth.keys.roots.local import LocalRoot
from troth.keys.tree import Domain, KeyTree, Options, Reason, Scope, UnitRequest, Use
from troth.storage.blobs import LocalBlobs
from troth.storage.database import Database, metadata

WORK = {"add": 5, "destroy": 4, "subject": 2, "rotate": 1, "turn": 1, "rekey": 0.5, "hold": 0.5, "sweep": 0.3}


def opened(folder: Path) -> tuple[KeyTree, list[Domain], Database]:
    """The tree in `folder`, with two domains; its root is split when the folder says so."""
    database = Database(f"sqlite:///{folder}/troth.db")
    metadata.create_all(database.engine)
    made = [
        Domain(LocalRoot(folder / f"roots-{at}", f"local-{at}"), LocalBlobs(folder / f"copies-{at}")) for at in range(2)
    ]
    options = Options(split=(folder / "split").exists())
    return KeyTree(database, made, SystemClock(), options=options), made, database


def say(*words: object) -> None:
    print(*words, ".", flush=True)


class Work:
    """One process's work on the tree."""

    def __init__(self, tree: KeyTree, seed: int) -> None:
        self.tree, self.seed, self.chance = tree, seed, random.Random(seed)
        self.tenant = f"ten_{seed}"
        self.units: list[str] = []

    def step(self, number: int) -> None:
        kind = self.chance.choices(list(WORK), list(WORK.values()))[0]
        getattr(self, kind)(number)

    def add(self, number: int) -> None:
        subject = f"usr_{self.seed}_{self.chance.randrange(6)}"
        periods = [f"{number}-{one}" for one in range(self.chance.choice([1, 2, 3, 30]))]
        requests = [UnitRequest(self.tenant, subject, DataClass.ACCOUNT, period) for period in periods]
        for key in self.tree.units(requests):
            self.units.append(key.id.hex())
            say("added", key.id.hex(), key.key.hex())

    def destroy(self, _number: int) -> None:
        if self.units:
            goes = self.units.pop(self.chance.randrange(len(self.units)))
            say("destroying", goes)
            self.tree.destroy_units([bytes.fromhex(goes)])
            say("destroyed", goes)

    def subject(self, number: int) -> None:
        subject = f"usr_{self.seed}_{number}x"
        made = [self.tree.own_unit(self.tenant, subject, DataClass.ACCOUNT).id.hex() for _ in range(2)]
        say("destroying", *made)
        self.tree.destroy_subject(self.tenant, subject)
        say("destroyed", *made)

    def rotate(self, _number: int) -> None:
        self.tree.rotate()
        say("rotated")

    def rekey(self, _number: int) -> None:
        self.tree.replace_compromised_roots("lost-token")
        say("rotated")

    def turn(self, _number: int) -> None:
        self.tree.rotate_units(Scope.of_tenant(self.tenant))

    def hold(self, number: int) -> None:
        subject = f"usr_{self.seed}_{number}h"
        unit = self.tree.own_unit(self.tenant, subject, DataClass.ACCOUNT)
        self.tree.suspend(Scope.of_subject(self.tenant, subject), Reason.LEGAL_HOLD)
        say("held", unit.id.hex(), unit.key.hex())
        try:
            self.tree.destroy_subject(self.tenant, subject)
        except Conflict:
            assert self.tree.key(unit.id, Use.PRIVACY) == unit

    def sweep(self, _number: int) -> None:
        self.tree.sweep()


def main(folder: Path, seed: int) -> None:
    btree.LEAF_MAX, btree.BRANCH_MAX = 6, 4  # small pages, so that the tree is deep
    tree = opened(folder)[0]
    tree.resume()
    say("ready")
    work = Work(tree, seed)
    for number in range(10_000):
        work.step(number)


if __name__ == "__main__":
    for line in sys.stdin:
        child = os.fork()
        if child == 0:
            main(Path(sys.argv[1]), int(line))
            os._exit(0)
        say("pid", child)
        os.waitpid(child, 0)
        print("\nended", flush=True)
