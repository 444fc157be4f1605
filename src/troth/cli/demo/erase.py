"""Chapter "erase": Maria is forgotten, in the live system and in a backup that was taken before."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

from troth.cli.client import Refused
from troth.cli.demo.narration import Narration
from troth.cli.demo.stage import Person, Stage

CONFIRMATION = "erase everything about me"


def erase(say: Narration, stage: Stage, maria: Person, picture: str, other: tuple[str, str]) -> dict[str, Any]:
    """Run the chapter; gives the erasure as the person got it. `other`: (key, object) of somebody in another tenant."""
    say.chapter("5 · erase", "Maria asks to be forgotten. A backup of the whole data folder was taken a moment ago.")
    backup = stage.root / "backup"
    shutil.copytree(stage.data, backup)
    before = stage.client(maria.session).call("GET", f"/v1/objects/{picture}/content").content
    say.expect(before.startswith(b"\x89PNG"), "before: her picture opens for her")
    erasure: dict[str, Any] = (
        stage.client(maria.session).call("POST", "/v1/erasures/own", {"confirm": CONFIRMATION}).json()
    )
    say.expect(erasure["state"] == "done", f"erased, sealed and certified {erasure['certificate']}")
    _live(say, stage, maria, picture)
    opened = stage.client(other[0]).call("GET", f"/v1/objects/{other[1]}/content").content
    say.expect(opened.startswith(b"\x89PNG"), "the other tenant's picture still opens")
    _old_copies(say, stage, backup)
    return erasure


def certificate_of(stage: Stage, officer: Person, erasure: dict[str, Any]) -> Path:
    """The certificate as a file, handed out by the tenant's owner: Maria herself can sign in no more."""
    path = stage.shown / "certificate.json"
    found = stage.client(officer.session).call("GET", f"/v1/certificates/{erasure['certificate']}")
    path.write_bytes(found.content)
    (stage.shown / "her-copy.json").write_text(json.dumps({"salt": erasure["salt"], "erasure": erasure["id"]}))
    return path


def _live(say: Narration, stage: Stage, maria: Person, picture: str) -> None:
    try:
        stage.client(maria.session).call("GET", f"/v1/objects/{picture}/content")
        code = "opened"
    except Refused as refusal:
        code = refusal.code
    say.expect(code != "opened", f"now: neither her session nor her picture opens [dim](code {code})[/]")


def _old_copies(say: Narration, stage: Stage, backup: Path) -> None:
    """Today's keys on yesterday's files: what a thief of the backup, or a careless restore, would try."""
    from troth.kernel.clock import SystemClock
    from troth.kernel.errors import TrothError
    from troth.keys.domains import Domain
    from troth.keys.roots.local import LocalRoot
    from troth.keys.tree import KeyTree
    from troth.storage.blobs import LocalBlobs
    from troth.storage.database import Database

    keys = stage.root / "keys-copy"  # a copy: a tree that opens would sweep the roots it does not know
    shutil.copytree(stage.keys, keys)
    database = Database(f"sqlite:///{backup / 'troth.db'}")
    tree = KeyTree(database, [Domain(LocalRoot(keys / "roots"), LocalBlobs(backup / "key-pages"))], SystemClock())
    try:
        tree.resume()
        opened = True
    except TrothError as error:
        opened, code = False, error.code
    finally:
        database.close()
        shutil.rmtree(keys)
    say.expect(
        not opened, f"the old database with today's keys does not open: its root is destroyed [dim](code {code})[/]"
    )
    sealed = sum(1 for path in (backup / "objects").rglob("*") if path.is_file())
    say.tell("so the backup's", f"{sealed} sealed objects are noise; the keys were random and are nowhere else")
