"""Playing today into an older backup: everybody ends where the living ledger has them, and nobody is forgotten."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import text

from backup_world import Someone, World, opened, restore, started, world
from troth.backup.lost_ledger import Accepted
from troth.backup.replaying import AS_BACKED_UP, ENDINGS, RIGHTS
from troth.backup.restoring import Accepting
from troth.backup.rows import LEFT_OUT
from troth.backup.standing import SETTINGS
from troth.backup.tails import DECISIONS
from troth.kernel.data_class import DataClass
from troth.kernel.errors import TrothError
from troth.kernel.ids import new_id
from troth.kernel.scope import SYSTEM, within
from troth.storage.database import Database, metadata
from troth.vault.objects import KeepRequest
from troth.vault.restriction import Restrictions
from troth.vault.sharing_changes import SharingChanges
from troth.wiring import Troth

_FAR = 99_999_999_999_999  # epoch ms, long after the test
_ENDS = text("update vault_object set expires_at = :at where id = :id")
_ENDINGS = text("select id, expires_at from vault_object")
_BEFORE = (
    "insert into users (id, tenant, email_index, email, display_name, password, password_at,"
    " password_issued, active, created_at) values (:u, :t, x'01', x'01', x'01', x'01', 0, 0, 1, 0)",
    "insert into totp values (:u, x'AA', null, 5)",
    "insert into recovery_codes values (x'C0', :u)",
    f"insert into known_devices values (x'DE', :u, {_FAR})",
    "insert into privacy_settings values (:u, 'training', 'by-consent')",
    "insert into vendors values ('acme', 'approved', '{}', 'usr_o', 'usr_p', null, 1)",
)
_SINCE = (
    "update totp set secret = x'BB', last_step = 9",
    "delete from recovery_codes",
    "delete from known_devices",
    "update privacy_settings set value = 'never'",
    "update vendors set state = 'suspended', changed_at = 2",
)


@pytest.fixture
def home(tmp_path: Path) -> Iterator[World]:
    with world(tmp_path / "home") as made:
        yield made


def _restrictions(troth: Troth) -> Restrictions:
    return Restrictions(troth.system.vault.erasures._ground)


def _answers(troth: Troth, person: Someone, *, duty: bool = False) -> set[str]:
    """What opening says for each of a person's things: `opens` or the code of the refusal."""
    said = set()
    for one in person.kept:
        try:
            troth.system.vault.objects.open(person.tenant, person.subject, one, duty=duty)
            said.add("opens")
        except TrothError as error:
            said.add(error.code)
    return said


def test_restricted_people_are_kept_and_stand_as_they_stand_today(home: World, tmp_path: Path) -> None:
    tenant = home.tenant("One")
    still, lifted, late = (home.someone(tenant) for _ in range(3))
    register = _restrictions(home.troth)
    for one in (still, lifted):
        register.place(tenant, one.subject, reason="accuracy-contested", officer=None, request="req_1")
    home.backups.run()
    register.lift(tenant, lifted.subject, officer=None, request="req_2")
    register.place(tenant, late.subject, reason="accuracy-contested", officer=None, request="req_3")
    home.close()
    done = restore(home.settings, tmp_path / "restored")
    assert done.replayed.people == ()
    with started(home.settings, tmp_path / "restored") as troth, within(SYSTEM):
        assert _answers(troth, lifted) == {"opens"}
        for one in (still, late):
            assert _answers(troth, one) == {"restricted"}
            assert _answers(troth, one, duty=True) == {"opens"}
            _restrictions(troth).lift(tenant, one.subject, officer=None, request="req_4")
            assert _answers(troth, one) == {"opens"}


def test_the_key_of_a_last_letter_that_went_is_nobodys_erasure(home: World, tmp_path: Path) -> None:
    person, letter = home.someone(home.tenant("One")), new_id("clo")
    home.base.fields.seal(person.tenant, letter, "letter", b"an address")
    home.backups.run()
    home.base.tree.destroy_subject(person.tenant, letter)
    home.close()
    done = restore(home.settings, tmp_path / "restored")
    assert (done.replayed.people, done.replayed.units) == ((), 1)


