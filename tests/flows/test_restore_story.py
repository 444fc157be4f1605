"""The oldest backup on a clean directory: erased people stay erased, others are byte-identical."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from backup_world import Someone, World, backup_settings, opened, restore, started, world
from database_world import DATABASES, fresh_place
from troth.kernel.errors import Gone, IntegrityError, NotFound, TrothError
from troth.kernel.scope import SYSTEM, within
from troth.settings.load import Settings
from troth.wiring import Troth
from troth.wiring.backup import Target
from troth.wiring.restoring import Wish, remaining, yield_log
from troth.wiring.restoring import restore as restore_any


def _opened(troth: Troth, person: Someone) -> dict[str, bytes]:
    """What of a person's things opens."""
    found: dict[str, bytes] = {}
    for one in person.kept:
        try:
            found[one] = troth.system.vault.objects.open(person.tenant, person.subject, one)[1]
        except (Gone, NotFound):
            continue
    return found


class Story:
    """Two tenants, a first backup, then erasures of every kind and newer things, then newer backups."""

    def __init__(self, folder: Path) -> None:
        with world(folder) as home:
            self._live_through(home)
            self.settings = home.settings

    def _live_through(self, home: World) -> None:
        one, other = home.tenant("One"), home.tenant("Other")
        self.erased, self.stays = home.someone(one), home.someone(one)
        self.neighbour, self.own = home.someone(other, own=True), home.someone(other, own=True)
        self.oldest = home.backups.run().manifest.id
        home.erase(self.erased)
        self.deleted = sorted(self.stays.kept)[0]
        home.troth.system.vault.objects.delete(one, self.stays.subject, self.deleted)
        self.gone = sorted(self.own.kept)[0]
        home.erase(self.own, object_id=self.gone)
        home.backups.run()
        self.later = home.keep(self.stays)
        home.backups.run()
        self.sealed_later = home.someone(one)
        home.erase(self.sealed_later)
        home.backups.ship()

    def expected(self, person: Someone) -> dict[str, bytes]:
        """What must open after restoring the oldest backup."""
        away = {self.deleted, self.gone, self.later}
        return {one: content for one, content in person.kept.items() if one not in away}


@pytest.fixture(scope="module")
def story(tmp_path_factory: pytest.TempPathFactory) -> Story:
    return Story(tmp_path_factory.mktemp("story"))


def test_the_oldest_backup_beside_the_living_installation(story: Story, tmp_path: Path) -> None:
    settings, folder = _copied(story, tmp_path), tmp_path / "restored"
    done = restore(settings, folder, story.oldest)
    assert (done.behind, done.probed.live) == (0, done.probed.of_live)
    assert done.probed.units >= 3
    assert done.probed.erased >= 3
    with started(settings, folder) as troth:
        assert _opened(troth, story.erased) == {}
        for person in (story.stays, story.neighbour, story.own):
            assert _opened(troth, person) == story.expected(person)
        with pytest.raises(TrothError):
            troth.system.base.fields.seal(story.erased.tenant, story.erased.subject, "name", b"again")
        assert troth.ready() == {"log": True, "keys": True}
        assert troth.system.base.tree.verify() >= 0


def test_the_whole_data_folder_is_lost(story: Story, tmp_path: Path) -> None:
    """Database, mirror of the log, copies of the key pages: all gone. Keys and places are there."""
    settings = _copied(story, tmp_path)
    shutil.rmtree(settings.data.folder)
    with pytest.raises(IntegrityError) as refused:
        restore(settings, tmp_path / "restored", story.oldest)
    assert refused.value.code == "log-behind"  # what was signed after the newest backup is lost, and that is said
    assert not list(tmp_path.glob("restored*"))
    done = restore(settings, tmp_path / "restored", story.oldest, accept_lost_log=True)
    assert done.behind > 0
    with remaining(settings) as left:
        yield_log(left, tmp_path / "restored")
    with started(settings, tmp_path / "restored") as troth:
        assert _opened(troth, story.erased) == {}
        for person in (story.stays, story.neighbour, story.own):
            assert _opened(troth, person) == story.expected(person)


def test_only_the_database_is_lost(story: Story, tmp_path: Path) -> None:
    """An erasure after the newest backup is in no ledger any more; the log and the key tree know of it."""
    settings = _copied(story, tmp_path)
    with started(settings, settings.data.folder) as troth:
        someone = story.neighbour
        erasures = troth.system.vault.erasures
        assert erasures.request(someone.tenant, someone.subject, actor=someone.subject, request="req_x").state == "done"
    for path in settings.data.folder.glob("troth.db*"):
        path.unlink()
    done = restore(settings, tmp_path / "restored", story.oldest)
    assert (someone.tenant, someone.subject) in done.replayed.people
    with started(settings, tmp_path / "restored") as troth:
        assert _opened(troth, story.erased) == _opened(troth, someone) == {}
        for person in (story.stays, story.own):
            assert _opened(troth, person) == story.expected(person)


def test_an_old_copy_of_the_roots_is_noticed(story: Story, tmp_path: Path) -> None:
    """Whoever puts back the roots of an old day can open what was erased since: that never goes live."""
    with world(tmp_path / "home") as home:
        erased = home.someone(home.tenant("One"))
        home.backups.run()
        old = tmp_path / "old-roots"
        shutil.copytree(home.settings.data.keys / "roots", old)
        home.erase(erased)
    shutil.rmtree(home.settings.data.keys / "roots")
    shutil.copytree(old, home.settings.data.keys / "roots")
    for code in ("tree-behind", "erased-opens"):  # what the log says; then, without the log, what the ledger says
        with pytest.raises(IntegrityError) as refused:
            restore(home.settings, tmp_path / "restored", accept_lost_log=True)
        assert refused.value.code == code
        shutil.rmtree(home.settings.data.folder / "log", ignore_errors=True)
    assert not list(tmp_path.glob("restored*"))


def _copied(story: Story, folder: Path) -> Settings:
    """The whole story on other folders."""
    shutil.copytree(story.settings.data.folder.parent, folder, dirs_exist_ok=True)
    return backup_settings(folder)


@pytest.mark.parametrize("kind", [one for one in DATABASES if one != "sqlite"])
def test_postgresql_restores_into_postgresql_and_into_sqlite(kind: str, tmp_path: Path) -> None:
    with (
        fresh_place(kind, tmp_path, alone=True) as place,
        fresh_place(kind, tmp_path, alone=True) as new,
    ):
        settings = backup_settings(tmp_path)
        data = settings.data.model_copy(update=place.settings)
        settings = settings.model_copy(update={"data": data})
        home = World(settings)
        with within(SYSTEM):
            tenant = home.tenant("One")
            erased, stays = home.someone(tenant), home.someone(tenant)
            home.backups.run()
            home.erase(erased)
            home.backups.run()
        home.close()
        for name, target in (("p", Target(new.url, new.owner)), ("s", Target())):
            with within(SYSTEM), remaining(settings, target) as left:
                done = restore_any(left, tmp_path / name, Wish())
            assert (done.probed.live, done.behind) == (3, 0)
            restored = data.model_copy(
                update={"folder": tmp_path / name, "database_url": target.url, "database_owner_url": target.owner_url}
            )
            assert opened(settings.model_copy(update={"data": restored}), tmp_path / name, erased, stays) == stays.kept
