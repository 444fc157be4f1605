"""The one road in: decide, open the record, run, close the record. Doors call this and nothing else (house rule 1)."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any, Protocol

from troth.kernel.caller import Caller
from troth.kernel.clock import Clock, epoch_ms
from troth.kernel.data_class import DataClass
from troth.kernel.details import MAX_REASON, OPERATORS, DetailSealer, Owner, details_of, owner_of, printable
from troth.kernel.errors import Denied, TrothError, Unauthenticated
from troth.kernel.ids import new_id
from troth.kernel.operation import Call, Group, Operation, Registry, Stream
from troth.kernel.reasons import Why
from troth.kernel.record import Change, Entry, Fact, Outcome, Recorder, checked_facts
from troth.kernel.scope import Scope, within
from troth.kernel.uses import tallying
from troth.kernel.watch import UNWATCHED, Kind, Span, Watch
from troth.kernel.witnessed import Witnessed, waits_for_witnesses


@dataclass(frozen=True, slots=True)
class Decision:
    """What the policy said, and over which evidence."""

    allowed: bool
    policies: tuple[str, ...] = ()
    evidence: str | None = None
    ruleset: str | None = None  # which set of policies that was
    remedy: str | None = None  # code of what the caller can do about a refusal, where something can be done


_Personal = tuple[Owner, dict[str, str]]  # about whom, and what is to be sealed
_ADMINISTRATION = frozenset({Group.ADMINISTER, Group.PRIVACY, Group.OPERATE, Group.REVIEW, Group.GOVERN})
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


class UseCounter(Protocol):
    """Counts durably what calls use."""

    def change(self, uses: Mapping[str, int]) -> Change:
        """The change that counts it."""
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
    span: Span = field(default_factory=lambda: UNWATCHED.begin(Kind.OPERATION, ""))


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
        details: DetailSealer | None = None,
        watch: Watch = UNWATCHED,
    ) -> None:
        """`at_hand`: short reads wait for no other machine, so a quick operation may run on an event loop's thread.

        `details` seals from where identified callers came; without it nothing of that is kept.
        """
        self.registry = registry
        self.decider = decider
        self._recorder = recorder
        self._clock = clock
        self._faults = faults
        self._at_hand = at_hand
        self._details = details
        self._watch = watch
        self.meter: UseCounter | None = None
        """Counts what a call used, in the transaction of its closing entry, which says the same; set by the wiring."""
        self.witnessed: Witnessed | None = None
        """What administers or destroys waits for it before it runs; set by the wiring when there are witnesses."""
        self._public_reads: Counter[str] = Counter()

    def run(self, name: str, caller: Caller, request: Any, request_id: str | None = None) -> Any:
        """Run a plain operation on this thread. Raises a `TrothError`, and only that."""
        opened = self._decided(name, caller, request_id)
        opened.entry = self._sealed(opened.entry, _whereabouts(opened))
        self._note(opened, opened.entry)
        if opened.refusal:
            raise opened.refusal
        try:
            if witness := self._witness(opened):
                witness.require(opened.entry.log)
            result = _scoped(opened, request)
        except Exception as error:
            outcome, refusal = self._explained(opened, error)
            opened.span.end(outcome)
            self._note(opened, self._closing(opened, outcome, refusal.code))
            raise refusal from error
        opened.span.end(Outcome.DONE)
        self._note(opened, self._closing(opened, Outcome.DONE))
        return result

    async def run_async(self, name: str, caller: Caller, request: Any, request_id: str | None = None) -> Any:
        """Run any operation from an event loop; plain ones go to a worker thread, records are awaited."""
        return await self.run_permitted(await self.permit(name, caller, request_id), request)

    async def permit(self, name: str, caller: Caller, request_id: str | None = None) -> Permit:
        """Ask the policy before the request is read. Raises the refusal, which is recorded then."""
        opened = self._decided(name, caller, request_id)
        opened.entry = await self._sealed_soon(opened.entry, _whereabouts(opened))
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
        self._watch.begin(Kind.OPERATION, name).end(Outcome.REFUSED)
        if _only_counted(self.registry[name], caller) and not isinstance(error, Unauthenticated):
            return
        call = Call(caller, request_id or new_id("req"), self._clock.now())
        entry = self._entry(name, call, "closed", Outcome.REFUSED, error.code)
        self._recorder.record(self._sealed(entry, _personal(owner_of(caller), details_of(caller))))

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
        call = Call(caller, request_id or new_id("req"), self._clock.now(), also=partial(self._require, caller))
        span = self._watch.begin(Kind.OPERATION, name)
        decision = self.decider.decide(caller, operation)
        rules = _rules_of(operation, decision)
        entry = self._entry(name, call, "opened", Outcome.PENDING, decision=decision, facts=rules)
        if decision.allowed:
            counted = _only_counted(operation, caller)
            if counted:
                self._public_reads[name] += 1
            return Permit(operation, call, entry, recorded=not counted, span=span)
        span.end(Outcome.REFUSED)
        refusal = _refusal(caller, decision.remedy)
        closed = replace(entry, phase="closed", outcome=Outcome.REFUSED, code=refusal.code)
        return Permit(operation, call, closed, refusal)

    def _require(self, caller: Caller, name: str) -> None:
        """Raises the refusal that `caller` would meet at the operation `name`."""
        decision = self.decider.decide(caller, self.registry[name])
        if not decision.allowed:
            raise _refusal(caller, decision.remedy)

    def _witness(self, opened: Permit) -> Witnessed | None:
        """Whom this operation waits for before it runs."""
        return self.witnessed if waits_for_witnesses(opened.operation) else None

    async def _started(self, opened: Permit, request: Any) -> Any:
        if witness := self._witness(opened):
            await asyncio.get_running_loop().run_in_executor(None, witness.require, opened.entry.log)
        if opened.operation.asynchronous:
            with within(Scope.of(opened.call.caller)), opened.span.active(), tallying(opened.call.uses):
                return await opened.operation.run(opened.call, request)
        if self._at_hand and opened.operation.declaration.quick:
            return _scoped(opened, request)
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(None, _scoped, opened, request)

    def _note(self, opened: Permit, entry: Entry) -> None:
        if opened.recorded or opened.call.last:
            with within(Scope.of(opened.call.caller)):  # which the changes keep
                if entry is opened.entry:
                    self._recorder.record(entry)
                    return
                self._recorder.record(self._sealed(entry, _reason(opened)), opened.call.last)
                _afterwards(opened.call)

    async def _closed(self, opened: Permit, outcome: Outcome, code: str | None = None) -> None:
        opened.span.end(outcome)
        if opened.recorded or opened.call.last:  # what changes something is recorded whoever asks
            closing = await self._sealed_soon(self._closing(opened, outcome, code), _reason(opened))
            with within(Scope.of(opened.call.caller)):  # which the changes keep
                await self._recorder.keep(closing, opened.call.last)
                _afterwards(opened.call)

    def _sealed(self, entry: Entry, personal: _Personal | None) -> Entry:
        """The entry with its personal details beside it, if there are any."""
        if self._details is None or personal is None:
            return entry
        return replace(entry, sealed=self._details.seal(*personal))

    async def _sealed_soon(self, entry: Entry, personal: _Personal | None) -> Entry:
        """The same for an event loop: where keys must be read first, a worker thread reads them."""
        if self._details is None or personal is None or self._details.at_hand(personal[0]):
            return self._sealed(entry, personal)
        return await asyncio.get_running_loop().run_in_executor(None, self._sealed, entry, personal)

    def _closing(self, opened: Permit, outcome: Outcome, code: str | None = None) -> Entry:
        facts, uses = dict(opened.call.facts), dict(opened.call.uses)
        if uses and self.meter is not None:
            facts["uses"] = uses
            opened.call.finish_with(self.meter.change(uses))
        return self._entry(opened.operation.name, opened.call, "closed", outcome, code, facts=facts)

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


def _whereabouts(opened: Permit) -> _Personal | None:
    """From where an identified caller came, of what is recorded at all."""
    caller = opened.call.caller
    return _personal(owner_of(caller), details_of(caller)) if opened.recorded else None


def _reason(opened: Permit) -> _Personal | None:
    """What the operation said about its reason in free text."""
    for person, text in opened.call.reasons:
        return (opened.call.caller.tenant or OPERATORS, person), {"reason": printable(text, MAX_REASON)}
    return None


def _personal(owner: Owner | None, details: dict[str, str]) -> _Personal | None:
    return (owner, details) if owner is not None and details else None


def _afterwards(call: Call) -> None:
    for act in call.after:
        act()


def _scoped(opened: Permit, request: Any) -> Any:
    """Run a plain operation with its caller's view of the database."""
    with within(Scope.of(opened.call.caller)), opened.span.active(), tallying(opened.call.uses):
        _say_why(opened.call, request)
        return opened.operation.run(opened.call, request)


