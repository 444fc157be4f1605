"""A whole installation whose key module is set up wrongly at a start, while people read, write and are erased."""

from __future__ import annotations

from pathlib import Path

from house import house_settings
from root_world import PIN, new_token, secret
from troth.identity.users import NewUser
from troth.kernel.data_class import DataClass
from troth.kernel.scope import SYSTEM, within
from troth.keys.domain_view import domains_shown
from troth.keys.roots.module import Worker
from troth.settings.load import Settings
from troth.telemetry.readiness import Readiness
from troth.vault.certificate import verify_certificate
from troth.vault.objects import KeepRequest
from troth.wiring import Troth, build
from troth.wiring.telemetry import ready_parts


def started(settings: Settings) -> Troth:
    troth = build(settings)
    troth.start()
    return troth


def keep(troth: Troth, tenant: str, person: str) -> str:
    request = KeepRequest(
        tenant=tenant,
        subject=person,
        data_class=DataClass.USER_GENERATED,
        kind="upload",
        media_type="text/plain",
        name="plan.txt",
        content=b"plan",
    )
    return troth.system.vault.objects.keep(request).id


def test_a_start_with_a_wrong_pin_serves_says_so_and_certifies_when_it_is_right(tmp_path: Path) -> None:
    place = new_token(tmp_path / "hsm", "away")
    token = {"kind": "pkcs11", "name": "hsm", "library": place.library, "token": "away", "pin_file": place.pin_file}
    settings = house_settings(tmp_path / "one", keys={"domains": [{"kind": "local"}, token]})
    with within(SYSTEM):
        first = started(settings)
        identity = first.system.identity
        tenant = identity.tenants.create("Harbour", "eu").id
        people = [
            identity.users.create(
                NewUser(tenant, f"{name}@harbour.example", name, frozenset({"owner"}), "bootstrap")
            ).id
            for name in ("ann", "ben")
        ]
        kept = [keep(first, tenant, person) for person in people]
        assert Readiness(ready_parts(first.system))()["key-domains"]
        first.stop()

        secret(place.pin_file, "11112222")
        Worker.of(place.library)._restart()  # a process that starts now
        troth = started(settings)
        system, base = troth.system, troth.system.base
        ready = Readiness(ready_parts(system))()
        assert (ready.pop("key-domains"), all(ready.values())) == (False, True)
        shown = domains_shown(base.database, base.domains, "eu").domains
        assert [(one.domain, one.answers) for one in shown] == [("local", "yes"), ("hsm", "hsm-pin")]
        assert "correct the file" in str(shown[1].advice)
        assert system.vault.objects.open(tenant, people[1], kept[1])[1] == b"plan"
        assert keep(troth, tenant, people[1])

        asked = system.vault.erasures.request(tenant, people[0], actor=people[0], request="req_ann")
        assert (asked.state, asked.certificate) == ("running", None)
        assert base.tree.finish() is False
        secret(place.pin_file, PIN)
        assert base.tree.finish() is True
        assert Readiness(ready_parts(system))()["key-domains"]
        system.vault.erasures.resume()
        done = system.vault.erasures.all(tenant, limit=1)[0]
        assert (done.state, done.certificate is not None) == ("done", True)
        signer = base.signer
        envelope = system.vault.erasures.certificate(tenant, done.certificate or "")
        claims = verify_certificate(envelope, {signer.name: signer.public_key})
        assert {one.domain for one in claims.keys.roots} == {"local", "hsm"}
        troth.stop()
