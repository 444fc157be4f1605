"""A thousand lies about half a year: each is found by the command and by the page, which share no code."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from log_verifiers import Page, Refused, page_verifier
from period_mutations import mutated
from period_world import PeriodWorld
from troth.audit import verifier_page
from troth.kernel.errors import IntegrityError
from troth.promises.period.bundle import SIGNED, packed
from troth.promises.period.verify import unpacked, verify_period

LIES = 1_000
HALF_A_YEAR = 184
# The same data in another form, signed by the bundle's own key: two readers could read it in two ways.
FORMS: dict[str, Callable[[str], str]] = {
    "a blank": lambda text: text.replace(",", ", ", 1),
    "a line": lambda text: f"{text}\n",
    "another order": lambda text: json.dumps(dict(reversed(json.loads(text).items())), separators=(",", ":")),
    "a member twice": lambda text: f'{{"form":"x",{text[1:]}',
    "a fraction": lambda text: re.sub(r"(?<=[:,[])([1-9][0-9]*)(?=[],}])", r"\1.0", text, count=1),
    "an escape": lambda text: re.sub(r'"([a-z])', lambda found: f'"\\u00{ord(found[1]):02x}', text, count=1),
    "other bytes": lambda text: f"\ufeff{text}",
}


@pytest.fixture(scope="module")
def world() -> PeriodWorld:
    return PeriodWorld(checks=2, days=HALF_A_YEAR, every=86_400)


@pytest.fixture(scope="module")
def content(world: PeriodWorld) -> bytes:
    return world.bundle()[0]


@pytest.fixture(scope="module")
def page() -> Iterator[Page]:
    with page_verifier(Path(verifier_page.__file__).with_name(verifier_page.NAME)) as running:
        yield running


def test_the_command_takes_the_truth_and_none_of_a_thousand_lies(world: PeriodWorld, content: bytes) -> None:
    assert verify_period(unpacked(content), world.signers, world.trust).runs > 2 * HALF_A_YEAR
    taken = []
    for seed in range(LIES):
        kind, lie = mutated(world, content, seed)
        try:
            verify_period(unpacked(lie), world.signers, world.trust)
        except IntegrityError:
            continue
        taken.append((kind, seed))
    assert taken == []


def test_the_page_takes_the_truth_and_none_of_a_thousand_lies(
    world: PeriodWorld, content: bytes, page: Page, tmp_path: Path
) -> None:
    trust, path = str(world.trust.key), tmp_path / "period.zip"
    path.write_bytes(content)
    assert page.ask(trust=trust, period=path)["runs"] > 2 * HALF_A_YEAR
    taken = []
    for seed in range(LIES):
        kind, lie = mutated(world, content, seed)
        path.write_bytes(lie)
        try:
            page.ask(trust=trust, period=path)
        except Refused:
            continue
        taken.append((kind, seed))
    assert taken == []


def _in_form(world: PeriodWorld, content: bytes, form: str, name: str) -> bytes | None:
    files = unpacked(content)
    told = json.loads(base64.b64decode(json.loads(files[SIGNED])["payload"]))["predicate"]
    text = (
        FORMS[form](files[name].decode()) if files[name].startswith(b"{") or form in ("a line", "other bytes") else ""
    )
    if not text or text.encode() == files[name]:
        return None
    inside = {one: files[one] for one in files if one not in (SIGNED, "README.txt", "verifier.html")}
    asked = {one: told[one] for one in ("made_at", "period")}
    return packed(inside | {name: text.encode()}, asked, world.key)


@pytest.mark.parametrize("form", sorted(FORMS))
def test_both_refuse_every_file_in_another_form(
    world: PeriodWorld, content: bytes, page: Page, tmp_path: Path, form: str
) -> None:
    names = ["report.json", "log.json", "heads.json", "waivers.json", "registers.json", "runs/check-000.json"]
    path, tried, taken = tmp_path / "period.zip", 0, []
    for name in names:
        lie = _in_form(world, content, form, name)
        if lie is None:
            continue
        tried += 1
        path.write_bytes(lie)
        try:
            verify_period(unpacked(lie), world.signers, world.trust)
            taken.append((name, "command"))
        except IntegrityError:
            pass
        try:
            page.ask(trust=str(world.trust.key), period=path)
            taken.append((name, "page"))
        except Refused:
            pass
    assert taken == []
    assert tried >= 3
