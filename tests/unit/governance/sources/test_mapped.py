"""The record of processing out of the data map."""

from __future__ import annotations

from pathlib import Path

from troth.governance.data_map.own import map_of
from troth.governance.data_map.reading import shipped as the_map
from troth.governance.forms.reading import shipped
from troth.governance.looking import Look
from troth.governance.sources.mapped import Activities
from troth.governance.sources.port import as_record
from troth.governance.standing import standing
from troth.vault.rights.clocks import Calendar

OWN = Path(__file__).parents[3] / "flows" / "own_activities.yaml"
NOW = 1_790_000_000_000


def test_every_activity_of_the_map_says_all_that_article_30_asks_for() -> None:
    form, kept = shipped()["activities"], Activities("eu").kept("ten_a", NOW, Calendar())
    records = [as_record(form, one) for one in kept]
    assert len({one.id for one in records}) == len(the_map().activities)
    assert standing(form, records, (), Look(NOW)).broken == 0
    assert all(one.values[name] for one in records for name in form.fields)


def test_what_a_deployment_does_beyond_troth_stands_among_them() -> None:
    kept = Activities("eu", map_of(OWN)).kept("ten_a", NOW, Calendar())
    assert [one.values["purpose"] for one in kept][-1] == "to send you our news"
