"""A stranger with a copy of the log draws again what a review drew."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from review_office import ADA, EVE, LOG, Office
from troth.audit.export import export_log
from troth.audit.log import LogPublisher
from troth.audit.log_source import folder
from troth.audit.review.messages import ReviewOpened
from troth.audit.review.queue import Reviewer
from troth.audit.review.redraw import redraw
from troth.cli.audit_reviews import reviews as command
from troth.kernel.errors import IntegrityError


@pytest.fixture
def shown(office: Office, by: Reviewer, tmp_path: Path) -> ReviewOpened:
    """A review of nine acts, and a copy of the log in `copy`."""
    for operation in ("hold.lift", "user.create", "object.open", "user.list"):
        for _ in range(3):
            office.act(operation, ADA)
    review = office.reviews.open(by)
    office.sequence()
    export_log(partial(LogPublisher(office.world.database).resource, LOG), tmp_path / "copy")
    return office.tables.opened(LOG, review.id, EVE)


def test_the_same_acts_are_drawn_again(shown: ReviewOpened, tmp_path: Path) -> None:
    assert redraw(folder(tmp_path / "copy"), shown) == len(shown.drawn) == 3 + 2 + 1


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"seed": "00" * 32}, "review-differs"),
        ({"root": "00" * 32}, "review-differs"),
        ({"first": 1}, "review-differs"),
        ({"size": 11}, "review-differs"),
        ({"sample": 1}, "review-differs"),
        ({"acts": 8}, "review-differs"),
        ({"weights": "00" * 32}, "review-differs"),
        ({"id": "rev_aaaa"}, "review-unrecorded"),
    ],
)
def test_a_review_that_says_something_else_is_refused(
    shown: ReviewOpened, tmp_path: Path, change: dict[str, Any], code: str
) -> None:
    bent = shown.model_copy(update={"review": shown.review.model_copy(update=change)})
    with pytest.raises(IntegrityError) as refusal:
        redraw(folder(tmp_path / "copy"), bent)
    assert refusal.value.code == code


def test_an_act_left_out_of_the_draw_is_seen(shown: ReviewOpened, tmp_path: Path) -> None:
    with pytest.raises(IntegrityError, match="other acts"):
        redraw(folder(tmp_path / "copy"), shown.model_copy(update={"drawn": shown.drawn[1:]}))


def test_the_command(office: Office, shown: ReviewOpened, tmp_path: Path) -> None:
    file = tmp_path / "review.json"
    file.write_text(shown.model_dump_json())
    copy = str(tmp_path / "copy")
    done = CliRunner().invoke(command, ["redraw", copy, "--review", str(file), "--key", office.world.vkey(LOG)])
    assert done.output == "The review of entries 0 to 11 fits the log: 6 of 9 acts drawn again.\n"
    assert "not verified" in CliRunner().invoke(command, ["redraw", copy, "--review", str(file)]).output
    file.write_text("{}")
    assert CliRunner().invoke(command, ["redraw", copy, "--review", str(file)]).exit_code == 1
