"""Giving a key domain up: destroyed and confirmed, or stated to be lost."""

from __future__ import annotations

from pathlib import Path

import pytest

from key_world import History
from root_world import Provider, tree_over
from troth.kernel.data_class import DataClass
from troth.kernel.errors import Conflict, NotFound, Unavailable
from troth.keys.domain_view import domains_shown
from troth.keys.domains import Domain
from troth.keys.tree import KeyTree, UnitRequest
from troth.keys.units import address
from troth.storage.blobs import LocalBlobs
from troth.storage.database import Database

LOCAL, TOKEN = 0, 1


class Two:
    """A tree over a folder and a token, with Ada's and Bob's unit."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.providers = [Provider(kind, folder / kind) for kind in ("local", "pkcs11")]
        self.tree = self.started(LOCAL, TOKEN)
        requests = [UnitRequest("ten_a", person, DataClass.USER_GENERATED, None) for person in ("usr_a", "usr_b")]
        self.ada, self.bob = self.tree.units(requests)

    def name(self, which: int) -> str:
        return self.providers[which].domain

    def started(self, *which: int) -> KeyTree:
        tree = tree_over(self.folder, [self.providers[one].root() for one in which])
        tree.resume()
        self.tree = tree
        return tree

    def remember(self, history: History) -> None:
        """Every page and manifest in the database and in all copies."""
        history.add_sqlite_file(self.folder / "troth.db", self.folder / "stolen")
        for copies in self.folder.glob("copies-*"):
            files = [path for path in copies.rglob("*") if path.is_file() and not path.name.startswith(".")]
            history.add_blobs({str(path.relative_to(copies)): path.read_bytes() for path in files})

    def given_up(self, *which: int) -> dict[str, str | None]:
        database = Database(f"sqlite:///{self.folder}/troth.db")
        domains = [Domain(self.providers[one].root(), LocalBlobs(self.folder / "copies")) for one in which]
        shown = domains_shown(database, domains, "eu").domains
        database.close()
        return {one.domain: one.given_up for one in shown}


@pytest.fixture
def two(tmp_path: Path) -> Two:
    return Two(tmp_path)


def refused(kind: type[Exception], tree: KeyTree, domain: str, *, lost: bool) -> str:
    with pytest.raises(kind) as refusal:
        tree.retire(domain, lost=lost)
    return str(refusal.value.code)  # type: ignore[attr-defined]


def test_one_that_answers_has_its_roots_destroyed_and_confirmed_first(two: Two) -> None:
    done = two.tree.retire(two.name(TOKEN))
    assert {one.domain for one in done.roots} == {two.name(LOCAL), two.name(TOKEN)}
    assert all("canary:refused" in one.evidence for one in done.roots)
    assert done.lost == ()
    assert two.providers[TOKEN].root().present() == []
    assert two.given_up(LOCAL, TOKEN) == {two.name(LOCAL): None, two.name(TOKEN): "retired"}
    for which in ((LOCAL, TOKEN), (LOCAL,)):  # whether or not the settings still name it
        proof = two.started(*which).destroy_subject("ten_a", f"usr_{len(which)}")
        assert [one.domain for one in proof.roots] == [two.name(LOCAL)]
        assert two.tree.resume() is True
    assert two.tree.key(two.bob.id) == two.bob


def test_one_that_left_the_settings_holds_the_proof_back_until_it_is_given_up(two: Two) -> None:
    tree = two.started(LOCAL)
    with pytest.raises(Unavailable):
        tree.destroy_subject("ten_a", "usr_a")
    assert tree.finish() is False
    assert refused(Conflict, tree, two.name(TOKEN), lost=False) == "key-domain-not-set"
    done = tree.retire(two.name(TOKEN), lost=True)
    assert done.lost == (two.name(TOKEN),)
    assert tree.finish() is True
    proof = tree.destroy_subject("ten_a", "usr_a")
    assert (proof.lost, {one.domain for one in proof.roots}) == ((two.name(TOKEN),), {two.name(LOCAL)})
    assert two.given_up(LOCAL) == {two.name(LOCAL): None, two.name(TOKEN): "lost"}
    assert two.started(LOCAL).destroy_subject("ten_a", "usr_b").lost == (two.name(TOKEN),), "in every later one"


def test_a_lost_one_that_is_found_has_its_roots_destroyed_and_certificates_name_it_no_more(two: Two) -> None:
    two.providers[TOKEN].away()
    tree = two.started(LOCAL, TOKEN)
    assert tree.resume() is False
    with pytest.raises(Unavailable):
        tree.retire(two.name(TOKEN))
    tree.retire(two.name(TOKEN), lost=True)
    assert two.started(LOCAL, TOKEN).resume() is True, "nobody waits for what is lost"
    assert tree.rotate().lost == (two.name(TOKEN),)
    two.providers[TOKEN].back()
    assert len(two.providers[TOKEN].root().present()) == 1
    found = two.started(LOCAL, TOKEN)
    assert two.providers[TOKEN].root().present() == []
    proof = found.destroy_subject("ten_a", "usr_a")
    assert (proof.lost, {one.domain for one in proof.roots}) == ((), {two.name(LOCAL)})


def test_what_answers_is_not_lost_and_the_last_one_stays(two: Two) -> None:
    tree, before = two.tree, two.tree.epoch
    assert refused(Conflict, tree, two.name(TOKEN), lost=True) == "key-domain-answers"
    assert refused(NotFound, tree, "never", lost=True) == "key-domain-unknown"
    assert tree.epoch == before
    tree.retire(two.name(TOKEN))
    assert refused(NotFound, tree, two.name(TOKEN), lost=False) == "key-domain-unknown"
    assert refused(Conflict, tree, two.name(LOCAL), lost=False) == "key-domain-needed"


def test_nothing_is_recorded_while_one_of_the_others_is_away(two: Two) -> None:
    two.providers[TOKEN].away()
    tree = two.started(LOCAL, TOKEN)
    assert refused(Unavailable, tree, two.name(LOCAL), lost=False) == "seal-pending"
    two.providers[TOKEN].back()
    assert two.given_up(LOCAL, TOKEN) == {two.name(LOCAL): None, two.name(TOKEN): None}


def test_who_finds_a_lost_one_with_every_page_ever_written_opens_nothing_made_later(two: Two) -> None:
    history = History()
    request = UnitRequest("ten_a", "usr_a", DataClass.USER_GENERATED, None)
    two.tree.units([request] * 600)  # so many that there are pages below the root page, which every epoch re-keys
    two.remember(history)
    tree = two.started(LOCAL)
    tree.retire(two.name(TOKEN), lost=True)
    later = {address("ten_a", "usr_a", one.id) for one in tree.units([request] * 30)}
    two.remember(history)
    found = history.secrets([two.providers[TOKEN].root()])
    assert address("ten_a", "usr_a", two.ada.id) in found, "which certificates say"
    assert later.isdisjoint(found)
    assert later <= history.secrets([two.providers[LOCAL].root()]).keys()
