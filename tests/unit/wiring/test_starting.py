"""A start leaves the digests of program and settings in the log; secrets change neither."""

from __future__ import annotations

import json
from pathlib import Path

from troth.settings.load import load
from troth.wiring import opened
from troth.wiring.starting import announce, package_digest, settings_digest


def test_the_entry_names_program_and_settings(tmp_path: Path) -> None:
    settings = load(data={"folder": tmp_path / "data", "keys": tmp_path / "keys"})
    with opened(settings) as troth:
        base = troth.system.base
        announce(base)
        base.sequencer.flush()
        newest = base.reader.entries("operator", 0, 1000, newest_first=False)
        (entry,) = [one for leaf in newest if (one := json.loads(leaf.leaf))["op"] == "service.started"]
    assert entry["facts"]["digest"] == package_digest()
    assert entry["facts"]["settings"] == settings_digest(settings)


def test_a_changed_file_or_setting_shows_and_a_secret_does_not(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text("x = 1")
    before = package_digest.__wrapped__(tmp_path)
    (tmp_path / "__pycache__").mkdir()
    (tmp_path / "__pycache__" / "a.pyc").write_text("compiled")
    assert package_digest.__wrapped__(tmp_path) == before
    (tmp_path / "a.py").write_text("x = 2")
    assert package_digest.__wrapped__(tmp_path) != before
    plain = settings_digest(load())
    assert settings_digest(load(scrub={"days": 8})) != plain
    assert settings_digest(load(mail={"relay_password": "one secret"})) == plain
