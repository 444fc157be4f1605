"""Named deployment secrets."""

from __future__ import annotations

from pathlib import Path

from troth.keys.secrets import Secrets


def test_secrets_stay_and_differ_by_name_and_deployment(tmp_path: Path) -> None:
    one, again, other = (Secrets.open(tmp_path / name) for name in ("a", "a", "b"))
    assert one.named("blind-index") == again.named("blind-index")
    values = {one.named("blind-index"), one.named("session-pepper"), other.named("blind-index")}
    assert len(values) == 3
    assert {len(value) for value in values} == {32}
    assert (tmp_path / "a" / "deployment.secret").stat().st_mode & 0o777 == 0o600
    assert (tmp_path / "a" / "deployment.secret").read_bytes() not in values
