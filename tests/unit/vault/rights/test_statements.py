"""Statements stand beside what cannot be changed."""

from __future__ import annotations

import pytest

from rights_world import RightsWorld
from troth.kernel.errors import Gone, TooMany
from troth.vault.rights import statements
from vault_world import ANN, BOB, TENANT


def test_a_statement_is_sealed_listed_and_ones_own(rights: RightsWorld) -> None:
    said = rights.statements.add(TENANT, ANN, "ent_12", "Quillfeather did not ask for this.", request="req_own")
    assert [(one.id, one.about, one.text) for one in rights.statements.of(TENANT, ANN)] == [
        (said.id, "ent_12", "Quillfeather did not ask for this.")
    ]
    assert rights.statements.of(TENANT, BOB) == []
    rights.vault.database.checkpoint()
    assert not any(b"uillfeather" in content for content in rights.vault.files().values())
    assert rights.events() == ["statement.added"]


def test_statements_are_bounded(rights: RightsWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(statements, "MAX_STATEMENTS", 1)
    rights.statements.add(TENANT, ANN, "account", "One", request="req_own")
    with pytest.raises(TooMany):
        rights.statements.add(TENANT, ANN, "account", "Two", request="req_own")


def test_the_erased_say_nothing(rights: RightsWorld) -> None:
    rights.vault.keep()
    rights.vault.erase()
    with pytest.raises(Gone):
        rights.statements.add(TENANT, ANN, "account", "Still here", request="req_own")
