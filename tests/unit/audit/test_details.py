"""Details beside the log: bound to the entry while they open, hidden by the commitment when their keys are gone."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from dataclasses import replace

import pytest
from sqlalchemy import delete, func, select, update

from log_world import entry
from troth.audit.details import SALT_BYTES, Details, State, canonical, commitment
from troth.audit.details_holder import DetailsHolder
from troth.kernel.details import UNAVAILABLE
from troth.kernel.errors import IntegrityError, Unavailable
from troth.storage.database import Database
from troth.storage.detail_rows import audit_details
from troth.storage.outbox import Outbox, pending
from unit.identity.world import SealedInMemory

OWNER = ("ten_a", "usr_a")
CAME = {"address": "203.0.113.7", "agent": "curl/8", "session": "ses_a"}


class Fields(SealedInMemory):
    """Keys in memory that can be away."""

    away = False

    def seal(self, tenant: str, subject: str, label: str, plaintext: bytes) -> bytes:
        if self.away:
            raise Unavailable("No key domain answers.")
        return super().seal(tenant, subject, label, plaintext)

    def open(self, tenant: str, subject: str, label: str, sealed: bytes) -> bytes:
        if self.away:
            raise Unavailable("No key domain answers.")
        return super().open(tenant, subject, label, sealed)

    def at_hand(self, tenant: str, subject: str) -> bool:
        return bool(tenant and subject)


@pytest.fixture
def fields() -> Fields:
    return Fields()


@pytest.fixture
def details(database: Database, fields: Fields) -> Details:
    return Details(database, fields)


@pytest.fixture
def outbox(database: Database) -> Iterator[Outbox]:
    made = Outbox(database)
    yield made
    made.close()


def kept(database: Database, outbox: Outbox, details: Details, number: int = 0, **came: str) -> bytes:
    """The leaf of an entry of `OWNER` with these details beside it."""
    made = replace(entry("ten_a", number), sealed=details.seal(OWNER, came or CAME))
    outbox.record(made)
    with database.read() as connection:
        return pending(connection, 100)[-1][2]


def test_details_open_for_their_entry(database: Database, outbox: Outbox, details: Details) -> None:
    leaf = kept(database, outbox, details)
    found = details.of(leaf)
    assert (found.state, found.members, found.about) == (State.OPEN, CAME, "usr_a")
    assert details.of(leaf, only="usr_a").members == CAME
    assert (details.of(leaf, only="usr_b").state, details.of(leaf, only="usr_b").members) == (State.NOT_YOURS, {})
    assert b"203.0.113.7" not in leaf


def test_the_commitment_is_a_keyed_hash_that_a_guess_does_not_confirm(
    database: Database, outbox: Outbox, details: Details
) -> None:
    first, second = (json.loads(kept(database, outbox, details, number)) for number in (1, 2))
    assert len(first["pd"]) == 64
    assert first["pd"] != second["pd"]  # the same details under another salt
    assert first["pd"] != hashlib.sha256(canonical(CAME)).hexdigest()
    salt = bytes(SALT_BYTES)
    assert commitment(salt, b"x") == commitment(salt, b"x") != commitment(b"\1" * SALT_BYTES, b"x")


def test_an_erased_person_leaves_a_commitment_to_nothing(
    database: Database, outbox: Outbox, details: Details, fields: Fields
) -> None:
    leaf = kept(database, outbox, details)
    fields.destroy(*OWNER)
    assert details.of(leaf).state is State.ERASED
    assert details.seal(OWNER, CAME) is None
    with database.write() as connection:
        connection.execute(delete(audit_details))
    assert details.of(leaf).state is State.ERASED


def test_keys_that_are_away_are_said_for_ever_and_stop_nothing(
    database: Database, outbox: Outbox, details: Details, fields: Fields
) -> None:
    before = kept(database, outbox, details)
    fields.away = True
    leaf = kept(database, outbox, details, 1)
    assert json.loads(leaf)["pd"] == UNAVAILABLE
    assert details.of(before).state is details.of(leaf).state is State.UNAVAILABLE
    fields.away = False
    assert details.of(before).state is State.OPEN
    assert details.of(leaf).state is State.UNAVAILABLE


def test_exchanged_details_are_refused(database: Database, outbox: Outbox, details: Details) -> None:
    leaf = kept(database, outbox, details)
    other = details.seal(OWNER, {"address": "198.51.100.1"})
    assert other is not None
    with database.write() as connection:
        connection.execute(update(audit_details).values(sealed=other.content))
    with pytest.raises(IntegrityError) as caught:
        details.of(leaf)
    assert caught.value.code == "details-differ"


def test_an_entry_without_details_says_so(details: Details) -> None:
    assert details.of(b"{}").state is State.NONE
    assert details.of(b'{"pd":1}').state is State.NONE
    assert details.at_hand(OWNER)


def test_entry_and_details_are_durable_together_or_not_at_all(
    database: Database, outbox: Outbox, details: Details
) -> None:
    made = replace(entry("ten_a", 1), sealed=details.seal(OWNER, CAME))

    class Stop(Exception):
        pass

    with pytest.raises(Stop), database.write() as connection:
        outbox.record_within(connection, made)
        raise Stop
    with database.read() as connection:
        assert pending(connection, 10) == []
        assert connection.scalar(select(func.count()).select_from(audit_details)) == 0
    with database.write() as connection:
        outbox.record_within(connection, made)
    with database.read() as connection:
        (waiting,) = pending(connection, 10)
    assert details.of(waiting[2]).members == CAME


def test_old_details_go_and_their_entries_stay(database: Database, outbox: Outbox, details: Details) -> None:
    old, fresh = (kept(database, outbox, details, number) for number in (1, 2))
    assert details.sweep(before=1_700_000_000_002) == 1
    assert (details.of(old).state, details.of(fresh).state) == (State.ERASED, State.OPEN)


def test_the_holder_tells_the_person_and_forgets(
    database: Database, outbox: Outbox, details: Details, fields: Fields
) -> None:
    holder = DetailsHolder(database, fields)
    assert holder.holdings(*OWNER) == []
    for number in range(3):
        kept(database, outbox, details, number, address=f"203.0.113.{number % 2}", session=f"ses_{number}")
    contents = [one.content for one in holder.holdings(*OWNER)]
    assert contents == [
        {"address": "203.0.113.0", "entries": 2, "entries_in_all": 3},
        {"address": "203.0.113.1", "entries": 1, "entries_in_all": 3},
    ]
    assert holder.people("ten_a") == ["usr_a"]
    assert holder.people("ten_b") == []
    assert holder.forget(*OWNER).identifiers == ("log-details-3",)
    assert holder.forget(*OWNER).identifiers == holder.close("ten_a").identifiers == ()
    assert holder.holdings(*OWNER) == []
