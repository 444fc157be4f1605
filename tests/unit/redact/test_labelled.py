"""What is left in documents that people marked."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from troth.kernel.errors import Conflict, Invalid, Malformed, NotFound
from troth.redact.consent import NoSubjects
from troth.redact.dataset import DatasetJob, redact_dataset
from troth.redact.detect import rules_detector
from troth.redact.intervals import lower
from troth.redact.labelled import labels_taken_out, read_labelled, sample_bound
from troth.redact.manifest import MANIFEST, LocalSigner
from troth.redact.policy import Policy, training_policy
from troth.redact.report import as_html, as_text

SIGNER = LocalSigner(Ed25519PrivateKey.from_private_bytes(b"s" * 32))
SEEN = {"text": "Mail maria@example.org now.", "spans": [{"start": 5, "end": 22, "label": "EMAIL"}]}
UNSEEN = {"text": "ask quentin about it", "spans": [{"start": 4, "end": 11, "label": "PERSON"}]}
KEPT = {"text": "on 2024-05-17", "spans": [{"start": 3, "end": 13, "label": "DATE"}]}


def sample(path: Path, *documents: Any) -> Path:
    path.write_text("".join(json.dumps(one) + "\n" for one in documents))
    return path


def test_the_bound(tmp_path: Path) -> None:
    read = read_labelled(sample(tmp_path / "s.jsonl", *[SEEN] * 30, UNSEEN, KEPT))
    bound = sample_bound(read, rules_detector(), training_policy())
    assert (bound.planted, bound.left) == (31, 1)
    assert bound.recall_lower == lower(30, 31, 0.95)
    assert bound.leak_upper == 1 - bound.recall_lower


def test_half_of_a_value_is_a_leak_and_a_tip_is_none(tmp_path: Path) -> None:
    text = "maria@example.org and so on"
    wide = {"text": text, "spans": [{"start": 0, "end": 24, "label": "EMAIL"}]}
    wider = {"text": text + " and on and on", "spans": [{"start": 0, "end": 34, "label": "EMAIL"}]}
    read = read_labelled(sample(tmp_path / "s.jsonl", wide, wider))
    assert sample_bound(read, rules_detector(), training_policy()).left == 1


def test_a_value_that_stands_often_in_one_document_is_one_trial(tmp_path: Path) -> None:
    text = "quentin saw maria@example.org, quentin saw MARIA@example.org"
    spans = [{"start": a, "end": b, "label": n} for a, b, n in
             [(0, 7, "PERSON"), (12, 29, "EMAIL"), (31, 38, "PERSON"), (43, 60, "EMAIL")]]  # fmt: skip
    bound = sample_bound(read_labelled(sample(tmp_path / "s.jsonl", {"text": text, "spans": spans})),
                         rules_detector(), training_policy())  # fmt: skip
    assert (bound.planted, bound.left) == (2, 1)


def test_two_halves_that_are_left_are_a_value_that_is_left(tmp_path: Path) -> None:
    text = "ask quentin about a@b.org and quentin"
    one = {"text": text, "spans": [{"start": 4, "end": len(text), "label": "PERSON"}]}
    read = read_labelled(sample(tmp_path / "s.jsonl", one))
    assert sample_bound(read, rules_detector(), training_policy()).left == 1


def test_only_what_the_policy_takes_out_is_asked_for(tmp_path: Path) -> None:
    assert {"EMAIL", "PERSON", "ID"} <= labels_taken_out(training_policy())
    assert not {"DATE", "ORG", "JOB"} & labels_taken_out(training_policy())
    read = read_labelled(sample(tmp_path / "s.jsonl", KEPT))
    with pytest.raises(Invalid) as caught:
        sample_bound(read, rules_detector(), training_policy())
    assert caught.value.code == "sample-empty"


@pytest.mark.parametrize(
    "bad",
    [
        [],
        {"text": 3, "spans": []},
        {"text": "abc", "spans": [{"start": 0, "end": 9, "label": "EMAIL"}]},
        {"text": "abc", "spans": [{"start": 2, "end": 2, "label": "EMAIL"}]},
        {"text": "abc", "spans": [{"start": 0.5, "end": 2, "label": "EMAIL"}]},
        {"text": "abc", "spans": [{"start": 0, "end": 2, "label": "SHOE"}]},
        {"text": "abc", "spans": [{"start": 0, "end": 2}]},
        {"text": "abc"},
    ],
)
def test_a_sample_that_is_none(tmp_path: Path, bad: Any) -> None:
    with pytest.raises(Malformed, match=r"Line 2 ") as caught:
        read_labelled(sample(tmp_path / "s.jsonl", SEEN, bad))
    assert "abc" not in str(caught.value)


def test_no_sample(tmp_path: Path) -> None:
    with pytest.raises(NotFound):
        read_labelled(tmp_path / "none.jsonl")


def made(folder: Path, labelled: Path | None, policy: Policy) -> dict[str, Any]:
    (folder / "in.jsonl").write_text('{"text": "The pump is loud. Nobody came."}\n' * 3)
    gate = NoSubjects("The rows are invented for this test.")
    job = DatasetJob(
        source_path=folder / "in.jsonl",
        output=folder / "out",
        name="t",
        source="invented",
        licence="CC0-1.0",
        policy=policy,
        gate=gate,
        root_key=b"r" * 32,
        format="jsonl",
        workers=1,
        canaries=45,
        labelled=labelled,
    )
    return redact_dataset(job, SIGNER)


def test_in_the_manifest_and_in_words(tmp_path: Path) -> None:
    labelled = sample(tmp_path / "s.jsonl", *[SEEN] * 60, KEPT)
    predicate = made(tmp_path, labelled, training_policy())
    assert predicate["sample"] | {"sha256": ""} == {
        "values": 60,
        "left": 0,
        "recall_lower": 0.951297,
        "leak_upper": 0.048703,
        "confidence": 0.95,
        "labels": ["EMAIL"],
        "documents": 61,
        "sha256": "",
    }
    words = (
        "at most 4.88 % of personal values marked EMAIL are left, with 95 % confidence (0 of 60 were), by this "
        "sample of 61 documents, which are taken as drawn at random from the set; other labels were not measured"
    )
    assert words in as_text(predicate)
    assert words in as_html(predicate)
    assert "at most 6.45 % of values as they were planted are left, with 95 % confidence (0 of 45 were)" in as_text(
        predicate
    )


def test_a_bound_beyond_the_limit_is_not_signed(tmp_path: Path) -> None:
    labelled = sample(tmp_path / "s.jsonl", *[SEEN] * 60, *[UNSEEN] * 6)
    with pytest.raises(Conflict, match="6 of 66") as caught:
        made(tmp_path, labelled, training_policy())
    assert caught.value.code == "leak-bound"
    assert not (tmp_path / "out" / MANIFEST).exists()
    lax = training_policy().model_copy(update={"min_recall": 0.8})
    assert made(tmp_path, labelled, lax)["sample"]["left"] == 6


def test_without_a_sample_the_report_says_so(tmp_path: Path) -> None:
    predicate = made(tmp_path, None, training_policy())
    assert "sample" not in predicate
    assert "was not measured" in as_text(predicate)
