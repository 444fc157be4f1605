"""One road in: decide, open the record, run, close the record."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace

import pytest
from pydantic import BaseModel

from troth.kernel.caller import Caller, Origin, anonymous
from troth.kernel.data_class import DataClass
from troth.kernel.details import MAX_REASON, Owner, SealedDetails
from troth.kernel.dispatch import Dispatcher, Internal
from troth.kernel.errors import Conflict, Denied, NotFound, TrothError, Unauthenticated, Unavailable
from troth.kernel.operation import Call, Group, Registry, Route, Stream, operation
from worlds import FaultList, ListRecorder, MovableClock, PlainSealer, RoleDecider, person


class Word(BaseModel):
    word: str = "x"


class Echo:
    """Four operations that end in the four possible ways."""

    def __init__(self) -> None:
        self.ran = 0
        self.where_it_ran = 0
        self.afterwards: Callable[[], object] = int

    @operation("echo.say", group=Group.OWN_DATA, request=Word)
    def say(self, call: Call, request: Word) -> Word:
        """Say it."""
        self.ran += 1
        call.note(object="obj_x", count=1)
        return request

    @operation("echo.explain", group=Group.OWN_DATA, request=Word)
    def explain(self, call: Call, request: Word) -> Word:
        """Give a reason about somebody else."""
        call.explain(request.word, "usr_other")
        return request

    @operation("echo.where", group=Group.OWN_DATA, request=Word, quick=True)
    def where(self, call: Call, request: Word) -> Word:
        self.where_it_ran = threading.get_ident()
        return request

    @operation("echo.refuse", group=Group.OWN_DATA, request=Word)
    def refuse(self, call: Call, request: Word) -> Word:
        raise Conflict("not now", code="not-now")

    @operation("echo.through", group=Group.GENERATE, request=Word)
    def through(self, call: Call, request: Word) -> Word:
        call.require(f"echo.{request.word}")
        return request

    @operation("echo.break", group=Group.OWN_DATA, request=Word)
    def break_(self, call: Call, request: Word) -> Word:
        raise KeyError("jane@example.com")

    @operation("echo.finish", group=Group.OWN_DATA, request=Word)
    def finish(self, call: Call, request: Word) -> Word:
        call.finish_with(print)
        call.afterwards(self.afterwards)
        if request.word == "fail":
            raise Conflict("not now", code="not-now")
        return request

    @operation("echo.read", group=Group.PUBLIC, request=Word, route=Route("GET", "/echo", body="none"))
    def read(self, call: Call, request: Word) -> Word:
        if request.word == "change":
            call.finish_with(print)
        if request.word == "fail":
            raise Conflict("not now", code="not-now")
        return request

    @operation("echo.post", group=Group.PUBLIC, request=Word, route=Route("POST", "/echo"))
    def post(self, call: Call, request: Word) -> Word:
        return request

    @operation(
        "echo.asset",
        group=Group.PUBLIC,
        request=Word,
        route=Route("GET", "/asset", body="none"),
        data_class=DataClass.USER_GENERATED,
    )
    def asset(self, call: Call, request: Word) -> Word:
        return request

    @operation("echo.later", group=Group.OWN_DATA, request=Word)
    async def later(self, call: Call, request: Word) -> Stream:
        async def chunks() -> AsyncGenerator[bytes, None]:
            yield b"one"
            if request.word == "fail":
                raise Unavailable("gone", code="gone-away")
            yield b"two"

        return Stream(chunks())


@pytest.fixture
def recorder() -> ListRecorder:
    return ListRecorder()


@pytest.fixture
def faults() -> FaultList:
    return FaultList()


@pytest.fixture
def echo() -> Echo:
    return Echo()


@pytest.fixture
def dispatcher(echo: Echo, recorder: ListRecorder, faults: FaultList) -> Dispatcher:
    return Dispatcher(Registry(echo), RoleDecider(), recorder, MovableClock(), faults)


def _phases(recorder: ListRecorder) -> list[tuple[str, str, str | None]]:
    return [(entry.phase, entry.outcome.value, entry.code) for entry in recorder.entries]


def test_a_done_operation_is_opened_and_closed_under_one_request(
    dispatcher: Dispatcher, recorder: ListRecorder
) -> None:
    assert dispatcher.run("echo.say", person("own-data"), Word(word="hi")) == Word(word="hi")
    assert _phases(recorder) == [("opened", "pending", None), ("closed", "done", None)]
    assert recorder.entries[0].request == recorder.entries[1].request
    assert recorder.entries[0].policies == ("by-role",)
    assert recorder.entries[1].facts == {"object": "obj_x", "count": 1}


def test_without_a_record_nothing_runs(dispatcher: Dispatcher, recorder: ListRecorder, echo: Echo) -> None:
    recorder.broken = True
    with pytest.raises(Unavailable) as caught:
        dispatcher.run("echo.say", person("own-data"), Word())
    assert caught.value.code == "no-record"
    assert echo.ran == 0


def test_a_refused_caller_runs_nothing_and_leaves_a_record(
    dispatcher: Dispatcher, recorder: ListRecorder, echo: Echo
) -> None:
    with pytest.raises(Denied):
        dispatcher.run("echo.say", person("audit"), Word())
    assert echo.ran == 0
    assert _phases(recorder) == [("closed", "refused", "access-denied")]


def test_what_reads_through_another_operation_needs_that_ones_permission_too(
    dispatcher: Dispatcher, recorder: ListRecorder
) -> None:
    whole = person("generate", "own-data")
    assert dispatcher.run("echo.through", whole, Word(word="say")) == Word(word="say")
    with pytest.raises(Denied):
        dispatcher.run("echo.through", person("generate"), Word(word="say"))
    assert _phases(recorder)[-1] == ("closed", "refused", "access-denied")
    with pytest.raises(NotFound):
        dispatcher.run("echo.through", whole, Word(word="nothing"))


def test_a_call_that_nobody_decided_about_reads_nothing_else() -> None:
    call = Call(person(), "req_1", MovableClock().now())
    with pytest.raises(Denied):
        call.require("echo.say")


def test_a_stranger_is_asked_to_sign_in(dispatcher: Dispatcher) -> None:
    with pytest.raises(Unauthenticated):
        dispatcher.run("echo.say", anonymous(), Word())


def test_a_typed_refusal_closes_the_record_as_refused(dispatcher: Dispatcher, recorder: ListRecorder) -> None:
    with pytest.raises(Conflict):
        dispatcher.run("echo.refuse", person("own-data"), Word())
    assert _phases(recorder)[-1] == ("closed", "refused", "not-now")


def test_an_unexpected_error_shows_no_internals(
    dispatcher: Dispatcher, recorder: ListRecorder, faults: FaultList
) -> None:
    with pytest.raises(Internal) as caught:
        dispatcher.run("echo.break", person("own-data"), Word())
    assert "jane" not in caught.value.advice
    assert _phases(recorder)[-1] == ("closed", "failed", "internal")
    assert faults.faults == ["KeyError"]


@pytest.mark.parametrize("word", ["done", "fail"])
def test_the_last_change_goes_with_the_closing_record(
    dispatcher: Dispatcher, recorder: ListRecorder, word: str
) -> None:
    for run in (dispatcher.run, lambda *given: asyncio.run(dispatcher.run_async(*given))):
        recorder.changes.clear()
        with suppress(Conflict):
            run("echo.finish", person("own-data"), Word(word=word))
        assert recorder.changes == [print]


def test_what_comes_afterwards_waits_for_the_closing_record(
    dispatcher: Dispatcher, recorder: ListRecorder, echo: Echo, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen, recording = list[str](), recorder.record
    echo.afterwards = lambda: seen.append(recorder.entries[-1].phase)
    monkeypatch.setattr(recorder, "record", lambda entry, *_: recording(entry) if entry.phase == "opened" else 1 / 0)
    for again in (1, 2):
        for run in (dispatcher.run, lambda *given: asyncio.run(dispatcher.run_async(*given))):
            with suppress(ZeroDivisionError):
                run("echo.finish", person("own-data"), Word())
        assert seen == ["closed"] * 2 * (again - 1)
        monkeypatch.undo()


def test_a_stream_closes_its_record_when_it_ends(dispatcher: Dispatcher, recorder: ListRecorder) -> None:
    async def consume(word: str) -> list[bytes]:
        stream = await dispatcher.run_async("echo.later", person("own-data"), Word(word=word))
        assert len(recorder.entries) == 1
        return [chunk async for chunk in stream.chunks]

    assert asyncio.run(consume("ok")) == [b"one", b"two"]
    assert _phases(recorder) == [("opened", "pending", None), ("closed", "done", None)]


def test_a_stream_that_fails_is_recorded_as_such(dispatcher: Dispatcher, recorder: ListRecorder) -> None:
    async def consume() -> None:
        stream = await dispatcher.run_async("echo.later", person("own-data"), Word(word="fail"))
        async for _ in stream.chunks:
            pass

    with pytest.raises(TrothError):
        asyncio.run(consume())
    assert _phases(recorder)[-1] == ("closed", "refused", "gone-away")


def test_a_door_can_record_what_it_turned_away(dispatcher: Dispatcher, recorder: ListRecorder) -> None:
    dispatcher.refuse("echo.say", anonymous(), Conflict("x", code="broken-json"))
    assert _phases(recorder) == [("closed", "refused", "broken-json")]


STRANGER = replace(anonymous(), roles=frozenset({"public"}))


@pytest.mark.parametrize("word", ["x", "fail"])
@pytest.mark.parametrize("asynchronous", [True, False])
def test_a_stranger_who_reads_what_is_published_is_counted_and_not_recorded(
    dispatcher: Dispatcher, recorder: ListRecorder, word: str, asynchronous: bool
) -> None:
    for _ in range(3):
        with suppress(Conflict):
            if asynchronous:
                asyncio.run(dispatcher.run_async("echo.read", STRANGER, Word(word=word)))
            else:
                dispatcher.run("echo.read", STRANGER, Word(word=word))
    dispatcher.refuse("echo.read", STRANGER, Conflict("x", code="broken-query"))
    assert recorder.entries == []
    dispatcher.run("echo.say", person("own-data"), Word())
    recorder.entries.clear()
    dispatcher.tally()
    dispatcher.tally()
    (tally,) = recorder.entries
    assert (tally.log, tally.operation, tally.phase) == ("operator", "public.read", "event")
    assert tally.facts == {"counts": {"echo.read": 3}}


@pytest.mark.parametrize(
    ("name", "identified", "word"),
    [("echo.read", True, "x"), ("echo.read", False, "change"), ("echo.post", False, "x"), ("echo.asset", False, "x")],
)
def test_everything_else_that_is_public_stays_in_the_record(
    dispatcher: Dispatcher, recorder: ListRecorder, name: str, identified: bool, word: str
) -> None:
    caller = person("public") if identified else STRANGER
    for run in (dispatcher.run, lambda *given: asyncio.run(dispatcher.run_async(*given))):
        recorder.entries.clear()
        run(name, caller, Word(word=word))
        assert _phases(recorder)[-1] == ("closed", "done", None)


def test_a_made_up_credential_is_recorded_on_a_public_read_too(dispatcher: Dispatcher, recorder: ListRecorder) -> None:
    dispatcher.refuse("echo.read", STRANGER, Unauthenticated("x", code="session-unknown"))
    assert _phases(recorder) == [("closed", "refused", "session-unknown")]


def test_a_permit_is_asked_before_the_request_is_there(dispatcher: Dispatcher, recorder: ListRecorder) -> None:
    async def story() -> None:
        with pytest.raises(Denied):
            await dispatcher.permit("echo.say", person("audit"))
        assert _phases(recorder) == [("closed", "refused", "access-denied")]
        permit = await dispatcher.permit("echo.say", person("own-data"), "req_x")
        assert len(recorder.entries) == 1
        await dispatcher.run_permitted(permit, Word())

    asyncio.run(story())
    assert [entry.request for entry in recorder.entries[1:]] == ["req_x", "req_x"]


def test_two_operations_of_one_name_stop_the_start(echo: Echo) -> None:
    with pytest.raises(ValueError, match="twice"):
        Registry(echo, Echo())


@pytest.mark.parametrize("at_hand", [True, False])
def test_a_quick_operation_runs_on_the_loop_only_where_the_database_is_at_hand(
    echo: Echo, recorder: ListRecorder, faults: FaultList, at_hand: bool
) -> None:
    dispatcher = Dispatcher(Registry(echo), RoleDecider(), recorder, MovableClock(), faults, at_hand=at_hand)
    asyncio.run(dispatcher.run_async("echo.where", person("own-data"), Word()))
    assert (echo.where_it_ran == threading.get_ident()) is at_hand
    assert _phases(recorder) == [("opened", "pending", None), ("closed", "done", None)]


@dataclass
class Sealer(PlainSealer):
    """Seals in the clear, and notes for whom and on which thread."""

    at_once: bool = True
    sealed: list[tuple[Owner, dict[str, str], int]] = field(default_factory=list)

    def seal(self, owner: Owner, details: Mapping[str, str]) -> SealedDetails | None:
        self.sealed.append((owner, dict(details), threading.get_ident()))
        return super().seal(owner, details)

    def at_hand(self, owner: Owner) -> bool:
        return self.at_once


def _from_somewhere(caller: Caller) -> Caller:
    origin = Origin("api", "203.0.113.7", "curl/8")
    return replace(caller, connection=replace(caller.connection, origin=origin))


def _known(echo: Echo, recorder: ListRecorder, sealer: Sealer) -> Dispatcher:
    return Dispatcher(Registry(echo), RoleDecider(), recorder, MovableClock(), FaultList(), details=sealer)


def test_from_where_somebody_came_lies_beside_the_opening_entry(echo: Echo, recorder: ListRecorder) -> None:
    sealer, caller = Sealer(), _from_somewhere(person("own-data"))
    _known(echo, recorder, sealer).run("echo.say", caller, Word())
    opened, closed = recorder.entries
    ((owner, details, _),) = sealer.sealed
    assert owner == (caller.tenant, caller.subject)
    assert details.items() >= {"door": "api", "address": "203.0.113.7", "agent": "curl/8"}.items()
    assert opened.sealed is not None
    assert opened.as_json()["pd"] == opened.sealed.commitment
    assert closed.sealed is None
    assert "203.0.113.7" not in str(opened)
    assert "203.0.113.7" not in str(opened.as_json())


def test_a_refusal_by_the_policy_or_at_the_door_says_from_where_too(echo: Echo, recorder: ListRecorder) -> None:
    dispatcher = _known(echo, recorder, Sealer())
    caller = _from_somewhere(person())
    with pytest.raises(Denied):
        dispatcher.run("echo.say", caller, Word())
    dispatcher.refuse("echo.say", caller, Conflict("unreadable"))
    assert [entry.sealed is not None for entry in recorder.entries] == [True, True]


def test_of_strangers_and_of_calls_within_the_process_nothing_is_kept(echo: Echo, recorder: ListRecorder) -> None:
    sealer = Sealer()
    dispatcher = _known(echo, recorder, sealer)
    with suppress(Unauthenticated):
        dispatcher.run("echo.say", _from_somewhere(anonymous()), Word())
    dispatcher.run("echo.say", person("own-data"), Word())
    assert sealer.sealed == []
    assert len(recorder.entries) == 3


@pytest.mark.parametrize("at_once", [True, False])
def test_an_event_loop_waits_for_no_keys(echo: Echo, recorder: ListRecorder, at_once: bool) -> None:
    sealer, caller = Sealer(at_once=at_once), _from_somewhere(person("own-data"))
    asyncio.run(_known(echo, recorder, sealer).run_async("echo.say", caller, Word()))
    ((_, _, thread),) = sealer.sealed
    assert (thread == threading.get_ident()) is at_once
    assert recorder.entries[0].sealed is not None


def test_a_reason_lies_beside_the_closing_entry_for_whom_it_is_about(echo: Echo, recorder: ListRecorder) -> None:
    sealer, caller = Sealer(), person("own-data")
    _known(echo, recorder, sealer).run("echo.explain", caller, Word(word="because\n" + "x" * 600))
    ((owner, details, _),) = sealer.sealed
    assert owner == (caller.tenant, "usr_other")
    assert details["reason"].startswith("because x")
    assert len(details["reason"]) == MAX_REASON
    assert [entry.sealed is not None for entry in recorder.entries] == [False, True]


def test_without_a_sealer_nothing_is_kept(dispatcher: Dispatcher, recorder: ListRecorder) -> None:
    dispatcher.run("echo.explain", _from_somewhere(person("own-data")), Word(word="because"))
    assert [entry.sealed for entry in recorder.entries] == [None, None]