def test_settings_and_deadlines_are_those_of_today(home: World, tmp_path: Path) -> None:
    tenant = home.tenant("One")
    person = home.someone(tenant, 2)
    database, user = home.base.database, {"u": person.subject, "t": tenant}
    with database.write(SYSTEM) as connection:
        for one in _BEFORE:
            connection.execute(text(one), user if ":" in one else {})
    home.backups.run()
    soon, later = sorted(person.kept)
    with database.write(SYSTEM) as connection:
        for one in _SINCE:
            connection.execute(text(one), user if ":" in one else {})
        before = {one.id: one.expires_at for one in connection.execute(_ENDINGS)}
        for identifier, moved in ((soon, -1000), (later, 1000)):
            connection.execute(_ENDS, {"at": before[identifier] + moved, "id": identifier})
    assert restore(home.settings, tmp_path / "restored").replayed.people == ()
    restored = Database(f"sqlite:///{tmp_path / 'restored' / 'troth.db'}")
    with restored.read(SYSTEM) as connection:
        assert connection.execute(text("select secret, last_step from totp")).all() == [(b"\xbb", 9)]
        assert connection.execute(text("select digest from recovery_codes")).all() == []
        assert connection.execute(text("select digest from known_devices")).all() == []
        assert connection.execute(text("select value from privacy_settings")).all() == [("never",)]
        assert connection.execute(text("select id, state from vendors")).all() == [("acme", "suspended")]
        ends = {one.id: one.expires_at for one in connection.execute(_ENDINGS)}
    restored.close()
    assert ends == {soon: before[soon] - 1000, later: before[later]}


def test_a_shared_object_stays_with_who_remains(home: World, tmp_path: Path) -> None:
    tenant = home.tenant("One")
    leaves, remains = home.someone(tenant, 1), home.someone(tenant, 1)
    shared = home.troth.system.vault.objects.keep(
        KeepRequest(
            tenant=tenant,
            subject=leaves.subject,
            data_class=DataClass.USER_GENERATED,
            kind="upload",
            media_type="text/plain",
            name="secret name",
            content=b"together",
            owners=(remains.subject,),
        )
    ).id
    home.backups.run()
    assert home.erase(leaves).state == "done"
    home.close()
    restore(home.settings, tmp_path / "restored")
    with started(home.settings, tmp_path / "restored") as troth, within(SYSTEM):
        info, content = troth.system.vault.objects.open(tenant, remains.subject, shared)
        assert (content, info.name) == (b"together", "")
        assert _answers(troth, leaves) <= {"gone", "subject-erased"}


def test_of_every_table_it_is_said_what_a_restore_does_with_it() -> None:
    """A new table that holds a decision about data, and that nobody named, would bring back what was decided away."""
    named = [*DECISIONS, *ENDINGS, *RIGHTS, *SETTINGS, *AS_BACKED_UP, *LEFT_OUT]
    assert sorted(named) == sorted({*metadata.tables, "alembic_version"})


def _without_database(home: World) -> None:
    home.close()
    for path in home.settings.data.folder.glob("troth.db*"):
        path.unlink()


@pytest.mark.parametrize("own", [True, False], ids=["own key", "shared key"])
def test_a_lost_ledger_with_the_erasure_of_an_object(home: World, tmp_path: Path, own: bool) -> None:
    """Its key may serve its neighbours too; then the digest that the log signed says which object it was."""
    person = home.someone(home.tenant("One"), own=own)
    home.backups.run()
    gone = min(person.kept)
    assert home.erase(person, object_id=gone).state == "done"
    _without_database(home)
    done = restore(home.settings, tmp_path / "restored")
    assert len(done.replayed.amends.again) == (not own)
    assert done.replayed.amends.unknown == ()
    assert opened(home.settings, tmp_path / "restored", person).keys() == person.kept.keys() - {gone}
    with started(home.settings, tmp_path / "restored") as troth:
        assert [one.id for one in troth.system.vault.objects.list(person.tenant, person.subject)].count(gone) == 0


