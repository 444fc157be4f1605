"""The vendor of the gateway's benchmark: says back what it was sent, and remembers whether it saw what it must not see.

A protocol of its own over uvloop, so that it costs next to nothing beside what is measured.
"""

from __future__ import annotations

import asyncio
import json
from typing import Any

CHUNKS = 40
PAUSE = 0.002  # seconds between two pieces of a stream
SECRETS = (b"jane.doe@example.com", b"Jane Doe", b"415 555 0100")


class Upstream(asyncio.Protocol):
    """One connection. POST: the last message as an answer; GET: how many requests came, and how many told a secret."""

    seen = 0
    told = 0

    def connection_made(self, transport: Any) -> None:
        self._transport, self._data = transport, b""

    def data_received(self, data: bytes) -> None:
        self._data += data
        while (end := self._data.find(b"\r\n\r\n")) >= 0:
            head, length = self._data[:end].lower(), 0
            if (at := head.find(b"content-length:")) >= 0:
                length = int(head[at + 15 :].split(b"\r\n", 1)[0])
            if len(self._data) < end + 4 + length:
                return
            body, self._data = self._data[end + 4 : end + 4 + length], self._data[end + 4 + length :]
            self._answer(body) if head.startswith(b"post") else self._count()

    def _answer(self, body: bytes) -> None:
        Upstream.seen += 1
        Upstream.told += any(secret in body for secret in SECRETS)
        asked = json.loads(body)
        text = asked["messages"][-1]["content"]
        if asked.get("stream"):
            self._task = asyncio.ensure_future(self._stream(text))
            return
        choice = {"index": 0, "message": {"role": "assistant", "content": text}, "finish_reason": "stop"}
        usage = {"prompt_tokens": 100, "completion_tokens": 100, "total_tokens": 200}
        frame = {"id": "chatcmpl-1", "object": "chat.completion", "created": 1, "model": "bench"}
        self._send(frame | {"choices": [choice], "usage": usage})

    def _count(self) -> None:
        self._send({"seen": Upstream.seen, "told": Upstream.told})
        Upstream.seen = Upstream.told = 0

    def _send(self, value: dict[str, Any]) -> None:
        body = json.dumps(value).encode()
        head = f"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {len(body)}\r\n\r\n"
        self._transport.write(head.encode() + body)

    async def _stream(self, text: str) -> None:
        frame = {"id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1, "model": "bench"}
        self._transport.write(
            b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n"
        )
        width = -(-len(text) // CHUNKS)
        for at in range(0, len(text), width):
            last = at + width >= len(text)
            delta = {"role": "assistant", "content": text[at : at + width]}
            choice = {"index": 0, "delta": delta, "finish_reason": "stop" if last else None}
            if self._transport.is_closing():  # the load ended in the middle
                return
            self._event(json.dumps(frame | {"choices": [choice]}))
            await asyncio.sleep(PAUSE)
        self._event("[DONE]")
        self._transport.write(b"0\r\n\r\n")

    def _event(self, data: str) -> None:
        event = f"data: {data}\n\n".encode()
        self._transport.write(f"{len(event):x}\r\n".encode() + event + b"\r\n")


def upstream(pipe: Any) -> None:
    """Serve on a free port, which goes into `pipe`."""
    import uvloop

    async def run() -> None:
        server = await asyncio.get_running_loop().create_server(Upstream, "127.0.0.1", 0)
        pipe.send(server.sockets[0].getsockname()[1])
        await server.serve_forever()

    uvloop.run(run())
