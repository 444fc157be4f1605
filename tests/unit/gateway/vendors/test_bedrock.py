"""Bedrock: a server that checks each signature with botocore itself, and speaks Converse and its binary events."""

from __future__ import annotations

import asyncio
import base64
import binascii
import json
import struct
from collections.abc import Callable, Coroutine
from datetime import UTC, datetime
from typing import Any

import pytest
from aiohttp import web
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from gateway_world import Upstream, drawing, serving
from troth.gateway.vendors.bedrock import Bedrock, signature
from troth.gateway.vendors.bounds import Limits
from troth.gateway.vendors.channel import Channel
from troth.gateway.vendors.port import Attachment
from troth.kernel.errors import TrothError

KEY, SECRET, REGION = "AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG", "eu-central-1"
MODEL = "anthropic.claude-3-5-sonnet-20240620-v1:0"
ARN = "arn:aws:bedrock:eu-central-1:123456789012:inference-profile/eu.model-v1:0"
SAID: dict[str, Any] = {
    "output": {"message": {"role": "assistant", "content": [{"text": "Hello there."}]}},
    "stopReason": "end_turn",
    "usage": {"inputTokens": 3, "outputTokens": 4, "totalTokens": 7},
}


async def signed(request: web.Request, raw: bytes) -> bool:
    """Whether botocore, at the request's own time and over the headers it names, makes the same signature."""
    given = request.headers.get("Authorization", "")
    names = given.partition("SignedHeaders=")[2].partition(",")[0].split(";")
    moment = datetime.strptime(request.headers["X-Amz-Date"], "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
    kept = {name: request.headers[name] for name in names if name not in ("host", "x-amz-date")}
    url = f"http://{request.headers['Host']}{request.raw_path}"
    again = AWSRequest(request.method, url, data=raw, headers=kept)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("botocore.auth.get_current_datetime", lambda *_: moment.replace(tzinfo=None))
        SigV4Auth(Credentials(KEY, SECRET), "bedrock", REGION).add_auth(again)
    return bool(again.headers["Authorization"] == given) and {"host", "x-amz-date"} <= set(names)


def framed(name: str, event: dict[str, Any], kind: str = "event") -> bytes:
    """One event in Amazon's framing: lengths, checksum, headers, payload, checksum."""
    headers = b"".join(
        struct.pack("!B", len(key)) + key.encode() + struct.pack("!BH", 7, len(value)) + value.encode()
        for key, value in ((":event-type", name), (":message-type", kind), (":content-type", "application/json"))
    )
    payload = json.dumps(event).encode()
    prelude = struct.pack("!II", 16 + len(headers) + len(payload), len(headers))
    prelude += struct.pack("!I", binascii.crc32(prelude))
    message = prelude + headers + payload
    return message + struct.pack("!I", binascii.crc32(message))


class Amazon:
    """Answers only what is signed."""

    def __init__(self, answer: Any = SAID, stream: bytes = b"") -> None:
        self.answer, self.stream = answer, stream
        self.bodies: list[dict[str, Any]] = []
        self.paths: list[str] = []

    async def __call__(self, request: web.Request) -> web.StreamResponse:
        raw = await request.read()
        self.paths.append(request.raw_path)
        if not await signed(request, raw):
            return web.json_response({"message": "The request signature does not match."}, status=403)
        self.bodies.append(json.loads(raw))
        if request.path.endswith("converse-stream"):
            response = web.StreamResponse(headers={"content-type": "application/vnd.amazon.eventstream"})
            await response.prepare(request)
            for at in range(0, len(self.stream), 7):
                await response.write(self.stream[at : at + 7])
            return response
        return web.json_response(self.answer)


def asked(
    use: Callable[[Bedrock], Coroutine[Any, Any, Any]], amazon: Amazon, credential: str = f"{KEY}:{SECRET}"
) -> Any:
    async def go() -> Any:
        async with serving(Upstream(handler=amazon)) as upstream:
            authorize = signature(credential, REGION)
            channel = Channel(upstream.url.removesuffix("/v1"), None, Limits(5), authorize=authorize)
            try:
                return await use(Bedrock(channel))
            finally:
                await channel.close()

    return asyncio.run(go())


def chat(**members: Any) -> dict[str, Any]:
    return {"model": MODEL, "messages": [{"role": "user", "content": "Hi"}], "store": False, "user": "psd_1"} | members


@pytest.mark.parametrize(
    ("model", "path"),
    [(MODEL, f"/model/{MODEL}/converse"),
     (ARN, "/model/arn:aws:bedrock:eu-central-1:123456789012:inference-profile%2Feu.model-v1:0/converse")],
    ids=["id", "arn"],
)  # fmt: skip
def test_a_conversation_is_signed_as_botocore_signs_and_nobody_is_named(model: str, path: str) -> None:
    amazon = Amazon()
    answer = asked(lambda vendor: vendor.chat(chat(model=model)), amazon)
    assert amazon.paths == [path]
    assert answer["choices"][0]["message"]["content"] == "Hello there."
    assert answer["choices"][0]["finish_reason"] == "stop"
    assert answer["usage"] == {"prompt_tokens": 3, "completion_tokens": 4, "total_tokens": 7}
    assert amazon.bodies == [{"messages": [{"role": "user", "content": [{"text": "Hi"}]}]}]


def test_another_secret_is_refused_by_the_server() -> None:
    with pytest.raises(TrothError) as refusal:
        asked(lambda vendor: vendor.chat(chat()), Amazon(), f"{KEY}:another")
    assert refusal.value.code == "vendor-credential"


@pytest.mark.parametrize("credential", ["", "AKID", "AKID:", ":secret"])
def test_a_credential_needs_two_parts(credential: str) -> None:
    with pytest.raises(TrothError) as refusal:
        signature(credential, REGION)
    assert refusal.value.code == "vendor-credential-missing"


def test_a_temporary_credential_sends_its_token() -> None:
    headers = signature(f"{KEY}:{SECRET}:session", REGION)("POST", "https://x.test/model/m/converse", {"data": b"{}"})
    assert headers["X-Amz-Security-Token"] == "session"
    assert "x-amz-security-token" in headers["Authorization"]


def test_everything_of_a_conversation_finds_its_place() -> None:
    amazon = Amazon()
    call = {"id": "call_1", "type": "function", "function": {"name": "look", "arguments": '{"at": 1}'}}
    picture = base64.b64encode(b"png").decode()
    messages = [
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": [{"type": "text", "text": "See"},
                                     {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{picture}"}}]},
        {"role": "assistant", "content": None, "tool_calls": [call]},
        {"role": "tool", "tool_call_id": "call_1", "content": "found"},
        {"role": "user", "content": "Go on"},
    ]  # fmt: skip
    tools = [
        {"type": "function", "function": {"name": "look", "description": "Looks.", "parameters": {"type": "object"}}}
    ]
    asked(lambda vendor: vendor.chat(chat(messages=messages, tools=tools, tool_choice="required", max_tokens=9,
                                          temperature=0.5, stop="END", n=1)), amazon)  # fmt: skip
    image = {"image": {"format": "png", "source": {"bytes": picture}}}
    use = {"toolUse": {"toolUseId": "call_1", "name": "look", "input": {"at": 1}}}
    result = {"toolResult": {"toolUseId": "call_1", "content": [{"text": "found"}]}}
    spec = {"name": "look", "inputSchema": {"json": {"type": "object"}}, "description": "Looks."}
    assert amazon.bodies[0] == {
        "system": [{"text": "Be brief."}],
        "messages": [
            {"role": "user", "content": [{"text": "See"}, image]},
            {"role": "assistant", "content": [use]},
            {"role": "user", "content": [result, {"text": "Go on"}]},
        ],
        "inferenceConfig": {"maxTokens": 9, "temperature": 0.5, "stopSequences": ["END"]},
        "toolConfig": {"tools": [{"toolSpec": spec}], "toolChoice": {"any": {}}},
    }


@pytest.mark.parametrize(
    "members",
    [
        {"n": 2},
        {"logprobs": True},
        {"response_format": {"type": "json_object"}},
        {"audio": {}},
        {"messages": [{"role": "user", "content": [{"type": "image_url", "image_url": {"url": "https://x.test/a"}}]}]},
        {"messages": [{"role": "oracle", "content": "x"}]},
    ],
    ids=["n", "logprobs", "json", "unknown", "link", "role"],
)
def test_what_converse_cannot_say_is_refused_before_anything_leaves(members: dict[str, Any]) -> None:
    amazon = Amazon()
    with pytest.raises(TrothError) as refusal:
        asked(lambda vendor: vendor.chat(chat(**members)), amazon)
    assert (refusal.value.code, amazon.paths) == ("call-not-offered", [])


def test_a_call_of_a_tool_comes_back() -> None:
    use = {"toolUse": {"toolUseId": "t1", "name": "look", "input": {"at": 2}}}
    said = SAID | {"output": {"message": {"role": "assistant", "content": [use]}}, "stopReason": "tool_use"}
    choice = asked(lambda vendor: vendor.chat(chat()), Amazon(said))["choices"][0]
    function = {"name": "look", "arguments": '{"at": 2}'}
    assert choice["message"]["tool_calls"] == [{"id": "t1", "type": "function", "function": function}]
    assert (choice["message"]["content"], choice["finish_reason"]) == (None, "tool_calls")


STREAM = [
    ("messageStart", {"role": "assistant"}),
    ("contentBlockDelta", {"contentBlockIndex": 0, "delta": {"text": "Hel"}}),
    ("contentBlockDelta", {"contentBlockIndex": 0, "delta": {"text": "lo"}}),
    ("contentBlockStop", {"contentBlockIndex": 0}),
    ("contentBlockStart", {"contentBlockIndex": 1, "start": {"toolUse": {"toolUseId": "t1", "name": "look"}}}),
    ("contentBlockDelta", {"contentBlockIndex": 1, "delta": {"toolUse": {"input": '{"a":1}'}}}),
    ("messageStop", {"stopReason": "max_tokens"}),
    ("metadata", {"usage": {"inputTokens": 1, "outputTokens": 2}}),
]


async def all_of(vendor: Bedrock) -> list[dict[str, Any]]:
    return [one async for one in vendor.chat_stream(chat(stream=True, stream_options={"include_usage": True}))]


def test_a_stream_in_any_pieces_becomes_chunks() -> None:
    found = asked(all_of, Amazon(stream=b"".join(framed(*one) for one in STREAM)))
    deltas = [one["choices"][0]["delta"] for one in found if one["choices"]]
    assert "".join(one.get("content") or "" for one in deltas) == "Hello"
    calls = [one["tool_calls"][0] for one in deltas if "tool_calls" in one]
    assert [one["function"] for one in calls] == [{"name": "look", "arguments": ""}, {"arguments": '{"a":1}'}]
    assert found[-2]["choices"][0]["finish_reason"] == "length"
    assert found[-1]["usage"]["total_tokens"] == 3


@pytest.mark.parametrize(
    ("stream", "code"),
    [
        (b"".join(framed(*one) for one in STREAM[:-1]), "vendor-truncated"),
        (framed(*STREAM[0]) + framed("throttlingException", {"message": "x"}, "exception"), "vendor-failed"),
        (framed(*STREAM[1])[:-1] + b"\0", "vendor-bad-answer"),
    ],
    ids=["broken-off", "exception", "checksum"],
)
def test_a_stream_that_breaks_is_told(stream: bytes, code: str) -> None:
    with pytest.raises(TrothError) as refusal:
        asked(all_of, Amazon(stream=stream))
    assert refusal.value.code == code


def test_embeddings_and_pictures_are_invoked() -> None:
    amazon = Amazon({"embedding": [0.25, 1], "inputTextTokenCount": 2})
    made = asked(lambda vendor: vendor.embeddings({"model": "titan", "input": ["a", "b"], "dimensions": 2}), amazon)
    assert [one["embedding"] for one in made["data"]] == [[0.25, 1], [0.25, 1]]
    assert made["usage"]["total_tokens"] == 4
    assert amazon.bodies == [{"inputText": "a", "dimensions": 2}, {"inputText": "b", "dimensions": 2}]
    picture = drawing(8, 8)
    amazon = Amazon({"images": [base64.b64encode(picture).decode()]})
    made = asked(
        lambda vendor: vendor.image({"model": "nova", "prompt": "a pump", "size": "512x256", "user": "p"}), amazon
    )
    assert made[0].content == picture
    assert amazon.bodies[0]["imageGenerationConfig"] == {"numberOfImages": 1, "width": 512, "height": 256}
    assert "user" not in amazon.bodies[0]


def test_after_the_first_text_nothing_counts_as_nothing_done() -> None:
    amazon = Amazon({"embedding": [0.25, 1], "inputTextTokenCount": 2})

    async def full(request: web.Request) -> web.StreamResponse:
        return web.Response(status=429) if amazon.bodies else await amazon(request)

    with pytest.raises(TrothError) as refusal:
        asked(lambda vendor: vendor.embeddings({"model": "titan", "input": ["a", "b"]}), full)
    assert refusal.value.code == "vendor-failed"


def test_edits_are_refused() -> None:
    with pytest.raises(TrothError) as refusal:
        asked(lambda vendor: vendor.edit({"model": "m"}, [Attachment(b"", "image/png", 1, 1)], None), Amazon())
    assert refusal.value.code == "call-not-offered"
