"""Playing today into an older backup: everybody ends where the living ledger has them, and nobody is forgotten."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import text

from backup_world import Someone, World, opened, restore, started, world
from troth.kernel.data_class import DataClass
from troth.kernel.errors import IntegrityError, TrothError
from troth.kernel.scope import SYSTEM, within
from troth.storage.database import Database
from troth.vault.objects import KeepRequest
from troth.vault.restriction import Restrictions
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


@pytest.mark.parametrize("own", [True, False], ids=["own key", "shared key"])
def test_a_lost_ledger_with_an_erasure_that_no_key_shows(home: World, tmp_path: Path, own: bool) -> None:
    """An object whose key serves its neighbours too: without the ledger it would open, so nothing goes live."""
    person = home.someone(home.tenant("One"), own=own)
    home.backups.run()
    gone = min(person.kept)
    assert home.erase(person, object_id=gone).state == "done"
    home.close()
    assert restore(home.settings, tmp_path / "beside").replayed.people == ()
    for path in home.settings.data.folder.glob("troth.db*"):
        path.unlink()
    if own:
        restore(home.settings, tmp_path / "restored")
        assert opened(home.settings, tmp_path / "restored", person).keys() == person.kept.keys() - {gone}
    else:
        with pytest.raises(IntegrityError) as refused:
            restore(home.settings, tmp_path / "restored")
        assert refused.value.code == "ledger-behind"
        assert not (tmp_path / "restored").exists()
