"""The one road in: decide, open the record, run, close the record. Doors call this and nothing else (house rule 1)."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass, replace
from typing import Any, Protocol

from troth.kernel.caller import Caller
from troth.kernel.clock import Clock, epoch_ms
from troth.kernel.data_class import DataClass
from troth.kernel.errors import Denied, TrothError, Unauthenticated
from troth.kernel.ids import new_id
from troth.kernel.operation import Call, Group, Operation, Registry, Stream
from troth.kernel.record import Entry, Fact, Outcome, Recorder, checked_facts
from troth.kernel.scope import Scope, within


@dataclass(frozen=True, slots=True)
class Decision:
    """What the policy said, and over which evidence."""

    allowed: bool
    policies: tuple[str, ...] = ()
    evidence: str | None = None


_UNASKED = Decision(allowed=False)  # what an entry says that no policy spoke about


class Decider(Protocol):
    """The one decision point."""

    def decide(self, caller: Caller, operation: Operation) -> Decision:
        """Allow or not; an error in a policy is a no. Never raises for a refused caller."""
        ...


class FaultLog(Protocol):
    """Where unexpected exceptions go: their type and code location, never their text."""

    def fault(self, error: BaseException, operation: str, request: str) -> None:
        """Note one fault."""
        ...


class Internal(TrothError):
    """Something unexpected; the stranger learns only a request id."""


@dataclass(slots=True)
class Permit:
    """An operation that its caller may run once, now. Only a dispatcher makes one."""

    operation: Operation
    call: Call
    entry: Entry
    refusal: TrothError | None = None
    recorded: bool = True


class Dispatcher:
    """Runs operations for callers. An operation whose record cannot be opened does not run."""

    def __init__(
        self,
        registry: Registry,
        decider: Decider,
        recorder: Recorder,
        clock: Clock,
        faults: FaultLog,
        *,
        at_hand: bool = False,
    ) -> None:
        """`at_hand`: short reads wait for no other machine, so a quick operation may run on an event loop's thread."""
        self.registry = registry
        self._decider = decider
        self._recorder = recorder
        self._clock = clock
        self._faults = faults
        self._at_hand = at_hand
        self._public_reads: Counter[str] = Counter()

    def run(self, name: str, caller: Caller, request: Any, request_id: str | None = None) -> Any:
        """Run a plain operation on this thread. Raises a `TrothError`, and only that."""
        opened = self._decided(name, caller, request_id)
        self._note(opened, opened.entry)
        if opened.refusal:
            raise opened.refusal
        try:
            result = _scoped(opened, request)
        except Exception as error:
            outcome, refusal = self._explained(opened, error)
            self._note(opened, self._closing(opened, outcome, refusal.code))
            raise refusal from error
        self._note(opened, self._closing(opened, Outcome.DONE))
        return result

    async def run_async(self, name: str, caller: Caller, request: Any, request_id: str | None = None) -> Any:
        """Run any operation from an event loop; plain ones go to a worker thread, records are awaited."""
        return await self.run_permitted(await self.permit(name, caller, request_id), request)

    async def permit(self, name: str, caller: Caller, request_id: str | None = None) -> Permit:
        """Ask the policy before the request is read. Raises the refusal, which is recorded then."""
        opened = self._decided(name, caller, request_id)
        if opened.refusal:
            await self._recorder.keep(opened.entry)
            raise opened.refusal
        return opened

    async def run_permitted(self, opened: Permit, request: Any) -> Any:
        """Run what `permit` gave, as `run_async` does. From here on the operation is in the record."""
        if opened.recorded:
            await self._recorder.keep(opened.entry)
        try:
            result = await self._started(opened, request)
        except asyncio.CancelledError:
            await asyncio.shield(self._closed(opened, Outcome.FAILED, "cancelled"))
            raise
        except Exception as error:
            outcome, refusal = self._explained(opened, error)
            await self._closed(opened, outcome, refusal.code)
            raise refusal from error
        if isinstance(result, Stream):
            return replace(result, chunks=self._relay(opened, result.chunks))
        await self._closed(opened, Outcome.DONE)
        return result

    def refuse(self, name: str, caller: Caller, error: TrothError, request_id: str | None = None) -> None:
        """Record a request that a door turned away before it became an operation (unreadable, unauthenticated)."""
        if _only_counted(self.registry[name], caller) and not isinstance(error, Unauthenticated):
            return
        call = Call(caller, request_id or new_id("req"), self._clock.now())
        self._recorder.record(self._entry(name, call, "closed", Outcome.REFUSED, error.code))

    def tally(self) -> None:
        """Record how often strangers read what is published, since the last tally; nothing when nobody did."""
        counts, self._public_reads = self._public_reads, Counter()
        if counts:
            now, facts = epoch_ms(self._clock.now()), checked_facts({"counts": dict(counts)})
            self._recorder.record(
                Entry(
                    "operator", "public.read", "event", Outcome.DONE, new_id("req"), "anonymous", None, now, facts=facts
                )
            )

    def _decided(self, name: str, caller: Caller, request_id: str | None) -> Permit:
        """Ask the policy. A refused caller's entry is opening and closing in one."""
        operation = self.registry[name]
        call = Call(caller, request_id or new_id("req"), self._clock.now())
        decision = self._decider.decide(caller, operation)
        entry = self._entry(name, call, "opened", Outcome.PENDING, decision=decision)
        if decision.allowed:
            counted = _only_counted(operation, caller)
            if counted:
                self._public_reads[name] += 1
            return Permit(operation, call, entry, recorded=not counted)
        refusal = _refusal(caller)
        closed = replace(entry, phase="closed", outcome=Outcome.REFUSED, code=refusal.code)
        return Permit(operation, call, closed, refusal)

    async def _started(self, opened: Permit, request: Any) -> Any:
        if opened.operation.asynchronous:
            with within(Scope.of(opened.call.caller)):
                return await opened.operation.run(opened.call, request)
        if self._at_hand and opened.operation.declaration.quick:
            return _scoped(opened, request)
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(None, _scoped, opened, request)

    def _note(self, opened: Permit, entry: Entry) -> None:
        if opened.recorded or opened.call.last:
            with within(Scope.of(opened.call.caller)):  # which the changes keep
                self._recorder.record(entry, () if entry is opened.entry else opened.call.last)

    async def _closed(self, opened: Permit, outcome: Outcome, code: str | None = None) -> None:
        if opened.recorded or opened.call.last:  # what changes something is recorded whoever asks
            with within(Scope.of(opened.call.caller)):  # which the changes keep
                await self._recorder.keep(self._closing(opened, outcome, code), opened.call.last)

    def _closing(self, opened: Permit, outcome: Outcome, code: str | None = None) -> Entry:
        return self._entry(opened.operation.name, opened.call, "closed", outcome, code, facts=dict(opened.call.facts))

    def _explained(self, opened: Permit, error: Exception) -> tuple[Outcome, TrothError]:
        if isinstance(error, TrothError):
            return Outcome.REFUSED, error
        self._faults.fault(error, opened.operation.name, opened.call.request_id)
        advice = f"Tell the operator the request id {opened.call.request_id}; nothing about it is shown here."
        return Outcome.FAILED, Internal(advice)

    async def _relay(self, opened: Permit, chunks: AsyncGenerator[bytes, None]) -> AsyncGenerator[bytes, None]:
        outcome, code = Outcome.FAILED, "cancelled"
        try:
            async with aclosing(chunks):  # a client who leaves ends the vendor call now, not at garbage collection
                while (chunk := await _next(opened, chunks)) is not None:
                    yield chunk
            outcome, code = Outcome.DONE, ""
        except TrothError as error:
            outcome, code = Outcome.REFUSED, error.code
            raise
        finally:
            await asyncio.shield(self._closed(opened, outcome, code or None))

    def _entry(
        self,
        name: str,
        call: Call,
        phase: str,
        outcome: Outcome,
        code: str | None = None,
        *,
        decision: Decision = _UNASKED,
        facts: dict[str, Fact] | None = None,
    ) -> Entry:
        caller = call.caller
        return Entry(
            log=caller.tenant or "operator",
            operation=name,
            phase=phase,
            outcome=outcome,
            request=call.request_id,
            actor=caller.actor,
            tenant=caller.tenant,
            time=epoch_ms(self._clock.now()),
            code=code,
            policies=decision.policies,
            evidence=decision.evidence,
            facts=facts or {},
        )


def _scoped(opened: Permit, request: Any) -> Any:
    """Run a plain operation with its caller's view of the database."""
    with within(Scope.of(opened.call.caller)):
        return opened.operation.run(opened.call, request)


async def _next(opened: Permit, chunks: AsyncGenerator[bytes, None]) -> bytes | None:
    """The next piece, made with the caller's view of the database; None at the end."""
    with within(Scope.of(opened.call.caller)):
        return await anext(chunks, None)


def _only_counted(operation: Operation, caller: Caller) -> bool:
    """A stranger who reads what is published, and nothing of anybody: counted, or strangers would fill the log."""
    declared = operation.declaration
    published = declared.group is Group.PUBLIC and declared.data_class is DataClass.SYSTEM
    return caller.anonymous and published and declared.route is not None and declared.route.method == "GET"


def _refusal(caller: Caller) -> TrothError:
    if caller.anonymous:
        return Unauthenticated("Sign in or send an API key, then ask again.")
    return Denied("Your role or the strength of your sign-in does not permit this; ask your administrator.")
