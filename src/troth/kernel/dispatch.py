"""The one road in: decide, open the record, run, close the record. Doors call this and nothing else (house rule 1)."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass, replace
from typing import Any, Protocol

from troth.kernel.caller import Caller
from troth.kernel.clock import Clock, epoch_ms
from troth.kernel.errors import Denied, TrothError, Unauthenticated
from troth.kernel.ids import new_id
from troth.kernel.operation import Call, Operation, Registry, Stream
from troth.kernel.record import Entry, Fact, Outcome, Recorder


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
class _Opened:
    operation: Operation
    call: Call
    entry: Entry
    refusal: TrothError | None = None


class Dispatcher:
    """Runs operations for callers. An operation whose record cannot be opened does not run."""

    def __init__(
        self, registry: Registry, decider: Decider, recorder: Recorder, clock: Clock, faults: FaultLog
    ) -> None:
        self.registry = registry
        self._decider = decider
        self._recorder = recorder
        self._clock = clock
        self._faults = faults

    def run(self, name: str, caller: Caller, request: Any, request_id: str | None = None) -> Any:
        """Run a plain operation on this thread. Raises a `TrothError`, and only that."""
        opened = self._decided(name, caller, request_id)
        self._recorder.record(opened.entry)
        if opened.refusal:
            raise opened.refusal
        try:
            result = opened.operation.run(opened.call, request)
        except Exception as error:
            outcome, refusal = self._explained(opened, error)
            self._recorder.record(self._closing(opened, outcome, refusal.code), opened.call.last)
            raise refusal from error
        self._recorder.record(self._closing(opened, Outcome.DONE), opened.call.last)
        return result

    async def run_async(self, name: str, caller: Caller, request: Any, request_id: str | None = None) -> Any:
        """Run any operation from an event loop; plain ones go to a worker thread, records are awaited."""
        opened = self._decided(name, caller, request_id)
        await asyncio.wrap_future(self._recorder.submit(opened.entry))
        if opened.refusal:
            raise opened.refusal
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
        call = Call(caller, request_id or new_id("req"), self._clock.now())
        self._recorder.record(self._entry(name, call, "closed", Outcome.REFUSED, error.code))

    def _decided(self, name: str, caller: Caller, request_id: str | None) -> _Opened:
        """Ask the policy. A refused caller's entry is opening and closing in one."""
        operation = self.registry[name]
        call = Call(caller, request_id or new_id("req"), self._clock.now())
        decision = self._decider.decide(caller, operation)
        entry = self._entry(name, call, "opened", Outcome.PENDING, decision=decision)
        if decision.allowed:
            return _Opened(operation, call, entry)
        refusal = _refusal(caller)
        closed = replace(entry, phase="closed", outcome=Outcome.REFUSED, code=refusal.code)
        return _Opened(operation, call, closed, refusal)

    async def _started(self, opened: _Opened, request: Any) -> Any:
        if opened.operation.asynchronous:
            return await opened.operation.run(opened.call, request)
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(None, opened.operation.run, opened.call, request)

    async def _closed(self, opened: _Opened, outcome: Outcome, code: str | None = None) -> None:
        await asyncio.wrap_future(self._recorder.submit(self._closing(opened, outcome, code), opened.call.last))

    def _closing(self, opened: _Opened, outcome: Outcome, code: str | None = None) -> Entry:
        return self._entry(opened.operation.name, opened.call, "closed", outcome, code, facts=dict(opened.call.facts))

    def _explained(self, opened: _Opened, error: Exception) -> tuple[Outcome, TrothError]:
        if isinstance(error, TrothError):
            return Outcome.REFUSED, error
        self._faults.fault(error, opened.operation.name, opened.call.request_id)
        advice = f"Tell the operator the request id {opened.call.request_id}; nothing about it is shown here."
        return Outcome.FAILED, Internal(advice)

    async def _relay(self, opened: _Opened, chunks: AsyncGenerator[bytes, None]) -> AsyncGenerator[bytes, None]:
        outcome, code = Outcome.FAILED, "cancelled"
        try:
            async with aclosing(chunks):  # a client who leaves ends the vendor call now, not at garbage collection
                async for chunk in chunks:
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


def _refusal(caller: Caller) -> TrothError:
    if caller.anonymous:
        return Unauthenticated("Sign in or send an API key, then ask again.")
    return Denied("Your role or the strength of your sign-in does not permit this; ask your administrator.")