def test_an_object_that_had_moved_to_its_own_key_does_not_come_back(home: World, tmp_path: Path) -> None:
    """Its last key went, as many as objects went; the backup from before it was shared has it under its neighbours'."""
    tenant = home.tenant("One")
    person, other = home.someone(tenant), home.someone(tenant, 1)
    home.backups.run()
    gone, vault = min(person.kept), home.troth.system.vault
    sharing = SharingChanges(vault.erasures._ground)
    sharing.share(tenant, person.subject, gone, other.subject, request="req_1")
    sharing.leave(tenant, other.subject, gone)
    assert home.erase(person, object_id=gone).state == "done"
    _without_database(home)
    assert len(restore(home.settings, tmp_path / "restored").replayed.amends.again) == 1
    assert opened(home.settings, tmp_path / "restored", person).keys() == person.kept.keys() - {gone}


@pytest.fixture
def unknowable(home: World) -> tuple[World, Someone, Someone, tuple[str, str]]:
    """The database is lost, and an erasure took what the backup does not have as it was; two officers are there."""
    tenant = home.tenant("One")
    officers = (new_id("usr"), new_id("usr"))
    with home.base.database.write(SYSTEM) as connection:
        for at, user in enumerate(officers):
            values = {"u": user, "t": tenant, "e": bytes([at]), "far": _FAR}
            connection.execute(text(_BEFORE[0].replace("x'01', x'01'", ":e, x'01'", 1)), values)
            connection.execute(
                text("insert into role_grants values (:u, 'privacy-officer', 'usr_g', 0, :far, null)"), values
            )
    person, neighbour = home.someone(tenant), home.someone(tenant)
    home.backups.run()
    erased = min(person.kept)
    home.troth.system.vault.objects.keep(
        KeepRequest(
            tenant=tenant,
            subject=person.subject,
            data_class=DataClass.USER_GENERATED,
            kind="upload",
            media_type="text/plain",
            name="derived",
            content=b"derived",
            derived_from=(erased,),
        )
    )
    assert home.erase(person, object_id=erased).state == "done"
    _without_database(home)
    return home, person, neighbour, officers


def _reads(troth: Troth, tenant: str, identifier: str) -> bool:
    with troth.system.base.database.read(SYSTEM) as connection:
        query = text("select subject, state from vault_object where id = :id")
        subject, state = connection.execute(query, {"id": identifier}).one()
    try:
        return bool(troth.system.vault.objects.open(tenant, subject, identifier)[1])
    except TrothError:
        assert state in ("closed", "dropping", "erased")
        return False


def test_nobody_knows_what_an_erasure_took(
    unknowable: tuple[World, Someone, Someone, tuple[str, str]], tmp_path: Path
) -> None:
    """Refused; with two officers everything that may be meant is shut, until one has looked at each of it."""
    home, person, neighbour, officers = unknowable
    tries: list[tuple[Accepted | None, str]] = [
        (None, "ledger-behind"),
        (Accepted(officers[:1], "case-1"), "not-officers"),
        (Accepted((officers[0], person.subject), "case-1"), "not-officers"),
        (Accepted(officers[:1] * 2, "case-1"), "not-officers"),
        (Accepted(officers, "because I say so"), "bad-reason"),
    ]
    for accepted, code in tries:
        with pytest.raises(TrothError) as refused:
            restore(home.settings, tmp_path / "restored", accepting=Accepting(lost_erasures=accepted))
        assert refused.value.code == code
        assert not list(tmp_path.glob("restored*"))
    accepted = Accepted(officers, "case-2026-17")
    done = restore(home.settings, tmp_path / "restored", accepting=Accepting(lost_erasures=accepted))
    amends = done.replayed.amends
    assert (len(amends.unknown), amends.shut, amends.accepted) == (1, 6, accepted)
    with started(home.settings, tmp_path / "restored") as troth:
        erasures = troth.system.vault.erasures
        assert _answers(troth, person) == _answers(troth, neighbour) == {"closing"}
        waiting = {one.object: one for one in erasures.all(person.tenant) if one.state == "waiting"}
        assert waiting.keys() == person.kept.keys() | neighbour.kept.keys()
        gone, stays = min(person.kept), min(neighbour.kept)
        assert erasures.approve(person.tenant, waiting[gone].id, actor=officers[0]).state == "done"
        erasures.cancel(person.tenant, waiting[stays].id, actor=officers[0])
        readable = {one for one in (*person.kept, *neighbour.kept) if _reads(troth, person.tenant, one)}
        assert readable == {stays}
