"""A small real application: four operations behind the HTTP door."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest
from pydantic import BaseModel, ConfigDict, Field
from starlette.testclient import TestClient

from troth.gateway.wire.upload import Upload
from troth.http.app import create_app
from troth.http.authenticate import Authenticator
from troth.http.limits import RateLimit
from troth.http.routes import Door
from troth.identity.devices.proof import refusal
from troth.identity.devices.shown import PLAIN, Shown
from troth.kernel.caller import Caller, Connection
from troth.kernel.dispatch import Dispatcher
from troth.kernel.errors import Conflict, Unauthenticated
from troth.kernel.operation import Binary, Call, Group, Registry, Route, Stream, operation
from troth.storage.claims import Claims
from worlds import FaultList, ListRecorder, MovableClock, RoleDecider, person, sqlite


class Word(BaseModel):
    model_config = ConfigDict(extra="forbid")

    word: str = Field(default="", max_length=20)
    limit: int = 5


class Photo(BaseModel):
    model_config = ConfigDict(extra="forbid")

    image: list[Upload] | Upload
    prompt: str = ""
    expires_after: dict[str, str] = Field(default_factory=dict)


class Echo:
    """Answers of each kind."""

    @operation("echo.say", group=Group.OWN_DATA, request=Word, route=Route("POST", "/echo/{word}", max_bytes=2000))
    def say(self, call: Call, request: Word) -> Word:
        """Say a word."""
        return request

    @operation("echo.list", group=Group.PUBLIC, request=Word, route=Route("GET", "/echo", body="none"))
    def list(self, call: Call, request: Word) -> Binary:
        """List words."""
        return Binary(request.word.encode(), "text/plain", "wörds.txt")

    @operation("image.photo", group=Group.GENERATE, request=Photo, route=Route("POST", "/photo", body="multipart"))
    def photo(self, call: Call, request: Photo) -> Word:
        """Take photos."""
        images = request.image if isinstance(request.image, list) else [request.image]
        return Word(word=f"{len(images)} {len(images[0].content)}")

    @operation("chat.refuse", group=Group.GENERATE, request=Word, route=Route("POST", "/refuse"))
    def refuse(self, call: Call, request: Word) -> Word:
        """Refuse."""
        raise Conflict("Not now.", code="not-now")

    @operation("echo.stream", group=Group.GENERATE, request=Word, route=Route("GET", "/stream", body="none"))
    async def stream(self, call: Call, request: Word) -> Stream:
        """Speak slowly."""

        async def chunks() -> AsyncGenerator[bytes, None]:
            for word in (b"a", b"b"):
                yield word

        return Stream(chunks())


class Tokens:
    """Accepts the token "good", and "poor", who may do nothing."""

    def authenticate(self, token: str, connection: Connection, shown: Shown = PLAIN) -> Caller:
        if token == "poor":
            return person()
        if token == "operator":
            return replace(person(), kind="operator", tenant=None)
        if token not in ("good", "troth_sk_good"):
            raise Unauthenticated("no", code="bad-credential")
        return person("own-data", "generate", "public")

    def at_once(self, token: str, connection: Connection, shown: Shown = PLAIN) -> Caller | None:
        """Keys as an embedded database gives them, sessions as one that must be asked over the network."""
        return self.authenticate(token, connection) if token.startswith("troth_sk_") else None

    def newcomer(self, connection: Connection, shown: Shown) -> Caller:
        """Nobody here shows a key."""
        raise refusal()


@dataclass
class World:
    client: TestClient
    recorder: ListRecorder
    door: Door
    good: dict[str, str] = field(default_factory=lambda: {"authorization": "Bearer good"})


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    recorder, clock, tokens = ListRecorder(), MovableClock(), Tokens()
    dispatcher = Dispatcher(Registry(Echo()), RoleDecider(), recorder, clock, FaultList())
    database = sqlite(tmp_path)
    claims = Claims(database, clock, b"s" * 32)
    door = Door(dispatcher, Authenticator(tokens, tokens), RateLimit(60, 20), claims, 10_000)
    app = create_app(door, ready=lambda: ({"database": True}, True), start=lambda: None, stop=lambda: None)
    with TestClient(app, base_url="https://troth.test") as client:
        yield World(client, recorder, door)
    database.close()
