"""What operators see of the key domains."""

from __future__ import annotations

from pathlib import Path

from root_world import Provider, tree_over
from troth.keys.domain_view import SHOWN, domains_shown
from troth.keys.domains import Domain
from troth.storage.blobs import LocalBlobs
from troth.storage.database import Database


def test_kind_assurance_answer_and_roots_with_states_and_times(tmp_path: Path) -> None:
    providers = [Provider(kind, tmp_path / kind) for kind in ("local", "pkcs11")]
    roots = [one.root() for one in providers]
    tree = tree_over(tmp_path, roots)
    tree.resume()
    tree.rotate()
    database = Database(f"sqlite:///{tmp_path}/troth.db")
    domains = [Domain(one, LocalBlobs(tmp_path / "copies")) for one in roots]

    shown = domains_shown(database, domains, "eu").domains
    assert [(one.domain, one.kind, one.assurance, one.answers, one.present) for one in shown] == [
        (providers[0].domain, "local", "A0", "yes", 1),
        (providers[1].domain, "pkcs11", "A0", "yes", 1),
    ]
    for one in shown:
        newest, old = one.roots
        assert (newest.epoch, newest.state, newest.destroyed_at, newest.evidence) == (2, "active", None, None)
        assert (old.epoch, old.state) == (1, "destroyed")
        assert old.created_at <= (old.activated_at or 0) <= (old.destroyed_at or 0)
        assert "canary:refused" in str(old.evidence)
    assert domains_shown(database, domains, "us").domains[0].roots == ()
    database.close()


def test_a_domain_that_is_away_is_shown_with_its_refusal_and_one_without_a_setting_too(tmp_path: Path) -> None:
    providers = [Provider(kind, tmp_path / kind) for kind in ("local", "pkcs11")]
    tree_over(tmp_path, [one.root() for one in providers]).resume()
    database = Database(f"sqlite:///{tmp_path}/troth.db")
    providers[1].away()
    fresh = Domain(providers[1].root(), LocalBlobs(tmp_path / "copies"))
    away, forgotten = domains_shown(database, [fresh], "eu").domains
    assert (away.answers, away.assurance, away.present) == ("hsm-offline", "unknown", None)
    assert [one.state for one in away.roots] == ["active"]
    assert (forgotten.domain, forgotten.kind, forgotten.answers) == (providers[0].domain, "not set up", "no")
    providers[1].back()
    database.close()


def test_only_the_newest_roots_are_listed(tmp_path: Path) -> None:
    provider = Provider("local", tmp_path / "local")
    root = provider.root()
    tree = tree_over(tmp_path, [root])
    tree.resume()
    for _ in range(SHOWN + 2):
        tree.rotate()
    database = Database(f"sqlite:///{tmp_path}/troth.db")
    (shown,) = domains_shown(database, [Domain(root, LocalBlobs(tmp_path / "copies"))], "eu").domains
    assert [one.epoch for one in shown.roots] == list(range(SHOWN + 3, 3, -1))
    database.close()
