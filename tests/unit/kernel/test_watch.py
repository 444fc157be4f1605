"""The dispatcher begins one span for each operation and ends it once, however the operation ends."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import AbstractContextManager, nullcontext

import pytest
from pydantic import BaseModel

from troth.kernel.dispatch import Dispatcher, Internal
from troth.kernel.errors import Conflict, Denied, TrothError
from troth.kernel.operation import Call, Group, Registry, Stream, operation
from troth.kernel.watch import UNWATCHED, Kind, Span, watched
from worlds import FaultList, ListRecorder, MovableClock, RoleDecider, person


class Nothing(BaseModel):
    pass


class Works:
    @operation("thing.do", group=Group.OWN_DATA, request=Nothing)
    def do(self, call: Call, request: Nothing) -> None:
        """Do it."""

    @operation("thing.refuse", group=Group.OWN_DATA, request=Nothing)
    def refuse(self, call: Call, request: Nothing) -> None:
        """Refuse."""
        raise Conflict("no")

    @operation("thing.break", group=Group.OWN_DATA, request=Nothing)
    def breaks(self, call: Call, request: Nothing) -> None:
        """Break."""
        raise ValueError("broken")

    @operation("thing.stream", group=Group.OWN_DATA, request=Nothing)
    async def stream(self, call: Call, request: Nothing) -> Stream:
        """Stream."""

        async def chunks() -> AsyncGenerator[bytes, None]:
            yield b"a"
            yield b"b"

        return Stream(chunks())


class Seen:
    """A watch that remembers."""

    def __init__(self) -> None:
        self.spans: list[list[str]] = []

    def begin(self, kind: Kind, name: str) -> Span:
        entry = [kind.value, name]
        self.spans.append(entry)
        return _One(entry)


class _One:
    def __init__(self, entry: list[str]) -> None:
        self.entry = entry

    def add(self, name: str, amount: int) -> None:
        self.entry.append(f"{name}={amount}")

    def active(self) -> AbstractContextManager[object]:
        return nullcontext()

    def trace(self) -> str | None:
        return None

    def end(self, outcome: str, name: str | None = None) -> None:
        self.entry.append(str(outcome))


@pytest.fixture
def seen() -> Seen:
    return Seen()


@pytest.fixture
def dispatcher(seen: Seen) -> Dispatcher:
    return Dispatcher(Registry(Works()), RoleDecider(), ListRecorder(), MovableClock(), FaultList(), watch=seen)


@pytest.mark.parametrize(
    ("name", "outcome", "error"),
    [("do", "done", None), ("refuse", "refused", Conflict), ("break", "failed", Internal)],
)
@pytest.mark.parametrize("waits", [False, True])
def test_each_ending_is_told_once(
    dispatcher: Dispatcher, seen: Seen, name: str, outcome: str, error: type[TrothError] | None, waits: bool
) -> None:
    caller = person("own-data")

    def run() -> None:
        if waits:
            asyncio.run(dispatcher.run_async(f"thing.{name}", caller, Nothing()))
        else:
            dispatcher.run(f"thing.{name}", caller, Nothing())

    if error is None:
        run()
    else:
        with pytest.raises(error):
            run()
    assert seen.spans == [["operation", f"thing.{name}", outcome]]


def test_who_may_not_is_refused(dispatcher: Dispatcher, seen: Seen) -> None:
    with pytest.raises(Denied):
        dispatcher.run("thing.do", person(), Nothing())
    dispatcher.refuse("thing.do", person(), Denied("no"))
    assert seen.spans == [["operation", "thing.do", "refused"]] * 2


@pytest.mark.parametrize(("leaves", "outcome"), [(False, "done"), (True, "failed")])
def test_a_stream_ends_with_its_last_piece(dispatcher: Dispatcher, seen: Seen, leaves: bool, outcome: str) -> None:
    async def relay() -> None:
        stream = await dispatcher.run_async("thing.stream", person("own-data"), Nothing())
        assert seen.spans == [["operation", "thing.stream"]]
        async for _ in stream.chunks:
            if leaves:
                await stream.chunks.aclose()
                return

    asyncio.run(relay())
    assert seen.spans == [["operation", "thing.stream", outcome]]


def test_a_block_tells_how_it_ended(seen: Seen) -> None:
    with watched(seen, Kind.KEY, "open") as span:
        span.add("tokens_in", 3)
    with pytest.raises(Conflict), watched(seen, Kind.KEY, "open"):
        raise Conflict("no")
    with pytest.raises(ValueError, match="no"), watched(seen, Kind.KEY, "open"):
        raise ValueError("no")
    assert [one[-1] for one in seen.spans] == ["done", "refused", "failed"]


def test_nobody_watches_by_default() -> None:
    with watched(UNWATCHED, Kind.KEY, "open") as span:
        span.add("tokens_in", 3)
        assert span.trace() is None
    with pytest.raises(ValueError, match="no"), watched(UNWATCHED, Kind.KEY, "open"):
        raise ValueError("no")
