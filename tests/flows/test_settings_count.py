"""A setting that nobody reads is a promise that nobody keeps."""

from __future__ import annotations

import re
from pathlib import Path

from house import House, house
from troth.promises.checks import all_checks
from troth.settings.load import Settings

SOURCES = Path(__file__).parents[2] / "src" / "troth"
HOUR, DAY = 3_600_000, 86_400_000


def test_every_setting_is_read_outside_settings() -> None:
    code = "\n".join(path.read_text() for path in SOURCES.rglob("*.py") if "settings" not in path.parts)
    unread = [
        f"{section}.{name}"
        for section, field in Settings.model_fields.items()
        for name in field.annotation.model_fields  # type: ignore[union-attr]
        if not re.search(rf"\.{name}\b", code)
    ]
    assert unread == []


def _shortened() -> dict[str, dict[str, float]]:
    return {
        "identity": {"session_hours": 1, "idle_minutes": 5, "key_days": 2},
        "retention": {"user_generated_days": 3},
        "audit": {"checkpoint_seconds": 0.2},
    }


def test_shorter_lives_count(tmp_path: Path) -> None:
    with house(tmp_path, **_shortened()) as home:
        owner = home.tenant("short")
        session = home.ok("GET", "/v1/sessions", owner.headers)["sessions"][0]
        assert session["expires_at"] - session["created_at"] == HOUR
        refused = home.call("POST", "/v1/keys", owner.headers, name="long", scopes=["generate"], days=3)
        assert refused.json()["code"] == "bad-lifetime"
        kept = home.system.vault.objects.info(owner.tenant, owner.id, home.picture(owner)["object"])
        assert kept.expires_at == kept.created_at + 3 * DAY
        _checks_agree(home)


def _checks_agree(home: House) -> None:
    (check,) = [one for one in all_checks() if one.id == "limit-of-each-class"]
    run = home.installation.troth.runner.run(check)
    assert (run.result.value, run.control.value) == ("pass", "fail")
