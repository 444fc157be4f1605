"""A log with three witnesses that can be closed, opened and told what to say."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field

from log_world import World
from troth.audit.cosignature import Ed25519Cosigner
from troth.audit.note import VerifierKey
from troth.audit.tlog_policy import TlogPolicy
from troth.audit.witness import Witness, WitnessRecords
from troth.audit.witness_client import WitnessClient
from troth.audit.witnessing import Witnessing
from troth.http.witness import witness_app
from troth.storage.blobs import LocalBlobs
from witness_world import Scripted, answering

NAMES = ("w0", "w1", "w2")
SIZE = "text/x.tlog.size"
OBJECTS = "It knows more of this log, or another history, and objects."


@dataclass
class Town:
    """A log's world and three witnesses with one Ed25519 key each; `closed` ones do not answer."""

    world: World
    open: dict[str, ExitStack] = field(default_factory=dict)
    urls: dict[str, str] = field(default_factory=dict)

    def cosigner(self, name: str) -> Ed25519Cosigner:
        return Ed25519Cosigner(f"{name}.test", name.encode() * 16)

    def witness(self, name: str) -> Witness:
        """The witness of that name, as its records have it."""
        keys = {key.name: [key] for key in map(self.world.sequencer.origins.key, ("operator", "meta"))}
        records = WitnessRecords(LocalBlobs(self.world.folder / name))
        if not (self.world.folder / name / "logs").exists():
            for origin in keys:
                records.begin(origin)
        return Witness(keys, records, [self.cosigner(name)], self.world.clock)

    def start(self, *names: str) -> None:
        """Open their doors; the address stays what it was."""
        for name in names:
            self.open[name] = ExitStack()
            self.urls[name] = self.open[name].enter_context(answering(witness_app(self.witness(name))))

    def stop(self, *names: str) -> None:
        for name in names:
            self.open.pop(name).close()

    def policy(self, threshold: int, names: tuple[str, ...] = NAMES, **urls: str) -> TlogPolicy:
        places = self.urls | urls
        lines = [f"witness {name} {self.cosigner(name).verifier} {places.get(name, '')}" for name in names]
        return TlogPolicy.parse("\n".join([*lines, f"group g {threshold} {' '.join(names)}", "quorum g\n"]).encode())

    def join(self, policy: TlogPolicy) -> Witnessing:
        """Let the log's sequencer show its checkpoints to the witnesses of a policy."""
        made = Witnessing(self.world.database, policy, WitnessClient(seconds=1), self.world.clock)
        self.world.sequencer.witnessing = made
        return made

    def key(self, log: str = "operator") -> VerifierKey:
        return self.world.sequencer.origins.key(log)

    def shown(self, log: str = "operator") -> bytes:
        return self.world.publisher.resource(log, "checkpoint")


@contextmanager
def scripted(town: Town, door: Scripted, *, before: Callable[[], object] = lambda: None) -> Iterator[Witnessing]:
    """One witness that says what it was told to."""
    with answering(door) as url:
        witnessing = town.join(town.policy(1, ("w0",), w0=url))
        before()
        yield witnessing


def wait(witnessing: Witnessing, seconds: float, log: str = "operator") -> None:
    by = time.monotonic() + seconds
    with witnessing.turn(log, by):
        witnessing.require(log, by)


def states(witnessing: Witnessing, log: str = "operator") -> dict[str, tuple[int | None, str | None]]:
    (state,) = (one for one in witnessing.state() if one.log == log)
    return {one.name: (one.size, one.fault) for one in state.witnesses}
