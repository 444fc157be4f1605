"""Promises about operational logs: a canary goes through the gateway, and through a fault, and is then looked for."""

from __future__ import annotations

import io
import json
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass

from troth.access.policy import CedarDecider
from troth.kernel.caller import Caller
from troth.kernel.dispatch import Decision, Dispatcher
from troth.kernel.journal import Journal
from troth.kernel.operation import Call, Group, Operation, Registry, operation
from troth.promises.account import found_in
from troth.promises.check import Check, Facts, counted
from troth.promises.probe import Probe, probe, refused
from troth.promises.system import System
from troth.vault.messages import Nothing

_NEWEST = 200


class _Failing:
    """An operation that fails with the content in its message, as libraries do."""

    def __init__(self, content: str) -> None:
        self._content = content

    @operation("probe.fault", group=Group.OWN_DATA, request=Nothing)
    def fail(self, _call: Call, _request: Nothing) -> None:
        """Fail."""
        raise ValueError(f"cannot read {self._content}")


@dataclass(frozen=True)
class _Borrowed:
    """Decides as for a real operation, because the policy knows no probes."""

    decider: CedarDecider
    real: Operation

    def decide(self, caller: Caller, operation: Operation) -> Decision:  # noqa: ARG002 - the shape of a decider
        return self.decider.decide(caller, self.real)


class _Chatty(Journal):
    """The known-bad journal: it writes what the exception says."""

    def fault(self, error: BaseException, operation: str, request: str) -> None:
        self._stream.write(json.dumps({"operation": operation, "request": request, "message": str(error)}) + "\n")


def _canary(system: System, journal_of: Callable[[io.StringIO], Journal]) -> Facts:
    mark, since, written = f"zq{secrets.token_hex(12)}", time.time(), io.StringIO()
    journal = journal_of(written)
    with probe(system) as person:
        _chat(person, f"Please tell {mark} and {mark}@example.org about the pump.", journal)
        _fail(person, mark, journal)
        system.base.sequencer.flush()
        system.base.database.checkpoint()
        leaves = system.base.reader.entries(person.tenant, system.base.reader.size(person.tenant) - 1, _NEWEST, True)
        on_disk = found_in([system.base.settings.data.folder], [mark.encode()], since)
    told = written.getvalue()
    return counted(
        [
            mark not in told,
            "probe.fault" in told,  # the fault itself must be there, or the search proves nothing
            not any(mark.encode() in entry.leaf for entry in leaves),
            any(b"chat.complete" in entry.leaf for entry in leaves),
            not on_disk,
        ]
    )


def _chat(person: Probe, content: str, journal: Journal) -> None:
    base, registry = person.system.base, person.system.dispatcher.registry
    dispatcher = Dispatcher(registry, person.system.decider, base.outbox, base.clock, journal)
    wanted = {"model": "troth-echo-1", "messages": [{"role": "user", "content": content}], "store": True}
    request = registry["chat.complete"].declaration.request.model_validate(wanted)
    person.run("chat.complete", request, dispatcher)


def _fail(person: Probe, content: str, journal: Journal) -> None:
    """Run the failing operation; what it raises is for the journal."""
    base = person.system.base
    borrowed = _Borrowed(person.system.decider, person.system.dispatcher.registry["consent.list"])
    dispatcher = Dispatcher(Registry(_Failing(content)), borrowed, base.outbox, base.clock, journal)
    refused(lambda: person.run("probe.fault", Nothing(), dispatcher))


CHECKS = (
    Check(
        "canary-in-logs",
        ("CLS-09",),
        "A canary prompt goes through the gateway to the built-in studio and is kept, and an operation fails with the "
        "canary in its error: the journal, the tenant's newest 200 log entries and every file of the data folder must "
        "not hold it. Traces and a database server's own logs do not exist here and are not looked at.",
        lambda system: _canary(system, Journal),
        lambda system: _canary(system, _Chatty),
        every=6 * 3600,
    ),
)
