"""The labelled sets: where they are, what may be done with them, and which documents are held out."""

from __future__ import annotations

import hashlib
import json
import re
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

SPLITS = ("test", "test", "tune") + ("train",) * 7  # by the CRC of a document's id, modulo 10

# Copies of each set's documents in one epoch.
WEIGHT = {
    "synth_presidio_large": 2.0, "synth_ids_dev": 1.5, "tab_dev": 2.0, "panorama_dev": 2.0, "wnut17_train": 1.0,
    "wnut17_dev": 2.0, "btc_a": 1.0, "btc_b": 1.0, "btc_e": 2.0, "btc_f": 1.0, "btc_g": 1.0, "ewt_mail_dev": 6.0,
    "ewt_web_dev": 4.0, "sgd_dev": 0.5, "echr_fr_train": 1.5, "echr_es_train": 1.5, "meddocan_es_train": 0.6,
}  # fmt: skip
# Its licence is not clear (data/LICENSES.md of the bench): it is measured on, never trained on.
MEASURED_ONLY = ("ler_de_dev",)
OWN_SCOPE = ("PERSON", "LOCATION", "ORG", "DATE")
_MARK = re.compile(r"\(([PLOD]):([^)]*)\)")


Labelled = tuple[int, int, str, bool]  # start, end, label, whether it must be masked


@dataclass(frozen=True, slots=True)
class Document:
    """One text with its spans; `scope`: the labels that are annotated completely."""

    name: str
    text: str
    spans: tuple[Labelled, ...]
    scope: frozenset[str]
    source: str


def split_of(name: str) -> str:
    """train, tune or test: decided by the document's id alone."""
    return SPLITS[zlib.crc32(name.encode()) % len(SPLITS)]


def paths(folder: Path) -> list[Path]:
    """Every data set below the folder of the bench's data."""
    return sorted(folder.glob("*.jsonl")) + sorted(folder.glob("cc-by-sa/*.jsonl"))


def read(path: Path) -> Iterator[Document]:
    """The documents of one set."""
    scope = frozenset(json.loads(path.with_suffix(".meta.json").read_text(encoding="utf-8"))["scope"])
    with path.open(encoding="utf-8") as lines:
        for number, line in enumerate(lines):
            row = json.loads(line)
            spans = tuple((s["start"], s["end"], s["label"], s.get("mask", "must") == "must") for s in row["spans"])
            spans = _mentions(row["text"], spans)
            yield Document(str(row.get("id", f"{path.stem}-{number}")), row["text"], spans, scope, path.stem)


def _mentions(text: str, spans: tuple[Labelled, ...]) -> tuple[Labelled, ...]:
    """`@` and the name behind it, which tweets have as two spans, as one."""
    found: list[Labelled] = []
    for start, end, label, must in sorted(spans):
        if found and text[found[-1][0] : start].strip() == "@" and found[-1][2] == label:
            start = found.pop()[0]  # noqa: PLW2901
        found.append((start, end, label, must))
    return tuple(found)


def training_documents(folder: Path) -> list[Document]:
    """The training part of every set that may be trained on."""
    names = [p for p in paths(folder) if p.stem not in MEASURED_ONLY]
    return [d for p in names for d in read(p) if split_of(d.name) == "train"]


def own() -> dict[str, list[dict[str, Any]]]:
    """German and Italian sentences of this project's own (`data/news.txt`) as documents of the bench, by set."""
    names = {"P": "PERSON", "L": "LOCATION", "O": "ORG", "D": "DATE"}
    found: dict[str, list[dict[str, Any]]] = {}
    for line in (Path(__file__).parent / "data" / "news.txt").read_text(encoding="utf-8").splitlines():
        if re.fullmatch(r"\[\w+\]", line):
            current = found.setdefault(f"news_{line[1:-1]}", [])
        elif found:
            text, spans, at = "", [], 0
            for mark in _MARK.finditer(line):
                text += line[at : mark.start()]
                spans.append({"start": len(text), "end": len(text) + len(mark[2]), "label": names[mark[1]]})
                text, at = text + mark[2], mark.end()
            current.append({"id": str(len(current)), "text": text + line[at:], "spans": spans})
    return found


def digests(folder: Path) -> dict[str, str]:
    """SHA-256 of every set that is read."""
    return {path.stem: hashlib.sha256(path.read_bytes()).hexdigest() for path in paths(folder)}
