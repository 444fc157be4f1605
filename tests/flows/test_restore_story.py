"""The oldest backup on a clean directory: erased people stay erased, others are byte-identical."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import make_url, text, update

from backup_world import Someone, World, backup_settings, opened, restore, started, world
from database_world import DATABASES, SERVER, administrator, fresh_place
from troth.backup import places
from troth.backup.restoring import Accepting
from troth.governance.sealing import SUBJECT
from troth.kernel.data_class import DataClass
from troth.kernel.errors import Conflict, Gone, IntegrityError, NotFound, TrothError, Unavailable
from troth.kernel.scope import SYSTEM, within
from troth.promises.status import State
from troth.promises.store import check_run
from troth.settings.load import Settings
from troth.telemetry.readiness import Readiness
from troth.vault.object_info import REGISTER_FILE
from troth.vault.objects import KeepRequest
from troth.wiring import Troth, build
from troth.wiring.backup import Target
from troth.wiring.going_live import go_live
from troth.wiring.restoring import Wish, remaining, yield_log
from troth.wiring.restoring import restore as restore_any
from troth.wiring.telemetry import ready_parts

CHECK, PROMISE = "period-reports", "GOV-11"


def _require_runs(troth: Troth, story: Story) -> None:
    """What checks found is known, also after the newest backup; and an edit of it is seen."""
    standing = next(one for promise, one in troth.runner.table() if promise.id == PROMISE)
    assert (standing.state, [one.link for one in standing.runs]) == (State.KEPT, [story.found.link])
    assert State.NOT_KEPT not in troth.past.bar(PROMISE).months[-1].days
    with troth.system.base.database.write() as connection:
        rows = update(check_run).where(check_run.c.sequence == 1)
        assert connection.execute(rows.values(result="fail")).rowcount == 1
    recent = troth.runner.evidence.reading.recent([CHECK], 2)[CHECK]
    assert [bool(one.flaw) for one in recent] == [True, False]


def _opened(troth: Troth, person: Someone) -> dict[str, bytes]:
    """What of a person's things opens."""
    found: dict[str, bytes] = {}
    for one in person.kept:
        try:
            found[one] = troth.system.vault.objects.open(person.tenant, person.subject, one)[1]
        except (Gone, NotFound):
            continue
    return found


def _require_forgotten(troth: Troth, folder: Path, person: Someone) -> None:
    """Nothing of a person opens, not even with the bytes that an old backup had; and not a byte lies there."""
    assert _opened(troth, person) == {}
    with pytest.raises((Gone, NotFound, IntegrityError)):  # the last: the backup is from before they came
        troth.system.base.fields.open(person.tenant, person.subject, "name", person.account)
    with pytest.raises(TrothError):
        troth.system.base.fields.seal(person.tenant, person.subject, "name", b"again")
    assert person.kept.keys().isdisjoint(path.name for path in (folder / "objects").rglob("*"))


def _require_whole(troth: Troth, folder: Path, story: Story, person: Someone) -> None:
    """Everything that the oldest backup had of a person and nobody erased, byte for byte, and nothing else."""
    expected = story.expected(person)
    assert _opened(troth, person) == expected
    sealed = troth.system.base.fields.open(person.tenant, person.subject, "name", person.account)
    assert sealed == b"a name"
    there = {path.name for path in (folder / "objects").rglob("*")}
    assert there & person.kept.keys() == expected.keys()


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
        home.troth.runner.run(next(one for one in home.troth.runner.checks if one.id == CHECK))
        filed = KeepRequest(one, SUBJECT, DataClass.ACCOUNT, REGISTER_FILE, "text/plain", "found.txt", b"a file")
        home.troth.system.vault.objects.keep(filed)  # which every restore opens too, as it does all that is live
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
        self.found = home.troth.runner.run(next(one for one in home.troth.runner.checks if one.id == CHECK))
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
        _require_forgotten(troth, folder, story.erased)
        for person in (story.stays, story.neighbour, story.own):
            _require_whole(troth, folder, story, person)
        assert all(Readiness(ready_parts(troth.system))().values())
        assert troth.system.base.tree.verify() >= 0


def test_the_whole_data_folder_is_lost(story: Story, tmp_path: Path) -> None:
    """Database, mirror of the log, copies of the key pages: all gone. Left are keys, and places with the log's tail."""
    settings = _copied(story, tmp_path)
    shutil.rmtree(settings.data.folder)
    done = restore(settings, tmp_path / "restored", story.oldest)
    assert done.behind == 0  # every entry that was signed came back, those since the newest backup too
    assert (done.replayed.amends.again, done.replayed.amends.unknown) == ((), ())
    assert (story.sealed_later.tenant, story.sealed_later.subject) not in done.replayed.people  # never in that backup
    folder = tmp_path / "restored"
    with started(settings, folder) as troth:
        _require_runs(troth, story)
        for person in (story.erased, story.sealed_later):
            _require_forgotten(troth, folder, person)
        for person in (story.stays, story.neighbour, story.own):
            _require_whole(troth, folder, story, person)
        certified = [one for one in troth.system.vault.erasures.all(story.stays.tenant) if one.certificate]
        assert len(certified) == 2  # that of after the newest backup came with the tail


