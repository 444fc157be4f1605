from __future__ import annotations

import pytest

from log_world import TestKey
from troth.audit.checkpoint import Checkpoint, open_checkpoint, signed
from troth.audit.note import VerifierKey
from troth.kernel.errors import IntegrityError

ROOT = bytes(range(32))


def test_a_checkpoint_reads_back_under_its_key(key: TestKey) -> None:
    vkey = VerifierKey("troth.test/log/a", key.public_key)
    checkpoint = Checkpoint("troth.test/log/a", 7, ROOT)
    note = signed(checkpoint, vkey, key.sign(checkpoint.text().encode()))
    assert open_checkpoint(note, vkey) == checkpoint


def test_the_origin_must_be_the_name_of_the_key(key: TestKey) -> None:
    vkey = VerifierKey("troth.test/log/a", key.public_key)
    checkpoint = Checkpoint("troth.test/log/b", 7, ROOT)
    note = signed(checkpoint, vkey, key.sign(checkpoint.text().encode()))
    with pytest.raises(IntegrityError) as caught:
        open_checkpoint(note, vkey)
    assert caught.value.code == "wrong-log"


def test_malformed_texts() -> None:
    good = Checkpoint("o", 0, ROOT).text()
    assert Checkpoint.parse(good).size == 0
    origin, size, root, _ = good.split("\n")
    for text in (
        "",
        f"{origin}\n{size}\n{root}",
        f"{good}extension\n",
        f"\n{size}\n{root}\n",
        f"{origin}\n00\n{root}\n",
        f"{origin}\n-1\n{root}\n",
        f"{origin}\n\u0661\n{root}\n",
        f"{origin}\n{'9' * 19}\n{root}\n",
        f"{origin}\n{size}\nAAAA\n",
        f"{origin}\n{size}\n!{root}\n",
    ):
        with pytest.raises(IntegrityError):
            Checkpoint.parse(text)
