"""Listing and replicating key domains, through the operations."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest
from pydantic import ValidationError

from root_world import Provider, library, tree_over
from troth.kernel.data_class import DataClass
from troth.kernel.errors import Unavailable
from troth.kernel.operation import Call
from troth.keys.domain_operations import KeyDomainOperations, Nothing, Retirement
from troth.keys.domains import Domain
from troth.keys.roots.module import Worker
from troth.keys.tree import UnitRequest
from troth.storage.blobs import LocalBlobs
from troth.storage.database import Database
from worlds import person


def test_a_domain_that_is_added_gets_pages_and_root(tmp_path: Path) -> None:
    old, new = (Provider(kind, tmp_path / kind) for kind in ("local", "pkcs11"))
    first = tree_over(tmp_path, [old.root()])
    first.resume()
    (unit,) = first.units([UnitRequest("ten_a", "usr_a", DataClass.USER_GENERATED, None)])
    roots = [old.root(), new.root()]
    tree = tree_over(tmp_path, roots)
    tree.resume()
    with pytest.raises(Unavailable):
        tree.verify()

    database = Database(f"sqlite:///{tmp_path}/troth.db")
    domains = [Domain(root, LocalBlobs(tmp_path / f"copies-{root.domain}")) for root in roots]
    operations = KeyDomainOperations(database, domains, "eu", tree)
    call = Call(person("operator"), "req_1", datetime.now(UTC))
    done = operations.replicate(call, Nothing())
    assert (done.epoch, len(done.roots_destroyed)) == (2, 1)
    assert call.facts == {"epoch": 2, "count": 1}
    assert tree.verify() == 1
    assert tree_over(tmp_path, [new.root()]).key(unit.id) == unit

    listed = operations.list(call, Nothing())
    assert [(one.kind, one.present, one.roots[0].epoch) for one in listed.domains] == [
        ("local", 1, 2),
        ("pkcs11", 1, 2),
    ]
    assert call.facts["count"] == 2
    database.close()


def test_a_domain_is_retired_and_the_record_says_how(tmp_path: Path) -> None:
    providers = [Provider(kind, tmp_path / f"{kind}-{at}") for at, kind in enumerate(("local", "pkcs11", "local"))]
    roots = [one.root() for one in providers]
    tree = tree_over(tmp_path, roots)
    tree.resume()
    database = Database(f"sqlite:///{tmp_path}/troth.db")
    domains = [Domain(root, LocalBlobs(tmp_path / f"copies-{root.domain}")) for root in roots]
    operations = KeyDomainOperations(database, domains, "eu", tree)
    call = Call(person("operator"), "req_1", datetime.now(UTC))
    done = operations.retire(call, Retirement(domain=providers[2].domain))
    assert (done.epoch, len(done.roots_destroyed), done.lost) == (2, 3, ())
    assert call.facts == {"kinds": providers[2].domain, "reason": "retired", "epoch": 2, "count": 3}
    providers[1].away()
    Worker.of(library())._restart()
    call = Call(person("operator"), "req_2", datetime.now(UTC))
    lost = operations.retire(call, Retirement(domain=providers[1].domain, lost=True))
    assert (len(lost.roots_destroyed), lost.lost) == (1, (providers[1].domain,))
    assert call.facts["reason"] == "lost"
    shown = {one.domain: (one.answers, one.given_up) for one in operations.list(call, Nothing()).domains}
    assert shown[providers[1].domain] == ("hsm-offline", "lost")
    assert shown[providers[0].domain] == ("yes", None)
    database.close()


@pytest.mark.parametrize("name", ["", "../roots", "UPPER", "a" * 32, "two words"])
def test_a_domain_has_a_name_as_in_the_settings(name: str) -> None:
    with pytest.raises(ValidationError):
        Retirement(domain=name)
