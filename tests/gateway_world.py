"""A whole gateway in a folder, and an upstream on loopback that records every byte it is sent."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import hashlib
import io
import json
import re
import secrets
from collections.abc import AsyncIterator, Callable, Coroutine, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from aiohttp import web
from PIL import Image, ImageDraw

from troth.gateway.answer_operations import AnswerOperations
from troth.gateway.assets import Assets
from troth.gateway.chat import ChatDesk
from troth.gateway.clearance import Clearance
from troth.gateway.embeddings import EmbeddingDesk
from troth.gateway.files import Files
from troth.gateway.images import ImageDesk
from troth.gateway.models import ModelList
from troth.gateway.moderation import Moderator
from troth.gateway.operations import GatewayOperations, VendorOperations
from troth.gateway.pictures import Finisher
from troth.gateway.provenance import Credentials
from troth.gateway.provenance.fingerprints import Fingerprints
from troth.gateway.receipts import Receipts
from troth.gateway.redaction import Redactor
from troth.gateway.responses.desk import ResponseDesk
from troth.gateway.responses.kept import KeptResponses
from troth.gateway.responses.painter import Painter
from troth.gateway.restoring import PLACEHOLDER
from troth.gateway.studio.chat import answer
from troth.gateway.studio.compose import compose
from troth.gateway.studio.edit import apply
from troth.gateway.vendors.bounds import Limits
from troth.gateway.vendors.local_studio import LOCAL_STUDIO, LocalStudio
from troth.gateway.vendors.papers import CLAUSES, Contract, Tier, settled
from troth.gateway.vendors.ports import Ports
from troth.gateway.vendors.record import DueDiligence, Offer, Retention
from troth.gateway.vendors.registry import Vendors
from troth.gateway.videos.desk import VideoDesk
from troth.gateway.videos.finishing import VideoFinishing
from troth.gateway.videos.jobs import Jobs
from troth.gateway.videos.runner import VideoRunner
from troth.gateway.wire.receipts import Receipt
from troth.kernel.caller import Caller
from troth.kernel.clock import epoch_ms
from troth.kernel.data_class import DataClass
from troth.kernel.errors import Gone
from troth.kernel.ids import new_id
from troth.kernel.operation import Call
from troth.keys.lifecycle import Use
from troth.keys.units import UnitKey
from troth.redact.detect import Detector, rules_detector
from troth.redact.policy import vendor_policy
from troth.storage.blobs import LocalBlobs
from troth.vault.deadlines import Deadlines
from troth.vault.ground import Ground
from troth.vault.objects import Objects
from worlds import ListRecorder, MovableClock, sqlite

DAY = 86_400_000
TENANT, PERSON = new_id("ten"), new_id("usr")
SEALED_PREFIX = b"sealed:"


@dataclass
class MemoryTree:
    """Unit keys in a dictionary; destroying one forgets it."""

    keys: dict[bytes, UnitKey] = field(default_factory=dict)

    def unit(self, tenant: str, subject: str, data_class: DataClass, period: str) -> UnitKey:
        name = hashlib.sha256(f"{tenant}|{subject}|{data_class}|{period}".encode()).digest()[:16]
        return self.keys.setdefault(name, UnitKey(name, 1, secrets.token_bytes(32)))

    def own_unit(self, tenant: str, subject: str, data_class: DataClass) -> UnitKey:
        return self.unit(tenant, subject, data_class, secrets.token_hex(8))

    def key(self, unit_id: bytes, use: Use = Use.PRODUCT) -> UnitKey:
        if unit_id not in self.keys:
            raise Gone("destroyed")
        return self.keys[unit_id]

    def lock_protecting(self, _connection: Any, unit: bytes) -> None:
        self.key(unit)

    def destroy_units(self, units: Sequence[bytes]) -> Any:
        for unit in units:
            self.keys.pop(unit, None)

    def destroy_subject(self, tenant: str, subject: str) -> Any:
        self.keys.clear()


class XorSealed:
    """Seals by a fixed pad: enough to see that a secret is not stored as it is."""

    def seal(self, label: str, plaintext: bytes) -> bytes:
        return SEALED_PREFIX + bytes(byte ^ 0x5A for byte in plaintext)

    def open(self, label: str, sealed: bytes) -> bytes:
        return bytes(byte ^ 0x5A for byte in sealed.removeprefix(SEALED_PREFIX))


@dataclass
class Consenting:
    """Consents by purpose."""

    given: dict[str, str] = field(default_factory=dict)

    def valid(self, tenant: str, subject: str, purpose: str) -> str | None:
        return self.given.get(purpose)

    def objected(self, tenant: str, subject: str) -> frozenset[str]:
        return frozenset()


def drawing(width: int, height: int, seed: int = 7) -> bytes:
    """A PNG."""
    picture = Image.new("RGB", (width, height), (seed & 255, seed >> 8 & 255, 90))
    ImageDraw.Draw(picture).rectangle((4, 4, width // 2, height // 2), fill="white")
    out = io.BytesIO()
    picture.save(out, "PNG")
    return out.getvalue()


class World:
    """Everything the gateway needs, real but for vendor accounts and root keys."""

    def __init__(self, folder: Path, detector: Detector | None = None) -> None:
        self.folder = folder
        self.clock = MovableClock()
        self.database = sqlite(folder)
        self.recorder = ListRecorder()
        self.tree = MemoryTree()
        ground = Ground(self.database, LocalBlobs(folder / "blobs"), self.tree, self.recorder, self.clock)
        self.objects = Objects(
            ground,
            Deadlines(ground),
            blind_index=lambda label, value: hashlib.sha256(f"{label}|{value}".encode()).digest(),
            jurisdiction_of=lambda tenant: "eu",
        )
        self.vendors = Vendors(self.database, XorSealed(), self.clock, [LOCAL_STUDIO])
        studio = LocalStudio(compose, apply, answer, PLACEHOLDER)
        self.ports = Ports(self.vendors, studio, Limits(seconds=5), plain_loopback=True)
        self.consents = Consenting()
        self.moderator = Moderator()
        self.receipts = Receipts(self.database, self.objects, self.clock)
        self.redactor = Redactor(detector or rules_detector(), vendor_policy(), b"k" * 32)
        self.clearance = Clearance(
            self.vendors,
            self.ports,
            redactor=self.redactor,
            moderator=self.moderator,
            receipts=self.receipts,
            consents=self.consents,
            clock=self.clock,
        )
        self.credentials = Credentials(folder / "ca")  # the C2PA library looks at the machine's clock
        self.assets = Assets(self.objects, b"a" * 32, "https://troth.test", self.clock)
        self.chat = ChatDesk(self.clearance, self.objects)
        self.fingerprints = Fingerprints(self.database, b"f" * 32, self.clock)
        self.finisher = Finisher(self.credentials, fingerprints=self.fingerprints)
        self.images = ImageDesk(self.clearance, self.moderator, self.finisher, self.objects, self.assets)
        self.jobs = Jobs(self.database, self.clock, most=2)
        self.videos = VideoDesk(self.clearance, self.objects, self.jobs, vendors=self.vendors, ports=self.ports)
        self.runner = self.video_runner(studio)
        kept = KeptResponses(self.objects, self.receipts)
        responses = ResponseDesk(self.clearance, kept, Painter(self.images))
        self.answers = AnswerOperations(responses, kept, EmbeddingDesk(self.clearance))
        self.files = Files(self.objects)
        self.models = ModelList(self.vendors, self.clock)
        self.operations = GatewayOperations(
            self.chat,
            self.images,
            files=self.files,
            models=self.models,
            receipts=self.receipts,
            assets=self.assets,
        )
        self.vendor_operations = VendorOperations(self.vendors)

    def video_runner(self, studio: LocalStudio | None = None) -> VideoRunner:
        """What a process does with video jobs; without the studio that took them, one that was started anew."""
        local = studio or LocalStudio(compose, apply, answer, PLACEHOLDER)
        return VideoRunner(
            self.jobs,
            VideoFinishing(
                self.jobs,
                self.objects,
                self.moderator,
                self.finisher,
                self.receipts,
                recorder=self.recorder,
            ),
            self.objects,
            vendors=self.vendors,
            ports=Ports(self.vendors, local, Limits(seconds=5), plain_loopback=True),
            consents=self.consents,
        )

    @property
    def now(self) -> int:
        return epoch_ms(self.clock.now())

    def call(self, tenant: str = TENANT, subject: str = PERSON, jurisdiction: str = "eu") -> Call:
        caller = Caller(subject, "user", tenant, subject, jurisdiction=jurisdiction)
        return Call(caller, new_id("req"), self.clock.now(), also=lambda _: None)

    def close(self, call: Call) -> None:
        """What dispatch does with the closing record of a call."""
        with self.database.write() as connection:
            while call.last:
                call.last.pop(0)(connection)

    def receipt(self, call: Call) -> Receipt:
        """The receipt of an ended call."""
        self.close(call)
        return self.receipts.show(TENANT, PERSON, call.request_id)

    def add_vendor(self, base_url: str, *, vendor: str = "acme", credential: str | None = None, **facts: Any) -> None:
        """An approved vendor that keeps nothing, stands in the EU unless `facts` say otherwise, and is long on file."""
        on_file = due_diligence(self.now, base_url, **({"announced_at": self.now - 40 * DAY} | facts))
        self.clock.forward(days=-40)
        self.vendors.add(vendor, on_file, credential, "usr_one")
        self.clock.forward(days=40)
        self.vendors.approve(vendor, "usr_two")

    def run(self, work: Coroutine[Any, Any, Any]) -> Any:
        async def all_of_it() -> Any:
            try:
                return await work
            finally:
                await self.ports.close()

        return asyncio.run(all_of_it())

    def bytes_on_disk(self) -> bytes:
        """Every byte of every file of the world."""
        return b"".join(path.read_bytes() for path in sorted(self.folder.rglob("*")) if path.is_file())


def due_diligence(now: int, base_url: str = "https://vendor.test/v1", **facts: Any) -> DueDiligence:
    given: dict[str, Any] = {
        "name": "Acme Models",
        "base_url": base_url,
        "offers": (
            Offer(model="acme-chat", upstream="upstream-chat", kind="chat"),
            Offer(model="acme-native", upstream="upstream-native", kind="chat", responses=True),
            Offer(model="acme-vectors", upstream="upstream-vectors", kind="embedding"),
            Offer(model="acme-video", upstream="upstream-video", kind="video"),
            Offer(model="acme-image", upstream="upstream-image", kind="image", response_format="b64_json"),
        ),
        "review": "ab" * 32,
        "review_expires": now + 180 * DAY,
        "diligence": settled(Tier.STANDARD, "usr_three", now - DAY, "ef" * 32),
        "agreement": "cd" * 32,
        "agreement_ends": now + 300 * DAY,
        "contract": Contract(parties=("Acme Models", "Us"), clauses=CLAUSES, starts=now - DAY),
        "retention": Retention.ZERO,
        "jurisdictions": ("eu",),
        "regions": ("eu",),
        "moderation": "vendor-policy",
        "raw_images": True,
    }
    return DueDiligence.model_validate(given | facts)


Answer = Callable[[dict[str, Any]], Any]


@dataclass
class Upstream:
    """An OpenAI-compatible server that keeps what it received. `chat` and `chunks` make its answers."""

    chat: Answer = lambda body: completion(str(body["messages"][-1].get("content")))
    chunks: Callable[[dict[str, Any]], list[bytes]] = lambda body: [b"data: [DONE]\n\n"]
    respond: Answer = lambda body: response(json.dumps(body, ensure_ascii=False))
    handler: Callable[[web.Request], Coroutine[Any, Any, web.StreamResponse]] | None = None
    picture: bytes = field(default_factory=lambda: drawing(96, 64))
    received: bytes = b""
    requests: list[Any] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)
    url: str = ""

    async def answer(self, request: web.Request) -> web.StreamResponse:
        raw = await request.read()
        self.received += request.path_qs.encode() + repr(request.raw_headers).encode() + raw
        self.headers.append(dict(request.headers))
        if self.handler is not None:
            return await self.handler(request)
        if request.path.endswith("/chat/completions"):
            body = json.loads(raw)
            self.requests.append(body)
            return await self._stream(request, body) if body.get("stream") else web.json_response(self.chat(body))
        if request.path.endswith(("/responses", "/embeddings")):
            body = json.loads(raw)
            self.requests.append(body)
            if body.get("stream"):
                return await self._stream(request, body)
            return web.json_response(self.respond(body) if request.path.endswith("/responses") else vectors(body))
        self.requests.append(json.loads(raw) if request.content_type == "application/json" else raw)
        if request.path.endswith("/videos"):
            return web.json_response({"id": "video_upstream", "object": "video", "status": "queued", "progress": 0})
        body = self.requests[-1] if isinstance(self.requests[-1], dict) else {"prompt": _prompt(raw)}
        one = {"b64_json": base64.b64encode(self.picture).decode(), "revised_prompt": body.get("prompt")}
        return web.json_response({"created": 1, "data": [one] * body.get("n", 1)})

    async def _stream(self, request: web.Request, body: dict[str, Any]) -> web.StreamResponse:
        response = web.StreamResponse(headers={"content-type": "text/event-stream"})
        await response.prepare(request)
        with contextlib.suppress(ConnectionError):  # the caller left
            for piece in self.chunks(body):
                await response.write(piece)
                await asyncio.sleep(0)
        return response


def _prompt(form: bytes) -> str | None:
    """The prompt of a multipart form."""
    found = re.search(rb'name="prompt"\r\n(?:[^\r\n]+\r\n)*\r\n(.*?)\r\n--', form, re.DOTALL)
    return found.group(1).decode() if found else None


@contextlib.asynccontextmanager
async def serving(upstream: Upstream) -> AsyncIterator[Upstream]:
    app = web.Application(client_max_size=64 << 20)
    app.router.add_route("*", "/{tail:.*}", upstream.answer)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    upstream.url = f"http://127.0.0.1:{runner.addresses[0][1]}/v1"
    try:
        yield upstream
    finally:
        await runner.cleanup()


def completion(text: str | None, **message: Any) -> dict[str, Any]:
    said = {"role": "assistant", "content": text} | message
    return {
        "id": "x",
        "object": "chat.completion",
        "created": 1,
        "model": "upstream-chat",
        "choices": [{"index": 0, "message": said, "finish_reason": "stop"}],
        "usage": {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2},
    }


def response(text: str, *items: dict[str, Any]) -> dict[str, Any]:
    """What a vendor that speaks /v1/responses answers: a message with `text`, then further items."""
    part = {"type": "output_text", "text": text, "annotations": []}
    message = {"id": "m", "type": "message", "role": "assistant", "status": "completed", "content": [part]}
    usage = {"input_tokens": 2, "output_tokens": 3, "total_tokens": 5}
    return {"id": "r", "object": "response", "status": "completed", "output": [message, *items], "usage": usage}


def response_events(text: str, width: int = 7) -> list[bytes]:
    """The same as a stream, `text` in pieces."""
    whole, place = response(text), {"output_index": 0, "content_index": 0, "item_id": "m"}
    message = whole["output"][0]
    told = [
        {"type": "response.created", "response": whole | {"output": [], "status": "in_progress"}},
        {"type": "response.output_item.added", "output_index": 0, "item": message | {"content": []}},
        *({"type": "response.output_text.delta", "delta": text[at : at + width], **place}
          for at in range(0, len(text), width)),
        {"type": "response.output_text.done", "text": text, **place},
        {"type": "response.output_item.done", "output_index": 0, "item": message},
        {"type": "response.completed", "response": whole},
    ]  # fmt: skip
    return [f"event: {one['type']}\ndata: {json.dumps(one)}\n\n".encode() for one in told]


def vectors(body: dict[str, Any]) -> dict[str, Any]:
    """As many vectors as texts."""
    count = 1 if isinstance(body["input"], str) else len(body["input"])
    data = [{"object": "embedding", "index": n, "embedding": [0.5, -0.25, n]} for n in range(count)]
    return {"object": "list", "data": data, "model": "x", "usage": {"prompt_tokens": 2, "total_tokens": 2}}


def event(choices: list[dict[str, Any]], **more: Any) -> bytes:
    return b"data: " + json.dumps({"id": "x", "choices": choices} | more).encode() + b"\n\n"


async def chunks_of(stream: Any) -> list[dict[str, Any]]:
    """The JSON of every event of a Stream but the last, which must be [DONE]."""
    text = b"".join([piece async for piece in stream.chunks]).decode()
    events = [one.removeprefix("data: ") for one in text.split("\n\n") if one]
    assert events[-1] == "[DONE]"
    return [json.loads(one) for one in events[:-1]]
