"""Writes vectors/tob1.json: `python tests/conformance/tob1_generate.py`. Run once per format version."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from troth.kernel.data_class import DataClass
from troth.vault import framing

TARGET = Path(__file__).parent / "vectors" / "tob1.json"
CASES = [
    ("empty", 0, "eu", DataClass.USER_GENERATED),
    ("one byte", 1, "us", DataClass.ACCOUNT),
    ("1 KiB", 1024, "au", DataClass.SYSTEM),
    ("one segment", framing.SEGMENT, "eu", DataClass.USER_GENERATED),
    ("one segment and a byte", framing.SEGMENT + 1, "eu", DataClass.USER_GENERATED),
    ("three segments", 3 * framing.SEGMENT - 7, "eu", DataClass.USER_GENERATED),
]


@dataclass(frozen=True)
class Unit:
    id: bytes
    generation: int
    key: bytes


def stream(label: str, size: int) -> bytes:
    """`size` bytes that anybody can make again: SHAKE-128 of the label."""
    return hashlib.shake_128(label.encode()).digest(size)


def vector(name: str, size: int, jurisdiction: str, data_class: DataClass) -> dict[str, Any]:
    """One vector; content longer than 1 KiB is given as a SHAKE-128 label, ciphertext then as SHA-256."""
    facts = framing.Facts(jurisdiction, data_class, stream("tenant", 16), stream(f"object {name}", 16), size + 1)
    unit = Unit(stream("unit", 16), 3, stream("unit key", 32))
    fresh = framing._Randomness(stream(f"dek {name}", 32), stream(f"salt {name}", 16), stream(f"iv {name}", 12))
    sealed = framing._seal(facts, unit, stream(f"plain {name}", size), fresh)
    return {
        "name": name,
        "jurisdiction": jurisdiction,
        "class": data_class.value,
        "tenant": facts.tenant.hex(),
        "object": facts.object.hex(),
        "version": facts.version,
        "unit": unit.id.hex(),
        "generation": unit.generation,
        "unit_key": unit.key.hex(),
        "data_key": fresh.data_key.hex(),
        "salt": fresh.salt.hex(),
        "wrap_nonce": fresh.wrap_nonce.hex(),
        "plaintext_shake128_of": f"plain {name}",
        "plaintext_size": size,
        "header": sealed[: framing.HEADER].hex(),
        "sealed": sealed.hex() if size <= 1024 else None,
        "sealed_size": len(sealed),
        "sealed_sha256": hashlib.sha256(sealed).hexdigest(),
    }


if __name__ == "__main__":
    TARGET.parent.mkdir(exist_ok=True)
    TARGET.write_text(json.dumps([vector(*case) for case in CASES], indent=1) + "\n")