def _say_why(call: Call, request: Any) -> None:
    """A decision's reason stands in its closing record, whether it was refused or not; no operation can forget it."""
    if isinstance(why := getattr(request, "reason", None), Why):
        call.note(reason=why.value)


async def _next(opened: Permit, chunks: AsyncGenerator[bytes, None]) -> bytes | None:
    """The next piece, made with the caller's view of the database; None at the end."""
    with within(Scope.of(opened.call.caller)), opened.span.active(), tallying(opened.call.uses):
        return await anext(chunks, None)


def _rules_of(operation: Operation, decision: Decision) -> dict[str, Fact]:
    """What administers says under which set of policies it was permitted: decisions can be judged by it later."""
    declared = operation.declaration
    changes = declared.route is None or declared.route.method != "GET"
    return {"ruleset": decision.ruleset} if decision.ruleset and changes and declared.group in _ADMINISTRATION else {}


def _only_counted(operation: Operation, caller: Caller) -> bool:
    """A stranger who reads what is published, and nothing of anybody: counted, or strangers would fill the log."""
    declared = operation.declaration
    published = declared.group is Group.PUBLIC and declared.data_class is DataClass.SYSTEM
    return caller.anonymous and published and declared.route is not None and declared.route.method == "GET"


def _remedied(remedy: str | None) -> TrothError:
    """A refusal after which the caller can do something; the codes are those of `Decision.remedy`."""
    if remedy == "second-factor-required":
        return Denied("Enrol an authenticator app or a passkey, then sign in with it.", code="second-factor-required")
    if remedy == "step-up-required":
        return Denied(
            "Prove that it is you first, with a one-time code or a passkey, or else a recovery code, or sign in again.",
            code="step-up-required",
        )
    if remedy == "passkey-required":
        return Denied(
            "Your role asks for a passkey: add one to your account, then sign in or prove that it is you with it.",
            code="passkey-required",
        )
    if remedy == "duty-overdue":
        return Denied("A training or policy waits for you; do your part first, then ask again.", code="duty-overdue")
    if remedy == "duties-unknown":
        return Denied("Your duties cannot be read; have the registers looked at.", code="duties-unknown")
    if remedy == "device-unbound":
        return unbound("reaches no data")
    return Denied("Your role or the strength of your sign-in does not permit this; ask your administrator.")


def unbound(so: str) -> Denied:
    """The refusal for a session that no device answers for. `so`: what it cannot do."""
    advice = f"No key of a device answers for this session, so it {so}; sign in anew with one."
    return Denied(advice, code="device-unbound")


def _refusal(caller: Caller, remedy: str | None = None) -> TrothError:
    if caller.anonymous:
        return Unauthenticated("Sign in or send an API key, then ask again.")
    return _remedied(remedy)
