"""Readiness with each part broken, the status page, and a day's figures proven to a stranger."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from house import House, house
from troth.audit.verify import verify_proof
from troth.kernel.clock import epoch_ms
from troth.kernel.errors import IntegrityError, Unavailable
from troth.kernel.periodic import Periodic
from troth.kernel.scope import SYSTEM, within
from troth.keys.tree import KeyTree
from troth.redact.loading import Loading
from troth.storage.database import Database
from troth.telemetry import samples
from troth.telemetry.clock_drift import Drift
from troth.telemetry.figures import day_of
from troth.telemetry.readiness import Readiness
from troth.telemetry.samples import DAY_MS, HOUR_MS, Look
from troth.wiring import telemetry
from troth.wiring.telemetry import DEGRADED, readings, ready_parts


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    with house(tmp_path_factory.mktemp("house"), gateway={"redaction_tier": "rules"}) as built:
        yield built


def raising(*_: Any, **__: Any) -> Any:
    raise Unavailable("broken for the test")


class _Stopped:
    running, waiting, unsigned, fault = False, 0, 0, "stopped"


def broken(part: str, home: House, patch: pytest.MonkeyPatch) -> None:
    """Break one part of the installation."""
    system = home.system
    breakers: dict[str, Any] = {
        "database": lambda: patch.setattr(Database, "read", raising),
        "log": lambda: patch.setattr(type(system.base.sequencer), "state", lambda _self: _Stopped()),
        "keys": lambda: patch.setattr(KeyTree, "unit", raising),
        "redaction": lambda: patch.setattr(Loading, "missing", property(lambda _self: True)),
        "disk": lambda: patch.setattr(telemetry, "_free", lambda _folder: 1.0),
        "clock": lambda: patch.setattr(Drift, "seconds", lambda _self: 3600.0),
        "key-domains": lambda: patch.setattr(KeyTree, "absent", property(lambda _self: {"hsm": "hsm-pin"})),
        "backup": lambda: patch.setattr(Periodic, "late", lambda self: self.name == "backup"),
        "jobs": lambda: patch.setattr(Periodic, "late", lambda self: self.name == "retention"),
        "mirror": lambda: (
            patch.setattr(telemetry, "_signed_at", lambda _system: 1),
            patch.setattr(_Stopped, "unsigned", 3),
            patch.setattr(type(system.base.sequencer), "state", lambda _self: _Stopped()),
        ),
    }
    breakers[part]()


def test_everything_works(home: House) -> None:
    parts = ready_parts(home.system)
    readiness = Readiness(parts)
    assert readiness() == dict.fromkeys(parts, True)
    readiness.close()


@pytest.mark.parametrize(
    "part",
    ["database", "log", "keys", "redaction", "disk", "clock", "key-domains", "backup", "jobs", "mirror"],
)
def test_each_part_can_break(home: House, monkeypatch: pytest.MonkeyPatch, part: str) -> None:
    with monkeypatch.context() as patch:
        broken(part, home, patch)
        readiness = Readiness({part: ready_parts(home.system)[part]})
        assert readiness() == {part: False}
        readiness.close()


def test_a_stranger_hears_one_word(home: House, monkeypatch: pytest.MonkeyPatch) -> None:
    assert home.ok("GET", "/readyz") == {"ready": True}
    shown = home.ok("GET", "/readyz", home.operator)
    assert shown == dict.fromkeys(ready_parts(home.system), True)
    assert shown.keys() & DEGRADED == {"key-domains", "backup", "jobs", "mirror"}  # others where they are set up


def test_every_reading_can_be_taken(home: House) -> None:
    with within(SYSTEM):
        taken = {one.name: one.values() for one in readings(home.system, lambda: {"log": True})}
    assert len(taken) > 15
    assert all(isinstance(number, int | float) for values in taken.values() for number in values.values())


def seeded(home: House) -> str:
    """Looks of yesterday, and its day."""
    base = home.system.base
    yesterday = epoch_ms(base.clock.now()) // DAY_MS * DAY_MS - DAY_MS
    with base.database.write() as connection:
        for hour in range(24):
            for minute in range(3):
                available = (hour, minute) != (7, 1)
                at = yesterday + hour * HOUR_MS + minute * 60_000
                samples.add(connection, Look("sign-in", at, available, 12), 60)
    return day_of(yesterday)


@pytest.fixture(scope="module")
def signed(home: House) -> str:
    """Yesterday, looked at and signed; the view of before is not shown on."""
    day, availability = seeded(home), home.installation.troth.availability
    assert home.call("GET", f"/v1/status/{day}/entry").status_code == 404
    assert (availability.days.sign(), availability.days.sign()) == (1, 0)
    availability.operations._last = None
    return day


def test_a_day_is_signed_once_and_proven_to_a_stranger(home: House, signed: str) -> None:
    day, system = signed, home.system
    system.base.sequencer.flush()
    leaf = home.call("GET", f"/v1/status/{day}/entry").content
    proof = home.ok("GET", f"/v1/status/{day}/proof").text
    status = home.ok("GET", "/v1/status")
    verify_proof(proof, leaf, status["key"])
    with pytest.raises(IntegrityError):
        verify_proof(proof, leaf.replace(b'"sign-in.available":71', b'"sign-in.available":72'),
                     status["key"])  # fmt: skip
    assert b'"sign-in.available":71,"sign-in.due":1440,"sign-in.looks":72' in leaf
    assert [one["signed"] for one in status["days"] if one["figures"]["day"] == day] == [True]
    assert home.call("GET", "/v1/status/2031-01-01/proof").status_code == 404
    assert home.call("GET", "/v1/status/operator/proof").status_code == 422


def test_the_page_shows_gaps_failures_and_proofs(home: House, signed: str) -> None:
    day = signed
    page = home.client.get("/status", headers={"accept": "text/html"})
    assert page.status_code == 200
    assert f"/v1/status/{day}/proof" in page.text
    assert "no data" in page.text
    assert "89 days without data" in page.text
    assert page.text.count('class="fill-kept"') == 1


def test_metrics_and_docs_agree(home: House) -> None:
    """Every metric stands in the how-to, and every name there is a metric."""
    from troth.telemetry.metrics import Meter  # noqa: PLC0415

    guide = Path(__file__).parents[2] / "docs/how-to/watch-it-run.md"
    names = {one.name for one in readings(home.system, dict)} | {"troth_scrape_failures"}
    for family in Meter().registry.collect():
        names.add(f"{family.name}_total" if family.type == "counter" else family.name)
    told = {line.split("`")[1] for line in guide.read_text().splitlines() if line.startswith("| `troth_")}
    assert told == names
