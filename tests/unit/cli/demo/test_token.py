"""The token of the demonstration: there when the machine can, silently absent when it cannot."""

from __future__ import annotations

import json
import stat
from pathlib import Path

import pytest

from troth.cli.demo import token as tokens
from troth.cli.demo.token import new_token
from troth.keys.domain_choice import domains_of
from troth.settings.key_domains import Keys
from troth.settings.sections import Data

NAME = "eu-00000001-00112233aabbccdd"


def test_a_token_of_its_own_works_from_the_environment_it_names(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    token = new_token(tmp_path / "hsm")
    assert token is not None
    assert stat.S_IMODE(token.pin_file.stat().st_mode) == 0o600
    assert token.pin_file.read_text() not in str(token.environment)
    monkeypatch.setenv("SOFTHSM2_CONF", token.environment["SOFTHSM2_CONF"])
    keys = Keys.model_validate({"domains": json.loads(token.environment["TROTH_KEYS__DOMAINS"])})
    local, hsm = domains_of(keys, Data(folder=tmp_path / "data", keys=tmp_path / "keys"))
    hsm.root.create(NAME)
    assert (local.root.assurance, hsm.root.assurance, hsm.root.kind) == ("A0", "A0", "pkcs11")
    copy = token.copied(tmp_path / "copy")
    hsm.root.destroy(NAME)
    assert str(copy.folder) in copy.configuration.read_text()
    assert list((copy.folder / "tokens").rglob("*.object"))


def test_without_softhsm_there_is_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert new_token(tmp_path / "hsm") is None
    monkeypatch.undo()
    monkeypatch.setattr(tokens, "_LIBRARIES", ("/nowhere.so",))
    assert new_token(tmp_path / "hsm") is None


def test_a_softhsm_that_does_not_work_is_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    broken = tmp_path / "bin" / "softhsm2-util"
    broken.parent.mkdir()
    broken.write_text("#!/bin/sh\nexit 1\n")
    broken.chmod(0o755)
    monkeypatch.setenv("PATH", str(broken.parent))
    assert new_token(tmp_path / "hsm") is None
