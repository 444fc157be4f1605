"""When the detector, the moderation, the vault, the keys, the database or the audit log is down, a recording upstream
gets no byte of any request, streamed or not (VEN-03)."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from gateway_world import PERSON, TENANT, Upstream, World, drawing, response_events, serving
from troth.gateway.wire.upload import Upload
from troth.kernel.caller import Caller
from troth.kernel.dispatch import Decision, Dispatcher
from troth.kernel.errors import TrothError, Unavailable
from troth.kernel.operation import Registry
from troth.redact.detect import Span
from worlds import FaultList, ListRecorder

PICTURE = Upload(filename="a.png", media_type="image/png", content=drawing(80, 60))
CHAT = {"model": "acme-chat", "messages": [{"role": "user", "content": "Ask jane@leak-test.com."}]}
NATIVE = {"model": "acme-native", "input": "Ask jane@leak-test.com."}
REQUESTS: list[tuple[str, dict[str, Any]]] = [
    ("chat.complete", CHAT),
    ("chat.complete", CHAT | {"stream": True}),
    ("response.create", NATIVE),
    ("response.create", NATIVE | {"stream": True}),
    ("response.create", NATIVE | {"model": "acme-chat"}),
    ("response.create", NATIVE | {"model": "acme-chat", "stream": True}),
    ("embedding.create", {"model": "acme-vectors", "input": ["Ask jane@leak-test.com."]}),
    ("image.generate", {"model": "acme-image", "prompt": "Ask jane@leak-test.com."}),
    ("image.edit", {"model": "acme-image", "prompt": "Ask jane@leak-test.com.", "image": [PICTURE]}),
]


class Broken:
    version = "broken-1"

    def detect(self, text: str) -> list[Span]:
        raise RuntimeError("no memory")


class Everybody:
    def decide(self, caller: Any, operation: Any) -> Decision:
        return Decision(allowed=True, policies=("all",), evidence="00" * 32)


def streamed(body: dict[str, Any]) -> list[bytes]:
    return response_events("ok") if "input" in body else [b"data: [DONE]\n\n"]


def refusing(code: str) -> Callable[..., Any]:
    def refuse(*_: Any, **__: Any) -> Any:
        raise Unavailable("down", code=code)

    return refuse


# What is broken -> the name of what it breaks in the world, from which everything else is reached.
DOWN = {
    "vault": ("objects", ("keep",)),
    "keys": ("tree", ("unit", "own_unit", "key")),
    "database": ("database", ("write", "apply")),
    "moderation": ("moderator", ("check",)),
}


@pytest.mark.parametrize("broken", ["nothing", "detector", "audit", *DOWN])
def test_when_something_is_down_the_vendor_gets_no_byte(
    tmp_path: Path, broken: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = World(tmp_path, Broken() if broken == "detector" else None)
    recorder = ListRecorder(broken=broken == "audit")
    registry = Registry(world.operations, world.answers)
    dispatcher = Dispatcher(registry, Everybody(), recorder, world.clock, FaultList())
    caller = Caller(PERSON, "user", TENANT, PERSON, jurisdiction="eu")

    async def asked(name: str, values: dict[str, Any]) -> str:
        request = registry[name].declaration.request.model_validate(values)
        try:
            answer = await dispatcher.run_async(name, caller, request)
            if values.get("stream"):
                assert [piece async for piece in answer.chunks]
        except TrothError as refusal:
            return refusal.code
        return "answered"

    async def go() -> tuple[list[str], bytes]:
        async with serving(Upstream(chunks=streamed)) as upstream:
            world.add_vendor(upstream.url)
            for name in DOWN.get(broken, ("", ()))[1]:
                monkeypatch.setattr(getattr(world, DOWN[broken][0]), name, refusing(f"{broken}-down"))
            return [await asked(name, values) for name, values in REQUESTS], upstream.received

    codes, received = world.run(go())
    if broken == "nothing":
        assert len(received) > 1000
        assert codes == ["answered"] * len(REQUESTS)
        return
    assert received == b""
    assert set(codes) == {{"audit": "no-record"}.get(broken, f"{broken}-down")}
    assert world.objects.list(TENANT, PERSON, kind="output") == []
