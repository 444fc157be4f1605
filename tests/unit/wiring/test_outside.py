"""What vendors may still hold: counted from the receipts of what was erased, with the horizon of the agreement."""

from __future__ import annotations

from pathlib import Path

from troth.gateway.store import ReceiptRow, add_receipt, vendors
from troth.gateway.vendors.local_studio import LOCAL_STUDIO
from troth.gateway.vendors.record import Retention
from troth.storage.database import Database
from troth.wiring.outside import VendorCopies
from worlds import sqlite

DAY = 86_400_000
SENT = 1_700_000_000_000


def received(database: Database, vendor: str, number: int, tenant: str = "ten_a") -> str:
    """The object of a receipt."""
    row = ReceiptRow(tenant, f"req_{vendor}{number}", f"obj_{vendor}{number}", vendor, "m", SENT + number)
    with database.write() as connection:
        add_receipt(connection, row)
    return row.object


def agreed(database: Database, vendor: str, retention: Retention, days: int) -> None:
    facts = LOCAL_STUDIO.facts.model_copy(update={"retention": retention, "retention_days": days})
    row = {
        "id": vendor,
        "state": "approved",
        "facts": facts.model_dump_json(),
        "requested_by": "opr_a",
        "changed_at": 1,
    }
    with database.write() as connection:
        connection.execute(vendors.insert(), row | {"changed_at": 1})


def test_vendors_that_keep_are_named_with_their_horizon(tmp_path: Path) -> None:
    database = sqlite(tmp_path)
    agreed(database, "vnd_keeps", Retention.DAYS, 30)
    agreed(database, "vnd_forgets", Retention.ZERO, 0)
    objects = [received(database, "vnd_keeps", number) for number in range(3)]
    objects += [received(database, "vnd_forgets", 1), received(database, LOCAL_STUDIO.id, 1)]
    received(database, "vnd_keeps", 9)  # of somebody who is not erased
    elsewhere = received(database, "vnd_keeps", 1, tenant="ten_b")
    found = VendorCopies(database, [LOCAL_STUDIO]).copies("ten_a", (*objects, elsewhere, "obj_no-receipt"))
    assert [(one.vendor, one.requests, one.until) for one in found] == [("vnd_keeps", 3, SENT + 2 + 30 * DAY)]
    database.close()


def test_a_vendor_without_papers_has_no_stated_end(tmp_path: Path) -> None:
    database = sqlite(tmp_path)
    objects = (received(database, "vnd_gone", 1),)
    (found,) = VendorCopies(database, [LOCAL_STUDIO]).copies("ten_a", objects)
    assert (found.vendor, found.until) == ("vnd_gone", None)
    assert VendorCopies(database, []).copies("ten_a", ()) == []
    database.close()
