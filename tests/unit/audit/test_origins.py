from __future__ import annotations

from log_world import TestKey
from troth.audit.origins import Origins


def test_each_log_has_a_key_name_of_its_own(key: TestKey) -> None:
    origins = Origins.of(key)
    assert origins.origin("operator") == "troth.test/log/operator"
    assert origins.key("a").name == origins.origin("a")
    assert str(origins.key("a")) != str(origins.key("b"))
    assert Origins.of(key, "audit.example").origin("a") == "audit.example/log/a"
