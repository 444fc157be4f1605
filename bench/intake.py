"""The gate for uploads beside what it cannot do without: Pillow's plain decoding, and one pass over the bytes.

    .venv/bin/python bench/intake.py [--rounds 15] [--write]

Prints one row per upload; `--write` replaces bench/results/intake.md. CPU is that of this process, all threads.
"""

from __future__ import annotations

import argparse
import io
import json
import os
import platform
import statistics
import time
from collections.abc import Callable
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path

from PIL import Image

import troth.gateway.samples
from troth.gateway.intake import admit_file, admit_image
from troth.gateway.intake.malware import examine
from troth.kernel.errors import TrothError

RESULTS = Path(__file__).parent / "results" / "intake.md"
SAMPLE = Path(troth.gateway.samples.__file__).parent / "photo.jpg"
Work = Callable[[], object]


def cpu(work: Work, rounds: int) -> float:
    """Median CPU in ms."""
    spent = []
    for _ in range(rounds):
        begun = time.process_time()
        work()
        spent.append((time.process_time() - begun) * 1000)
    return statistics.median(spent)


def photo(width: int, height: int, kind: str) -> bytes:
    """The sample in another size."""
    out = io.BytesIO()
    with Image.open(SAMPLE) as image:
        image.convert("RGB").resize((width, height)).save(out, kind, quality=90)
    return out.getvalue()


def decoded(content: bytes) -> None:
    """What any reader of the picture must do."""
    with Image.open(io.BytesIO(content)) as image:
        image.load()


def refused(work: Work) -> Work:
    """For uploads that must not pass."""

    def run() -> None:
        try:
            work()
        except TrothError:
            return
        raise AssertionError("it passed")

    return run


def uploads() -> list[tuple[str, bytes, Work, Work]]:
    """(name, content, the gate, the limit beside it)."""
    rows: list[tuple[str, bytes, Work, Work]] = []
    for name, width, height, kind in (
        ("JPEG, 1 megapixel", 1200, 900, "JPEG"),
        ("JPEG, 12 megapixels", 4000, 3000, "JPEG"),
        ("PNG, 1 megapixel", 1200, 900, "PNG"),
        ("WebP, 1 megapixel", 1200, 900, "WEBP"),
    ):
        made = photo(width, height, kind)
        rows.append((name, made, lambda made=made: admit_image(made, ""), lambda made=made: decoded(made)))  # type: ignore[misc]
    ask = {
        "method": "POST",
        "url": "/v1/chat/completions",
        "body": {"messages": [{"role": "user", "content": "Hi" * 90}]},
    }
    lines = b"".join(json.dumps(ask | {"custom_id": f"{n}"}).encode() + b"\n" for n in range(4000))
    text = b"A line of text that is quite ordinary, and goes on.\n" * 20_000
    rows += [
        ("batch of 4,000 lines", lines, lambda: admit_file("a.jsonl", "", lines, purpose="batch"),
         lambda: [json.loads(line) for line in lines.splitlines()]),
        ("text, 1 MB", text, lambda: admit_file("a.txt", "", text), text.decode),
        ("refusal: polyglot of JPEG and ZIP", b"", refused(lambda: admit_image(_polyglot(), "")), _polyglot),
        ("rules alone, 800 KB of noise", b"", lambda: examine(NOISE, picture=True), lambda: sha256(NOISE).digest()),
        ("rules alone, 25 MB of noise", b"", lambda: examine(LOUD, picture=True), lambda: sha256(LOUD).digest()),
    ]  # fmt: skip
    return rows


def _polyglot() -> bytes:
    return SAMPLE.read_bytes() + b"PK\x03\x04\x14\0" + bytes(40) + b"PK\x05\x06" + bytes(18)


NOISE, LOUD = os.urandom(800 << 10), os.urandom(25 << 20)


def main() -> None:
    """Measure, print, perhaps write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--write", action="store_true")
    asked = parser.parse_args()
    load = os.getloadavg()[0]
    examine(b"compiled", picture=True)
    lines = ["| upload | bytes | gate, CPU ms | limit beside it, CPU ms | ratio |", "|---|---|---|---|---|"]
    for name, content, gate, limit in uploads():
        ours, theirs = cpu(gate, asked.rounds), cpu(limit, asked.rounds)
        size = f"{len(content):,}" if content else ""
        lines.append(f"| {name} | {size} | {ours:.2f} | {theirs:.2f} | {ours / max(theirs, 0.01):.1f} |")
        print(lines[-1])
    if asked.write:
        when = datetime.now(UTC).strftime("%Y-%m-%d %H:%M")
        place = f"Python {platform.python_version()}; {os.cpu_count()} cores ({platform.machine()}), load {load:.1f}"
        RESULTS.write_text(
            f"# The gate for uploads\n\n`python bench/intake.py --rounds {asked.rounds} --write`\n\n{when} UTC; "
            f"{place}. Medians of CPU. The limit: Pillow's whole decoding of a picture, `json.loads` of lines, "
            "UTF-8 of the text, SHA-256 of the noise.\n\n" + "\n".join(lines) + "\n"
        )


if __name__ == "__main__":
    main()
