"""One small lie about a period, drawn at random: what who holds the bundle's key might try, and others."""

from __future__ import annotations

import base64
import json
import random
from collections.abc import Callable, Mapping
from typing import Any

import rfc8785

from log_world import TestKey
from period_world import PeriodWorld
from troth.promises.period.bundle import SIGNED, packed, zipped
from troth.promises.period.verify import unpacked

Lie = Callable[[random.Random, dict[str, Any]], None]
_STEADY = ("result", "control", "population", "tested", "details", "code", "schedule", "system", "clock")
_OTHER = {"result": "fail", "control": "pass", "details": {"a": 1}, "code": "c" * 64, "system": "x", "clock": "back"}


def _drop(dice: random.Random, one: dict[str, Any]) -> None:
    """A run is left out, with all its columns."""
    place = dice.randrange(len(one["at"]))
    del one["at"][place]
    _shorten(one, place)


def _cut_tail(dice: random.Random, one: dict[str, Any]) -> None:
    for _ in range(dice.randrange(1, 4)):
        one["at"].pop()
        _shorten(one, len(one["at"]))


def _shorten(one: dict[str, Any], place: int) -> None:
    for name in ("slot", *_STEADY):
        at = 0
        for pair in one[name]:
            at += pair[1]
            if place < at:
                pair[1] -= 1
                break
        one[name] = [pair for pair in one[name] if pair[1]]


def _edit(dice: random.Random, one: dict[str, Any]) -> None:
    name = dice.choice(_STEADY)
    pair = dice.choice(one[name])
    pair[0] = _OTHER.get(name, pair[0] + 1 if isinstance(pair[0], int) else "x")


def _back_date(dice: random.Random, one: dict[str, Any]) -> None:
    place = dice.randrange(len(one["at"]))
    one["at"][place] -= dice.choice((1, 1000, 3_600_000))


def _reorder(dice: random.Random, one: dict[str, Any]) -> None:
    place = dice.randrange(len(one["at"]) - 1)
    one["at"][place], one["at"][place + 1] = one["at"][place + 1] + 1, one["at"][place] + 1


def _swap_code(dice: random.Random, one: dict[str, Any]) -> None:
    dice.choice(one["code"])[0] = f"{dice.getrandbits(256):064x}"


def _other_slots(dice: random.Random, one: dict[str, Any]) -> None:
    pair = dice.choice(one["slot"])
    pair[0] = (pair[0] or 0) + dice.choice((-3_600_000, 1, 3_600_000))


LIES: Mapping[str, Lie] = {
    "drop": _drop,
    "edit": _edit,
    "reorder": _reorder,
    "back-date": _back_date,
    "swap the check's code": _swap_code,
    "cut the tail": _cut_tail,
    "other slots": _other_slots,
}


def mutated(world: PeriodWorld, content: bytes, seed: int) -> tuple[str, bytes]:
    """What was done, and the bundle after it. Half of them are signed again, with the key of the bundle."""
    dice = random.Random(seed)
    files = unpacked(content)
    kind = dice.choice((*LIES, *LIES, "leave a check out", "another key", "figures", "proofs", "a byte"))
    if kind == "a byte":
        return kind, _flipped(dice, content)
    before = dict(files)
    while files == before:
        _change(dice, kind, files)
    signer = TestKey(world.key.name, b"o" * 32) if kind == "another key" else world.key
    if kind != "another key" and dice.random() < 0.5:
        return kind, zipped(files)  # under the signature of what was there before
    told = json.loads(base64.b64decode(json.loads(before[SIGNED])["payload"]))["predicate"]
    inside = {name: one for name, one in files.items() if name not in (SIGNED, "README.txt", "verifier.html")}
    return f"{kind}, signed again", packed(inside, {name: told[name] for name in ("made_at", "period")}, signer)


def _change(dice: random.Random, kind: str, files: dict[str, bytes]) -> None:
    if kind in LIES or kind == "another key":
        name = dice.choice(sorted(one for one in files if one.startswith("runs/")))
        told = json.loads(files[name])
        LIES.get(kind, _edit)(dice, dice.choice(told["stretches"]))
        files[name] = rfc8785.dumps(told)
    elif kind == "leave a check out":
        del files[dice.choice(sorted(one for one in files if one.startswith("runs/")))]
    else:
        name = {"figures": "report.json", "proofs": dice.choice(("log.json", "heads.json"))}[kind]
        told = json.loads(files[name])
        _nudge(dice, told)
        files[name] = rfc8785.dumps(told)


def _nudge(dice: random.Random, told: Any) -> None:
    """One leaf of a tree of JSON is another."""
    while True:
        keys = sorted(told) if isinstance(told, dict) else list(range(len(told)))
        if not keys:
            return
        key = dice.choice(keys)
        if not isinstance(told[key], dict | list):
            told[key] = told[key] + 1 if isinstance(told[key], int) else _spoilt(dice, str(told[key]))
            return
        told = told[key]


def _spoilt(dice: random.Random, text: str) -> str:
    if not text:
        return "x"
    place = dice.randrange(len(text))
    return text[:place] + ("0" if text[place] != "0" else "1") + text[place + 1 :]


def _flipped(dice: random.Random, content: bytes) -> bytes:
    """A bit of a member's packed bytes, as a disk or a cable might turn it."""
    place = dice.randrange(200, len(content) * 3 // 4)
    return content[:place] + bytes([content[place] ^ 1 << dice.randrange(8)]) + content[place + 1 :]
