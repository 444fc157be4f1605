#!/usr/bin/env python3
"""Speed of the rule tier beside a plain loop of Python's `re` over the same patterns. One command, one table.

    .venv/bin/python bench/redact_text.py [--shared DIR] [--write]

Texts: generated tickets (shipped samples), prose without personal data (sparse), and, when `--shared` points to the PII
bench, its development sets. Figures are MB of UTF-8 per CPU second of one process; the first pass over each text (cold
automata) and the best of three further passes (warm) are both shown. `re` runs the patterns that it can compile, each
with `finditer` over the whole text, without checks, context or resolution: less work than the rule tier does. "One by
one" is `detect` on each text, "as one" is `detect_many` on all of them, which scans short texts as one buffer.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import random
import re
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from troth.redact.detect import RuleDetector, rules_detector
from troth.redact.detect.rules import TABLE
from troth.redact.samples.generate import _phrases, rows

_RESULT = Path(__file__).parent / "results" / "redact_text.md"


def _tickets(megabytes: float) -> list[str]:
    texts, size = [], 0
    for row in rows(100_000):
        text = f"{row['title']}\n\n{row['body']}\n\n{row['reply']}"
        texts.append(text)
        size += len(text.encode())
        if size > megabytes * 1e6:
            break
    return texts


def _sparse(megabytes: float) -> list[str]:
    """Documents of about 4 kB in which one sentence of 400 holds an e-mail address."""
    r = random.Random(1)
    sentences = [s for s in _phrases()["middle"] if "{" not in s]
    texts = []
    for _ in range(int(megabytes * 250)):
        words = [r.choice(sentences) for _ in range(38)]
        if r.random() < 0.1:
            words.insert(7, "Write to maria.keller@example.org.")
        texts.append(" ".join(words))
    return texts


def _shared(folder: Path) -> Iterator[tuple[str, list[str]]]:
    everything = []
    for path in sorted((folder / "data").rglob("*.jsonl")):
        with path.open(encoding="utf-8") as lines:
            texts = [json.loads(line)["text"] for line in lines]
        everything += texts
        yield path.stem, texts
    yield "all of them", everything


def _loop() -> tuple[Callable[[str], object], int]:
    """The plain `re` loop and how many patterns it has."""
    patterns = []
    for rule in TABLE:
        try:
            patterns.append(re.compile(rule.pattern.replace(r"\z", r"\Z")))
        except re.error:  # inline flags in the middle, scoped differently from RE2
            continue

    def scan(text: str) -> int:
        return sum(1 for pattern in patterns for _ in pattern.finditer(text))

    return scan, len(patterns)


def _speed(work: Callable[[list[str]], object], texts: list[str], passes: int) -> list[float]:
    """MB per CPU second of each pass."""
    size, result = sum(len(t.encode()) for t in texts) / 1e6, []
    for _ in range(passes):
        begin = time.process_time()
        work(texts)
        result.append(size / (time.process_time() - begin))
    return result


def _table(sets: list[tuple[str, list[str]]]) -> list[str]:
    loop, count = _loop()
    lines = [
        f"Rules: {len(TABLE)} patterns of {len({r.kind for r in TABLE})} kinds; "
        f"the `re` loop runs {count} of the patterns.",
        "",
        "| text | texts | MB | finds per kB | one by one: cold | warm | as one: cold | warm | `re` loop | ratio |",
        "|---|---|---|---|---|---|---|---|---|---|",
    ]
    for name, texts in sets:
        size = sum(len(t.encode()) for t in texts)
        single, many = RuleDetector(TABLE), RuleDetector(TABLE)  # fresh automata for each set and way
        cold, *warm = _speed(lambda batch, d=single: [d.detect(t) for t in batch], texts, 4)
        first, *further = _speed(lambda batch, d=many: list(d.detect_many(batch)), texts, 4)
        finds = sum(map(len, many.detect_many(texts)))
        few = texts[: max(1, len(texts) * 15_000 // size)]
        plain = _speed(lambda batch: [loop(t) for t in batch], few, 1)[0]
        lines.append(
            f"| {name} | {len(texts)} | {size / 1e6:.2f} | {finds / size * 1000:.2f} | {cold:.2f} | {max(warm):.2f} "
            f"| {first:.2f} | {max(further):.2f} | {plain:.3f} | {max(further) / plain:.0f}x |"
        )
    return lines


def _floor() -> str:
    """What a call costs before it reads anything."""
    detector, result = RuleDetector(TABLE), []
    for text in ("a", "no digit in here, only a few words of a tweet", "3 digits, 12 words, or so, at 10:45"):
        calls = [text] * 5000
        detector.detect(calls[0])
        begin = time.process_time()
        for call in calls:
            detector.detect(call)
        one = (time.process_time() - begin) / len(calls)
        begin = time.process_time()
        list(detector.detect_many(calls))
        result.append(f"{one * 1e6:.1f} / {(time.process_time() - begin) / len(calls) * 1e6:.1f}")
    return (
        f"Microseconds of one text, one by one / as one: next to nothing {result[0]}, a few words {result[1]}, "
        f"a few words and digits {result[2]}."
    )


def main() -> None:
    """Measure and print; `--write` puts the table into bench/results."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--shared", type=Path, help="folder of the PII bench")
    parser.add_argument("--write", action="store_true")
    args = parser.parse_args()
    begin = time.process_time()
    rules_detector()
    load = time.process_time() - begin
    sets = [("generated tickets", _tickets(0.5)), ("sparse prose, 4 kB", _sparse(1.0))]
    sets += list(_shared(args.shared)) if args.shared else []
    head = [
        "# Speed of the rule tier",
        "",
        f"`python bench/redact_text.py --shared DIR --write` on {platform.machine()}, {os.cpu_count()} cores, Python "
        f"{platform.python_version()}, load average {os.getloadavg()[0]:.1f}; MB per CPU second, one process. "
        f"Compiling the table: {load:.2f} s of CPU.",
        "",
    ]
    text = "\n".join([*head, *_table(sets), "", _floor()]) + "\n"
    print(text)
    if args.write:
        _RESULT.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
