"""What leaves a room: the report of its period, of its promises alone, unless the whole one was asked for."""

from __future__ import annotations

import hashlib
import io
import json
import zipfile
from typing import Any, cast

import pytest

from check_world import check
from period_world import PeriodWorld
from troth.kernel.operation import Binary
from troth.promises.period.building import report_of
from troth.promises.period.bundle import zipped
from troth.promises.period.operations import PeriodOperations
from troth.promises.period.report import PeriodReport
from troth.promises.room_papers import RoomPapers, narrowed
from troth.promises.runner import Runner
from troth.promises.status import Period
from troth.promises.waiving import Waiver

INSIDE, OUTSIDE = "CRY-01", "CRY-02"  # of the first check of the world, and of the second
WAIVERS = tuple(
    Waiver(f"rec_{one}", one, "check-000", "why", "instead", "usr_a", "usr_b", 0, 2**52) for one in (INSIDE, OUTSIDE)
)
WORLD = PeriodWorld(checks=2, days=2, waivers=WAIVERS)


class Periods:
    """The reports of one world, for whatever period they are asked."""

    def found(self, period: Period, tenant: str | None) -> tuple[PeriodReport, dict[str, bytes]]:
        return report_of(WORLD.gathered())

    def packed(self, period: Period, tenant: str | None, now: int) -> tuple[bytes, str]:
        return zipped(self.found(period, tenant)[1]), ""


class Checks:
    checks = (check("check-000", (INSIDE, OUTSIDE)), check("check-001", (OUTSIDE,)))


def taken(paper: str) -> tuple[Binary, str]:
    papers = RoomPapers(cast("PeriodOperations", Periods()), lambda: cast("Runner", Checks()), "troth.test")
    return papers.made(paper, (WORLD.period.start, WORLD.period.end), {INSIDE}, tenant="ten_a", at=WORLD.period.end)


def test_a_narrowed_report_names_nothing_else() -> None:
    whole, _ = report_of(WORLD.gathered())
    report = narrowed(whole, {INSIDE})
    assert [one.check for one in report.checks] == ["check-000"]
    assert [one.id for one in report.waivers] == [f"rec_{INSIDE}"]
    assert (report.expected, report.events, report.root) == (whole.checks[0].expected, 0, whole.root)
    assert {one.check for one in report.changes} == {"check-000"}
    assert OUTSIDE not in json.dumps(report.plain())


def test_oscal_of_a_room_names_nothing_else() -> None:
    made, digest = taken("oscal")
    assert (made.filename, made.media_type) == ("period-2026-03-01-2026-03-03-oscal.zip", "application/zip")
    assert hashlib.sha256(made.content).hexdigest() == digest
    with zipfile.ZipFile(io.BytesIO(made.content)) as archive:
        texts: list[Any] = [archive.read(one).decode() for one in archive.namelist()]
    assert len(texts) == 8
    assert any(INSIDE.lower() in one for one in texts)
    assert not any(word in one for one in texts for word in (OUTSIDE, OUTSIDE.lower(), "check-001"))


@pytest.mark.parametrize(("paper", "head"), [("pdf", b"%PDF-1."), ("bundle", b"PK\x03\x04")])
def test_other_papers(paper: str, head: bytes) -> None:
    made, digest = taken(paper)
    assert made.content.startswith(head)
    assert (taken(paper)[1], made.filename) == (
        digest,
        f"period-2026-03-01-2026-03-03.{'zip' if paper == 'bundle' else paper}",
    )
