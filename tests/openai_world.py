"""A `troth serve` process, and the official OpenAI client of one person."""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from openai import OpenAI
from PIL import Image

from served import Served, served
from troth.cli.demo.stage import Person

IMAGE, CHAT, VECTORS, FILM = "troth-studio-1", "troth-echo-1", "troth-vectors-1", "troth-motion-1"
SIZE = "256x256"


@dataclass(frozen=True)
class World:
    server: Served
    person: Person
    client: OpenAI


@contextmanager
def opened(folder: Path) -> Iterator[World]:
    """A server that was started anew."""
    with served(folder) as server:
        person = server.tenant("delta")
        with server.openai(server.key(person)) as client:
            yield World(server, person, client)


def user(text: str) -> Any:
    return {"role": "user", "content": text}


def picture(content: bytes) -> Image.Image:
    with Image.open(io.BytesIO(content)) as opened:
        opened.load()
        return opened


def png(side: int = 64, *, hole: bool = False) -> bytes:
    made = Image.new("RGBA", (side, side), (200, 30, 30, 255))
    if hole:
        made.paste((0, 0, 0, 0), (side // 4, side // 4, side // 2, side // 2))
    out = io.BytesIO()
    made.save(out, "PNG")
    return out.getvalue()
