#!/usr/bin/env python3
"""Speed of the rule tier beside a plain loop of Python's `re` over the same patterns. One command, one table.

    .venv/bin/python bench/redact_text.py [--shared DIR] [--write]

Texts: generated tickets (shipped samples), prose without personal data (sparse), and, when `--shared` points to the PII
bench, its development sets. Figures are MB of UTF-8 per CPU second of one process; the first pass over each text (cold
automata) and the best of three further passes (warm) are both shown. `re` runs the patterns that it can compile, each
with `finditer` over the whole text, without checks, context or resolution: less work than the rule tier does.
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
    for name in ("synth_ids_dev", "panorama_dev", "tab_dev", "cc-by-sa/sgd_dev", "cc-by-sa/ewt_web_dev"):
        path = folder / "data" / f"{name}.jsonl"
        if path.exists():
            yield name, [json.loads(line)["text"] for line in path.read_text(encoding="utf-8").splitlines()]


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


def _speed(work: Callable[[str], object], texts: list[str], passes: int) -> list[float]:
    """MB per CPU second of each pass."""
    size, result = sum(len(t.encode()) for t in texts) / 1e6, []
    for _ in range(passes):
        begin = time.process_time()
        for text in texts:
            work(text)
        result.append(size / (time.process_time() - begin))
    return result


def _table(sets: list[tuple[str, list[str]]]) -> list[str]:
    loop, count = _loop()
    lines = [
        f"Rules: {len(TABLE)} patterns of {len({r.kind for r in TABLE})} kinds; "
        f"the `re` loop runs {count} of the patterns.",
        "",
        "| text | MB | finds per kB | rule tier, cold | rule tier, warm | `re` loop | ratio |",
        "|---|---|---|---|---|---|---|",
    ]
    for name, texts in sets:
        size = sum(len(t.encode()) for t in texts)
        detector = RuleDetector(TABLE)  # fresh automata for each set
        cold, *warm = _speed(detector.detect, texts, 4)
        finds = sum(len(detector.detect(t)) for t in texts)
        few = texts[: max(1, len(texts) * 60_000 // size)]
        plain = _speed(loop, few, 1)[0]
        lines.append(
            f"| {name} | {size / 1e6:.2f} | {finds / size * 1000:.2f} | {cold:.2f} | {max(warm):.2f} | {plain:.3f} "
            f"| {max(warm) / plain:.0f}x |"
        )
    return lines


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
    text = "\n".join(head + _table(sets)) + "\n"
    print(text)
    if args.write:
        _RESULT.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
