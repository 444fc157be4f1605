"""The map of an installation: its own days, and the vendors that may be sent something."""

from __future__ import annotations

from troth.gateway.vendors.local_studio import LOCAL_STUDIO
from troth.gateway.vendors.record import State
from troth.governance.data_map.live import live, supplier_of
from troth.governance.data_map.reading import shipped
from troth.settings.load import Settings


def test_days_come_from_the_settings() -> None:
    shorter = Settings().retention.model_copy(update={"user_generated_days": 7})
    settings = Settings().model_copy(update={"retention": shorter})
    found = live(shipped(), settings, [])
    assert next(one for one in found.activities if one.id == "answers").retention[0].days == 7
    named = [term.setting for one in shipped().activities for term in one.retention if term.setting]
    assert len(named) >= 4
    default = live(shipped(), Settings(), [])
    assert [one.retention for one in default.activities] == [one.retention for one in shipped().activities]


def test_vendors_that_are_approved_stand_in_it_by_id_and_no_others() -> None:
    draft = LOCAL_STUDIO.model_copy(update={"id": "a-draft", "state": State.DRAFT})
    other = LOCAL_STUDIO.model_copy(update={"id": "a-first"})
    found = live(shipped(), Settings(), [LOCAL_STUDIO, draft, other])
    assert [one.id for one in found.suppliers] == ["a-first", LOCAL_STUDIO.id]
    told = supplier_of(LOCAL_STUDIO)
    assert told.models == tuple(dict.fromkeys(offer.model for offer in LOCAL_STUDIO.facts.offers))
    assert told.regions == ("here",)
