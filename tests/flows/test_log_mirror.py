"""A second mirror of the log, the policy of pruning, and what strangers are told of both."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from house import House
from troth.audit.verify import verify_log
from troth.kernel.errors import Denied, Invalid, Unavailable
from troth.kernel.record import Entry, Outcome
from troth.settings.load import Settings, load
from troth.wiring import opened
from troth.wiring.log_places import far_mirror


def settings(root: Path, **mirror: object) -> Settings:
    place = {"jurisdiction": "eu", "folder": root / "far"} | mirror
    return load(data={"folder": root / "data", "keys": root / "keys"}, audit={"mirror": place})


def test_the_second_region_has_every_log_and_refills_when_it_is_new(tmp_path: Path) -> None:
    with opened(settings(tmp_path)) as troth:
        troth.system.base.outbox.record(
            Entry("operator", "test.work", "event", Outcome.DONE, "req_a", "svc_a", None, 1)
        )
        troth.system.base.sequencer.flush()
        key = str(troth.system.base.sequencer.origins.key("operator"))
        size = verify_log(tmp_path / "far/tlog/operator", key).size
        assert size == troth.system.base.reader.head("operator").size
        lines = troth.system.vault.stocktaking.whole().lines
        assert [(one.jurisdiction, one.count > 3) for one in lines if one.place == "log-mirror"] == [("eu", True)]
    shutil.rmtree(tmp_path / "far")
    with opened(settings(tmp_path)) as troth:
        troth.system.base.outbox.record(
            Entry("operator", "test.work", "event", Outcome.DONE, "req_b", "svc_a", None, 2)
        )
        troth.system.base.sequencer.flush()
    assert verify_log(tmp_path / "far/tlog/operator", key).size >= size + 1


@pytest.mark.parametrize(
    ("mirror", "refusal"),
    [
        ({"jurisdiction": "us"}, Denied),
        ({"folder": "data/inside"}, Invalid),
        ({"folder": None, "bucket": "b"}, Invalid),
        ({"folder": "other"}, Unavailable),
    ],
)
def test_a_mirror_that_may_not_be_used_is_refused_at_the_start(
    tmp_path: Path, mirror: dict[str, object], refusal: type[Exception]
) -> None:
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "somebody").write_text("else's")
    if isinstance(mirror.get("folder"), str):
        mirror = mirror | {"folder": tmp_path / str(mirror["folder"])}
    with pytest.raises(refusal):
        far_mirror(settings(tmp_path, **mirror))


def test_without_a_policy_nothing_is_pruned_and_the_policy_is_published(home: House) -> None:
    assert home.call("GET", "/.well-known/troth.json").json()["logs"]["keep_days"] is None
    refused = home.call("POST", "/v1/log-pruning", home.operator)
    assert (refused.status_code, refused.json()["code"]) == (422, "keep-for-ever")
    assert home.call("GET", "/v1/log/minimum", home.operator).content == b"0\n"
