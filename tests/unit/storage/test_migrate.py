"""The migrations make exactly the tables that the code declares, on every database."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import insert, inspect, select, text, update

import troth
import troth.wiring
from database_world import DATABASES, fresh_place
from troth.gateway import store as gateway
from troth.gateway.limits.store import UsageRow, add_row, budgets, usage_days, usage_rows
from troth.gateway.store import ReceiptRow
from troth.governance import calendar_tables as calendar
from troth.governance.statement import store as statements
from troth.governance.tables import records as register_records
from troth.identity.store import api_keys, tenants, users
from troth.kernel.scope import SYSTEM
from troth.promises import store as checks
from troth.promises.check import Result
from troth.promises.paper import store as papers
from troth.promises.paper.store import Files, paper_version
from troth.promises.runs import Run
from troth.storage.database import Database, metadata
from troth.storage.migrate import HEAD, current, upgrade
from troth.storage.placement import claim_database, installation, placed_database
from troth.vault import prints


@pytest.fixture(params=DATABASES)
def empty(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    with fresh_place(request.param, tmp_path) as place:
        database = Database(place.owner)
        yield database
        database.close()


def test_migrated_and_declared_are_the_same(empty: Database) -> None:
    upgrade(empty)
    with empty.read() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, metadata) == []


def test_an_up_to_date_database_is_left_alone(empty: Database) -> None:
    assert current(empty) is None
    upgrade(empty)
    assert current(empty) == HEAD
    with empty.write() as connection:
        connection.execute(text("DROP TABLE outbox"))
    upgrade(empty)
    with empty.read() as connection:
        assert not inspect(connection).has_table("outbox")


def downgrade(database: Database, to: str) -> None:
    from alembic import command  # noqa: PLC0415 - slow, and only here
    from alembic.config import Config  # noqa: PLC0415

    config = Config()
    config.set_main_option("script_location", str(Path(troth.__file__).parent / "storage" / "migrations"))
    config.set_main_option("path_separator", "os")
    with database.write(SYSTEM) as connection:
        config.attributes["connection"] = connection
        command.downgrade(config, to)


def test_receipts_outlive_what_they_say_of_marks(empty: Database) -> None:
    upgrade(empty)
    row = ReceiptRow("ten_a", "req_a", "obj_a", "acme", "m", 1, 2, "answered", ("obj_b",), {"watermark": 1})
    with empty.write(SYSTEM) as connection:
        gateway.add_receipt(connection, row)
        prints.add(connection, "ten_a", "obj_b", [b"p" * prints.BYTES])
    downgrade(empty, "0026")
    with empty.read(SYSTEM) as connection:
        assert not inspect(connection).has_table("vault_print")
    upgrade(empty)
    with empty.read(SYSTEM) as connection:
        assert gateway.find_receipt(connection, "ten_a", "req_a") == replace(row, marked=None)
        assert list(prints.pages(connection, None)) == []


def test_budgets_come_and_go_without_what_requests_used(empty: Database) -> None:
    upgrade(empty)
    budget = {"id": "bud_a", "tenant": "ten_a", "scope": "tenant", "target": "ten_a", "person": "", "span": "month"}
    budget |= {"amount": 1, "currency": "EUR", "stops": True, "set_by": "usr_a", "set_at": 0}
    day = {"tenant": "ten_a", "day": 0, "model": "m", "vendor": "v", "currency": "EUR", "requests": 1, "cost": 9}
    used = UsageRow("ten_a", 1, "req_a", "usr_a", "", "chat.complete", "m", "v", *range(6), "EUR", "answered")
    with empty.write(SYSTEM) as connection:
        connection.execute(insert(budgets), budget)
        connection.execute(insert(usage_days), day | dict.fromkeys(("tokens_in", "tokens_out", "images", "seconds"), 0)
                           | {"bytes": 0})  # fmt: skip
        for _ in range(2):
            add_row(connection, used)
    downgrade(empty, "0027")
    with empty.read(SYSTEM) as connection:
        assert inspect(connection).get_pk_constraint("usage_row")["constrained_columns"] == ["tenant", "at", "request"]
    with empty.read(SYSTEM) as connection:
        assert not any(inspect(connection).has_table(one) for one in ("budget", "budget_spent", "own_limit"))
    upgrade(empty)
    with empty.read(SYSTEM) as connection:
        assert connection.execute(select(budgets)).all() == []
        assert connection.execute(select(usage_days.c.cost)).scalars().all() == [9]
        rows = [UsageRow(*row) for row in connection.execute(select(usage_rows).order_by(usage_rows.c.request))]
        assert rows == [used, replace(used, request="req_a-2")]


def test_runs_outlive_their_chain(empty: Database) -> None:
    upgrade(empty)
    run = Run("one", 1, Result.PASS, Result.FAIL, 1, 1, "a" * 64, "run_a", 1, 0, details={"rows": 2}, schedule=1)
    signed = checks.Signed("troth.test", b"s" * 64)
    with empty.write(SYSTEM) as connection:
        checks.add(connection, run, signed, None)
        assert checks.latest(connection) == [checks.KeptRun(run, run.link, signed)]
        assert checks.head(connection, "one", locked=True) == checks.Head(1, run.link, 0, 1)
    downgrade(empty, "0028")
    with empty.read(SYSTEM) as connection:
        assert not any(inspect(connection).has_table(one) for one in ("check_head", "check_schedule", "check_tally"))
    upgrade(empty)
    with empty.read(SYSTEM) as connection:
        assert connection.execute(select(checks.check_run.c.check_id, checks.check_run.c.sequence)).all() == [
            ("one", None)
        ]
        assert checks.latest(connection) == []


def test_summaries_of_days_come_and_go(empty: Database) -> None:
    upgrade(empty)
    with empty.write(SYSTEM) as connection:
        connection.execute(insert(checks.check_day).values(day="2026-11-22", text="{}", envelope="{}"))
    downgrade(empty, "0035")
    with empty.read(SYSTEM) as connection:
        assert not inspect(connection).has_table("check_day")
    upgrade(empty)
    with empty.read(SYSTEM) as connection:
        assert connection.execute(select(checks.check_day)).all() == []


def test_registers_come_and_go_with_what_they_hold(empty: Database) -> None:
    upgrade(empty)
    row = {"id": "rec_a", "tenant": "ten_a", "form": "risks", "state": "found", "account": None, "opened_at": 1}
    row |= {"changed_at": 1, "sequence": 1, "head": "0" * 64}
    with empty.write(SYSTEM) as connection:
        connection.execute(insert(register_records), row)
    downgrade(empty, "0029")
    with empty.read(SYSTEM) as connection:
        kept = {one for one in inspect(connection).get_table_names() if one.startswith("register_")}
    assert kept == set()
    upgrade(empty)
    with empty.read(SYSTEM) as connection:
        assert connection.execute(select(register_records)).all() == []


def test_keys_with_limits_do_not_outlive_their_columns(empty: Database) -> None:
    upgrade(empty)
    person = {"id": "usr_a", "tenant": "ten_a", "email_index": b"i", "email": b"e", "display_name": b"n"}
    person |= {"password": b"p", "password_at": 0, "password_issued": False, "active": True, "created_at": 0}
    key = {"user": "usr_a", "digest": b"d", "name": b"n", "scopes": "generate", "created_at": 0, "expires_at": 1}
    limits = ({}, {"networks": b"n", "network_marks": b"m"}, {"models": "a b"})
    with empty.write(SYSTEM) as connection:
        connection.execute(insert(tenants), {"id": "ten_a", "name": "A", "jurisdiction": "eu", "created_at": 0})
        connection.execute(insert(users), person)
        for number, limit in enumerate(limits):
            connection.execute(insert(api_keys), {"id": f"key_{number}", **key, **limit})
    downgrade(empty, "0016")
    upgrade(empty)
    with empty.read(SYSTEM) as connection:
        assert connection.execute(select(api_keys.c.id)).scalars().all() == ["key_0"]


def test_head_is_the_newest_file() -> None:
    versions = Path(troth.__file__).parent / "storage" / "migrations" / "versions"
    assert max(path.stem for path in versions.glob("0*.py")) == HEAD


def test_the_installation_outlives_its_house(empty: Database) -> None:
    upgrade(empty)
    claim_database(empty, "eu", 1)
    with empty.write(SYSTEM) as connection:
        connection.execute(update(installation).values(house="ten_a"))
    downgrade(empty, "0030")
    assert placed_database(empty) == "eu"
    upgrade(empty)
    with empty.read(SYSTEM) as connection:
        assert connection.execute(select(installation)).all() == [("this", "eu", 1, None, None, None, None, None)]


def test_a_house_of_before_counts_from_now_and_an_unsigned_statement_waits_again(empty: Database) -> None:
    upgrade(empty)
    claim_database(empty, "eu", 1)
    head = statements.Head(1, "0" * 64, "0" * 64, "", "usr_a", 1, None, None)
    with empty.write(SYSTEM) as connection:
        connection.execute(update(installation).values(house="ten_a", house_at=5, house_proposed="ten_b"))
        statements.add(connection, head, "[]")
        agreed = replace(head, approved_by="usr_b", approved_at=2, signer="troth.test", signature=b"s")
        assert statements.approve(connection, agreed)
    downgrade(empty, "0034")
    with empty.read(SYSTEM) as connection:
        assert connection.execute(text("SELECT approved_by FROM statement_version")).scalar() == "usr_b"
        assert connection.execute(text("SELECT house FROM installation")).scalar() == "ten_a"
    upgrade(empty)
    with empty.read(SYSTEM) as connection:
        row = connection.execute(select(installation)).one()
        assert (row.house, row.house_proposed) == ("ten_a", None)
        assert row.house_at > 5, "what is older excuses nothing"
        assert statements.heads(connection) == [head]


def test_versions_of_the_paper_come_and_go(empty: Database) -> None:
    upgrade(empty)
    files = Files("Text.", "paper: a", None)
    with empty.write(SYSTEM) as connection:
        made = {"number": 1, "paper": "a", "version": "1", "text": files.text, "binding": files.binding}
        made |= {"digest": files.digest, "proposed_by": "usr_a", "proposed_at": 1}
        connection.execute(insert(paper_version), made)
        assert papers.approve(connection, 1, papers.Approval("usr_b", 2, 3), "troth.test", b"s")
        assert not papers.approve(connection, 1, papers.Approval("usr_c", 2, 3), "troth.test", b"s")
        (head,) = papers.heads(connection)
    assert (head.approved_by, head.effective_at, head.signature) == ("usr_b", 3, b"s")
    downgrade(empty, "0031")
    with empty.read(SYSTEM) as connection:
        assert not inspect(connection).has_table("paper_version")
    upgrade(empty)
    with empty.read(SYSTEM) as connection:
        assert papers.heads(connection) == []


def test_what_is_on_its_way_about_the_calendar_comes_and_goes(empty: Database) -> None:
    upgrade(empty)
    told = {"form": "risks", "record": "rec_a", "name": "review", "stage": "due", "due_at": 1, "put_at": 1}
    with empty.write(SYSTEM) as connection:
        connection.execute(insert(calendar.feeds), {"person": "usr_a", "tenant": "ten_a", "digest": "d", "made_at": 1})
        connection.execute(insert(calendar.reminders), {"id": "rem_a", "tenant": "ten_a", **told})
        connection.execute(insert(calendar.webhooks), {"id": "whk_a", "tenant": "ten_a", "sealed": b"s", "made_at": 1})
        letter = {"id": "dlv_a", "tenant": "ten_a", "channel": "mail", "target": "usr_a", "kind": "k", "body": "{}"}
        letter |= {"state": "waiting", "tries": 0, "put_at": 1, "next_at": 1}
        connection.execute(insert(calendar.deliveries), letter)
    downgrade(empty, "0032")
    tables = [one.name for one in (calendar.feeds, calendar.reminders, calendar.webhooks, calendar.deliveries)]
    with empty.read(SYSTEM) as connection:
        assert [name for name in tables if inspect(connection).has_table(name)] == []
    upgrade(empty)
    with empty.read(SYSTEM) as connection:
        assert connection.execute(select(calendar.deliveries)).all() == []
