"""Chapter "erase": Maria is forgotten, in the live system and in a backup that was taken before."""

from __future__ import annotations

import base64
import json
import os
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

from troth.cli.client import Refused
from troth.cli.demo.narration import Narration
from troth.cli.demo.stage import Person, Stage
from troth.cli.demo.token import DOMAIN, LABEL

if TYPE_CHECKING:
    from troth.keys.domains import Domain

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


def certificate_of(say: Narration, stage: Stage, officer: Person, erasure: dict[str, Any]) -> Path:
    """The certificate as a file, handed out by the tenant's owner: Maria herself can sign in no more."""
    path = stage.shown / "certificate.json"
    found = stage.client(officer.session).call("GET", f"/v1/certificates/{erasure['certificate']}")
    path.write_bytes(found.content)
    (stage.shown / "her-copy.json").write_text(json.dumps({"salt": erasure["salt"], "erasure": erasure["id"]}))
    statement = json.loads(base64.b64decode(found.json()["payload"]))
    _roots(say, stage, {root["domain"]: root for root in statement["predicate"]["keys"]["roots"]})
    return path


def _roots(say: Narration, stage: Stage, roots: dict[str, dict[str, str]]) -> None:
    """What was destroyed in which key domain, and what that is worth."""
    expected = {"local", DOMAIN} if stage.token else {"local"}
    say.expect(set(roots) == expected, f"the certificate names the destroyed root of each key domain: {len(roots)}")
    for domain, root in sorted(roots.items()):
        say.tell(f"domain {domain}", f"assurance {root['assurance']}: {root['evidence'].replace(';', ', ')}")
    if stage.token:
        say.tell("assurance reached", "A0. SoftHSM speaks PKCS#11 but is software: a hardware module reaches A2")
    else:
        say.tell(
            "assurance reached", "A0, a local file; docs/how-to says how to use a module (A2) or a key service (A1)"
        )


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
    from troth.keys.tree import KeyTree
    from troth.storage.database import Database

    keys = stage.root / "keys-copy"  # a copy: a tree that opens would sweep the roots it does not know
    shutil.copytree(stage.keys, keys)
    database = Database(f"sqlite:///{backup / 'troth.db'}")
    tree = KeyTree(database, _domains(stage, backup, keys), SystemClock())
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


def _domains(stage: Stage, backup: Path, keys: Path) -> list[Domain]:
    """Every key domain with copies of today's keys, and the pages of the backup."""
    from troth.keys.domains import Domain
    from troth.keys.roots.local import LocalRoot
    from troth.storage.blobs import LocalBlobs

    domains = [Domain(LocalRoot(keys / "roots"), LocalBlobs(backup / "key-pages"))]
    if stage.token is None:
        return domains
    from troth.keys.roots.binding import Binding
    from troth.keys.roots.module import TokenPlace
    from troth.keys.roots.pkcs11 import Pkcs11Root

    copy = stage.token.copied(keys / "hsm")
    os.environ["SOFTHSM2_CONF"] = str(copy.configuration)
    place = TokenPlace(copy.library, LABEL, copy.pin_file)
    root = Pkcs11Root(place, Binding(keys / "domains" / f"{DOMAIN}.mark"), DOMAIN)
    return [*domains, Domain(root, LocalBlobs(backup / f"key-pages-{DOMAIN}"))]