def test_without_the_tail_the_loss_is_said(story: Story, tmp_path: Path) -> None:
    settings = _copied(story, tmp_path)
    shutil.rmtree(settings.data.folder)
    for name in "ab":
        shutil.rmtree(tmp_path / "places" / name / "tails")
    with pytest.raises(IntegrityError) as refused:
        restore(settings, tmp_path / "restored", story.oldest)
    assert refused.value.code == "log-behind"  # what was signed after the newest backup is lost, and that is said
    assert not list(tmp_path.glob("restored*"))
    done = restore(settings, tmp_path / "restored", story.oldest, accepting=Accepting(lost_log=True))
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
            restore(home.settings, tmp_path / "restored", accepting=Accepting(lost_log=True))
        assert refused.value.code == code
        shutil.rmtree(home.settings.data.folder / "log", ignore_errors=True)
    assert not list(tmp_path.glob("restored*"))


def _copied(story: Story, folder: Path) -> Settings:
    """The whole story on other folders."""
    shutil.copytree(story.settings.data.folder.parent, folder, dirs_exist_ok=True)
    return backup_settings(folder)


@pytest.fixture
def on_postgres(tmp_path: Path) -> Iterator[tuple[Settings, Someone, Someone]]:
    """An installation on PostgreSQL that is stopped: backed up, somebody erased, backed up."""
    with fresh_place("postgresql", tmp_path, alone=True) as place:
        settings = backup_settings(tmp_path)
        settings = settings.model_copy(update={"data": settings.data.model_copy(update=place.settings)})
        home = World(settings)
        with within(SYSTEM):
            tenant = home.tenant("One")
            erased, stays = home.someone(tenant), home.someone(tenant)
            home.backups.run()
            home.erase(erased)
            home.backups.run()
        home.close()
        yield settings, erased, stays


needs_postgres = pytest.mark.parametrize("kind", [one for one in DATABASES if one != "sqlite"])


@needs_postgres
def test_postgresql_restores_into_postgresql_and_into_sqlite(
    kind: str, tmp_path: Path, on_postgres: tuple[Settings, Someone, Someone]
) -> None:
    settings, erased, stays = on_postgres
    with fresh_place(kind, tmp_path, alone=True) as new:
        for name, target in (("p", Target(new.url, new.owner)), ("s", Target())):
            with within(SYSTEM), remaining(settings, target) as left:
                done = restore_any(left, tmp_path / name, Wish())
            assert (done.probed.live, done.behind) == (3, 0)
            restored = settings.data.model_copy(
                update={"folder": tmp_path / name, "database_url": target.url, "database_owner_url": target.owner_url}
            )
            assert opened(settings.model_copy(update={"data": restored}), tmp_path / name, erased, stays) == stays.kept


@needs_postgres
def test_postgresql_goes_live_and_finishes_what_was_interrupted(
    kind: str, on_postgres: tuple[Settings, Someone, Someone], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The oldest backup, under the name of the database that the settings know; the old one stands aside."""
    settings, erased, stays = on_postgres
    assert (kind, SERVER is not None) == ("postgresql", True)
    with within(SYSTEM):
        with pytest.raises(Unavailable) as refused:
            go_live(settings, Wish())
        assert refused.value.code == "database-elsewhere"
        with remaining(settings) as left:
            oldest = places.files(left.places[0])[-1].rpartition("-")[2]
        with monkeypatch.context() as patched:
            patched.setattr("troth.wiring.going_live.switch", _interrupted)
            with pytest.raises(Unavailable):
                go_live(settings, Wish(oldest), admin_url=SERVER)
        half = build(settings)
        with pytest.raises(Unavailable) as refused:
            half.start()  # database and folder are of two restores
        half.stop()
        assert refused.value.code == "half-live"
        done = go_live(settings, Wish(oldest), admin_url=SERVER)
        assert done.database
        assert opened(settings, settings.data.folder, erased, stays) == stays.kept
        with started(settings, settings.data.folder) as troth:
            assert all(Readiness(ready_parts(troth.system))().values())
            with pytest.raises(Conflict) as running:
                go_live(settings, Wish(), admin_url=SERVER)
            assert running.value.code == "still-running"
    with administrator() as connection:
        aside = f"{make_url(settings.data.database_url or '').database}_before_%"
        names = list(connection.scalars(text("SELECT datname FROM pg_database WHERE datname LIKE :n"), {"n": aside}))
        assert len(names) == 2
        for name in names:
            connection.execute(text(f"DROP DATABASE {name}"))


def _interrupted(*_: object) -> None:
    raise Unavailable("Cut off between database and folder.", code="not-switched")
