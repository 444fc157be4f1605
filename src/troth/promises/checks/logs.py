"""Promises about operational logs: a canary goes through the gateway, and through a fault, and is then looked for."""

from __future__ import annotations

import contextlib
import io
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass

from troth.access.policy import CedarDecider
from troth.kernel.caller import Caller
from troth.kernel.dispatch import Decision, Dispatcher
from troth.kernel.errors import Unavailable
from troth.kernel.journal import Journal
from troth.kernel.operation import Call, Group, Operation, Registry, operation
from troth.kernel.watch import Watch
from troth.promises.account import found_in
from troth.promises.check import Check, Facts, counted
from troth.promises.probe import Probe, probe, refused
from troth.promises.system import System
from troth.telemetry.instruments import Both, new_meter
from troth.telemetry.tracing import Tracer
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
        self._write({"operation": operation, "request": request, "message": str(error)})


class _Ears:
    """Hears what the operational side is told about some work: journal, metrics and, where the extra is, traces."""

    def __init__(self, journal_of: Callable[[io.StringIO], Journal]) -> None:
        from prometheus_client import generate_latest  # noqa: PLC0415 - a server has it, whether it is asked or not

        self.written = io.StringIO()
        self.journal = journal_of(self.written)
        meter = new_meter()
        meter.know(routes=(), operations=("chat.complete", "probe.fault"))
        self.watch: Watch = meter
        self._heard: list[Callable[[], str]] = [self.written.getvalue, lambda: generate_latest(meter.registry).decode()]
        with contextlib.suppress(Unavailable, ImportError):
            self._traces(meter)

    def _traces(self, meter: Watch) -> None:
        from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter  # noqa: PLC0415

        kept = InMemorySpanExporter()
        self.watch = Both([meter, Tracer(kept, 1.0, "check", at_once=True)])
        self._heard.append(lambda: "".join(span.to_json() for span in kept.get_finished_spans()))

    def heard(self) -> list[str]:
        """What each of them holds now."""
        return [listen() for listen in self._heard]


def _canary(system: System, journal_of: Callable[[io.StringIO], Journal]) -> Facts:
    mark, since, ears = f"zq{secrets.token_hex(12)}", time.time(), _Ears(journal_of)
    with probe(system) as person:
        _chat(person, f"Please tell {mark} and {mark}@example.org about the pump.", ears)
        _fail(person, mark, ears)
        system.base.sequencer.flush()
        system.base.database.checkpoint()
        leaves = system.base.reader.entries(person.tenant, system.base.reader.size(person.tenant) - 1, _NEWEST, True)
        on_disk = found_in([system.base.settings.data.folder], [mark.encode()], since)
    told = ears.heard()
    return counted(
        [
            *(mark not in one for one in told),
            *("probe.fault" in one for one in told),  # the fault itself must be there, or the search proves nothing
            not any(mark.encode() in entry.leaf for entry in leaves),
            any(b"chat.complete" in entry.leaf for entry in leaves),
            not on_disk,
        ]
    )


def _chat(person: Probe, content: str, ears: _Ears) -> None:
    base, registry = person.system.base, person.system.dispatcher.registry
    dispatcher = Dispatcher(registry, person.system.decider, base.outbox, base.clock, ears.journal, watch=ears.watch)
    wanted = {"model": "troth-echo-1", "messages": [{"role": "user", "content": content}], "store": True}
    request = registry["chat.complete"].declaration.request.model_validate(wanted)
    person.run("chat.complete", request, dispatcher)


def _fail(person: Probe, content: str, ears: _Ears) -> None:
    """Run the failing operation; what it raises is for the journal."""
    base = person.system.base
    borrowed = _Borrowed(person.system.decider, person.system.dispatcher.registry["consent.list"])
    registry = Registry(_Failing(content))
    dispatcher = Dispatcher(registry, borrowed, base.outbox, base.clock, ears.journal, watch=ears.watch)
    refused(lambda: person.run("probe.fault", Nothing(), dispatcher))


CHECKS = (
    Check(
        "canary-in-logs",
        ("CLS-09",),
        "A canary prompt goes through the gateway to the built-in studio and is kept, and an operation fails with the "
        "canary in its error: the journal, metrics, traces (where the extra is installed), the tenant's newest 200 log "
        "entries and every file of the data folder must not hold it. A database server's own logs are not looked at.",
        lambda system: _canary(system, Journal),
        lambda system: _canary(system, _Chatty),
        every=6 * 3600,
        scope="journal, metrics, traces, one log, and the data folder",
        population="places searched for the canary",
    ),
)
