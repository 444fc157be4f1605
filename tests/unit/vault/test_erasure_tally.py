"""Counting page by page gives what counting at once would."""

from __future__ import annotations

from dataclasses import replace

from troth.kernel.outside import OutsideCopy
from troth.vault.certificate import listed
from troth.vault.erasure_tally import Tally
from troth.vault.tables import ERASED, Row

ROW = Row(
    seq=1,
    id="obj_a",
    tenant="ten_a",
    subject="digest",
    data_class="system",
    jurisdiction="eu",
    kind_index=None,
    unit="00",
    period=None,
    unit_destroyed=True,
    version=1,
    blob=None,
    facts=None,
    created_at=70,
    expires_at=None,
    state=ERASED,
    erasure="ers_1",
)


def test_pages_add_up() -> None:
    shared = replace(ROW, id="obj_b", unit_destroyed=False, period="2026-12-22", created_at=50, data_class="account")
    tally = Tally()
    tally.add([ROW], 1, [OutsideCopy("one", 2, 10), OutsideCopy("two", 1, 5)])
    tally.add([shared], 0, [OutsideCopy("one", 3, None), OutsideCopy("two", 1, 9)])
    found = tally.result()
    assert found["objects"] == listed(["obj_a", "obj_b"]).model_dump(mode="json")
    assert (found["by_key"]["identifiers"], found["by_deletion"]["identifiers"]) == (["obj_a"], ["obj_b"])
    assert (found["until"], found["oldest"], found["blobs"]) == ("2026-12-22", 50, 1)
    assert found["classes"] == {"system": 1, "account": 1}
    assert found["erasures"] == ["ers_1"]
    assert found["vendors"] == [
        {"vendor": "one", "requests": 5, "until": None},  # no stated end beats any
        {"vendor": "two", "requests": 2, "until": 9},
    ]


def test_an_earlier_copy_under_a_key_that_stands_is_no_destruction_by_key() -> None:
    tally = Tally()
    tally.add([ROW], 1, [], earlier={"obj_a": "2026-12-24"}, completes=["ers_2"])
    found = tally.result()
    assert (found["by_key"]["count"], found["by_deletion"]["identifiers"]) == (0, ["obj_a"])
    assert (found["until"], found["erasures"]) == ("2026-12-24", ["ers_1", "ers_2"])


def test_of_nothing_there_is_nothing() -> None:
    found = Tally().result()
    assert (found["objects"]["count"], found["oldest"], found["until"], found["vendors"]) == (0, None, "", [])
