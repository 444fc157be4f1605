"""Devices from the command line and by administrators, and services with certificates, over both real doors."""

from __future__ import annotations

import json
import stat
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from click.testing import Result as Printed

from certified_town import Person, Shown, Town, town
from troth.cli.device import device as devices
from troth.cli.kept import Kept, keep
from troth.cli.remote import group
from troth.identity.certificates.issuing import fresh_key
from troth.identity.certificates.reading import read_shown
from troth.identity.certificates.requesting import private_key, private_pem, request_by
from troth.identity.sessions import Proof
from troth.kernel.errors import TrothError
from troth.kernel.scope import SYSTEM, within
from troth.promises.check import Result, judge
from troth.promises.checks import edge
from troth.promises.checks.devices import CHECKS
from troth.promises.system import Listener


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    with town(tmp_path_factory.mktemp("devices")) as built:
        yield built


@pytest.fixture(scope="module")
def ada(home: Town) -> Person:
    return home.tenant("devices")


@pytest.fixture
def machine(home: Town, ada: Person, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A machine of Ada's: her session, the first door, and a folder for its key."""
    monkeypatch.setenv("TROTH_URL", home.stage.address)
    monkeypatch.setenv("TROTH_CA", home.stage.authority)
    monkeypatch.setenv("TROTH_SESSION", home.session(ada))
    monkeypatch.setenv("TROTH_DEVICE", str(tmp_path / "device"))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    return tmp_path / "device"


@contextmanager
def signed_in(home: Town, who: Person, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """As after `troth sign-in`: what is kept is a session that is bound to a key."""
    session, key = home.bound_session(who)
    keep(home.stage.address, Kept(session, key.pem().decode(), int(time.time())))
    with monkeypatch.context() as here:
        here.delenv("TROTH_SESSION")
        yield


def run(*words: str, command: Any = devices) -> Printed:
    return CliRunner().invoke(command, list(words), catch_exceptions=False)


def code_of(*words: str, command: Any = devices) -> str:
    with pytest.raises(TrothError) as refusal:
        run(*words, command=command)
    return refusal.value.code


def test_a_machine_is_enrolled_used_renewed_and_lost(
    home: Town, ada: Person, machine: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert code_of("enrol", "--name", "copied") == "device-unbound"
    with signed_in(home, ada, monkeypatch):
        assert "has a certificate until" in run("enrol", "--name", "work laptop").output
    for name in ("key.pem", "certificate.pem"):
        assert stat.S_IMODE((machine / name).stat().st_mode) == 0o600
    assert stat.S_IMODE(machine.stat().st_mode) == 0o700
    (mine,) = [one for one in json.loads(run("list", "--json").output)["devices"] if one["name"] == "work laptop"]
    assert read_shown((machine / "certificate.pem").read_text()).name.id == mine["id"]

    account = group("account", "x")
    monkeypatch.setenv("TROTH_URL", f"https://localhost:{home.second}")
    assert run("show", command=account).exit_code == 0
    monkeypatch.setenv("TROTH_URL", home.stage.address)
    assert code_of("show", command=account) == "certificate-required"

    before, session = (machine / "certificate.pem").read_text(), home.session(ada)
    monkeypatch.delenv("TROTH_SESSION")
    run("renew")
    assert (machine / "certificate.pem").read_text() != before
    monkeypatch.setenv("TROTH_SESSION", session)
    run("revoke", "--device-id", mine["id"], "--yes")
    assert code_of("renew") == "device-revoked"


def test_a_folder_has_one_key_and_a_refused_enrolment_leaves_none(
    machine: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert code_of("renew") == "device-not-enrolled"
    monkeypatch.setenv("TROTH_SESSION", "troth_st_nobody")
    assert code_of("enrol") == "session-unknown"
    assert list(machine.iterdir()) == []


def test_a_second_key_is_not_made_and_an_open_one_not_used(
    home: Town, ada: Person, machine: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with signed_in(home, ada, monkeypatch):
        run("enrol")
    assert code_of("enrol") == "device-key-exists"
    (machine / "key.pem").chmod(0o644)
    assert code_of("renew") == "key-file-open"


def test_posture_is_an_administrators_word_about_somebody_else(home: Town, ada: Person) -> None:
    bob = home.member(ada, "bob@devices.example.org")
    his, hers = home.device(bob, "Bob's tablet"), home.device(ada)
    assert home.act(ada, "POST", f"/v1/fleet/{hers.id}/confirm").code == "own-device"
    assert home.act(bob, "POST", f"/v1/fleet/{his.id}/confirm").status == 403
    assert home.act(ada, "POST", f"/v1/fleet/{his.id}/confirm").status == 200
    fleet = {one["id"]: (one["name"], one["posture"]) for one in home.act(ada, "GET", "/v1/fleet").body["devices"]}
    assert fleet[his.id] == ("Bob's tablet", "managed")
    assert fleet[hers.id][1] == "unknown"
    own = {one["id"]: one["posture"] for one in home.act(bob, "GET", "/v1/devices").body["devices"]}
    assert own[his.id] == "managed"
    assert hers.id not in own


def test_an_old_session_enrols_nothing(home: Town, ada: Person) -> None:
    with within(SYSTEM):
        sessions = home.installation.troth.system.identity.sessions
        weak = sessions.open(ada.id, Proof("password", 1), "loopback").token
    answer = home.ask("POST", "/v1/devices", weak, first=True, name="x", request=request_by(fresh_key()))
    assert (answer.status, answer.code) == (403, "step-up-required")


def test_a_service_comes_with_a_certificate_and_gets_a_token_that_needs_it(
    home: Town, ada: Person, machine: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = home.act(ada, "POST", "/v1/services", name="builder", scopes=["own-data"], days=1)
    service, place = made.body["id"], tmp_path / "service"
    _at_the_second_door(home, ada, tmp_path / "hers", monkeypatch)
    assert service in run("enrol", "--service", service, "--folder", str(place)).output
    assert service in run("renew", "--folder", str(place)).output
    shown = Shown((place / "certificate.pem").read_text(), (place / "certificate.pem", place / "key.pem"))

    token = _token(home, service, shown)
    assert token
    reached = home.ask("GET", "/v1/objects", token, shown)
    stolen = home.ask("GET", "/v1/objects", token, first=True)
    assert (reached.status, stolen.status) == (200, 401), (reached, stolen)
    assert _token(home, service, home.device(ada).shown) == ""
    assert home.act(ada, "POST", f"/v1/services/{service}/disable").status == 200
    assert code_of("renew", "--folder", str(place)) == "service-unknown"


def _at_the_second_door(home: Town, who: Person, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Their machine: a session, and the certificate that binds it."""
    shown = home.device(who).shown
    folder.mkdir()
    for source, name in zip(shown.files, ("certificate.pem", "key.pem"), strict=True):
        (folder / name).write_bytes(source.read_bytes())
    monkeypatch.setenv("TROTH_URL", f"https://localhost:{home.second}")
    monkeypatch.setenv("TROTH_DEVICE", str(folder))


def _token(home: Town, service: str, shown: Shown) -> str:
    with home.line(shown) as line:
        form = f"grant_type=client_credentials&client_id={service}"
        line.request("POST", "/oauth/token", form, {"content-type": "application/x-www-form-urlencoded"})
        return str(json.loads(line.getresponse().read()).get("access_token", ""))


def test_a_key_of_a_service_is_brought_by_an_administrator_alone(home: Town, ada: Person) -> None:
    bob = home.member(ada, "mallory@devices.example.org")
    made = home.act(ada, "POST", "/v1/services", name="other", scopes=["own-data"], days=1)
    path, wish = f"/v1/services/{made.body['id']}/certificate", {"request": request_by(fresh_key())}
    assert home.act(bob, "POST", path, **wish).status == 403
    assert home.act(home.tenant("foreign"), "POST", path, **wish).status == 404
    assert home.ask("POST", path, first=True, **wish).status == 401


def test_a_key_in_a_file_comes_back(tmp_path: Path) -> None:
    key = fresh_key()
    assert private_key(private_pem(key)).public_key() == key.public_key()
    with pytest.raises(TrothError) as refusal:
        private_key(b"-----BEGIN")
    assert refusal.value.code == "bad-device-key"


def test_the_check_of_the_second_door_passes_and_could_have_failed(home: Town) -> None:
    troth = home.installation.troth
    (check,) = [one for one in CHECKS if one.id == "devices-handshake"]
    with within(SYSTEM):
        run = troth.runner.run(check)
        assert (run.result, run.control) == (Result.PASS, Result.FAIL)
        listener = troth.system.door.listener
        assert listener is not None
        troth.system.door.listener = replace(listener, mtls_port=None)
        try:
            assert troth.runner.run(check).result is Result.NOT_CONFIGURED
        finally:
            troth.system.door.listener = listener


def test_both_doors_are_probed_for_old_tls(home: Town) -> None:
    (check,) = [one for one in edge.CHECKS if one.id == "edge-tls-13-only"]
    with within(SYSTEM):
        run = home.installation.troth.runner.run(check)
    assert (run.result, run.control, run.tested) == (Result.PASS, Result.FAIL, 4)


def test_the_check_of_floods_gets_the_limits_of_the_door(home: Town) -> None:
    guard = home.installation.troth.system.door.guard
    assert guard is not None
    made, wanted = guard(), home.installation.troth.system.base.settings.server
    for _ in range(wanted.anonymous_per_minute):
        made.stranger("192.0.2.1")
    with pytest.raises(TrothError):
        made.stranger("192.0.2.1")
    made.close()


def test_every_route_is_asked_without_an_identity_within_the_limit_of_strangers(
    home: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    """There are more routes than one address may ask for in a minute, so several ask, over the network."""
    system, status, asked = home.installation.troth.system, edge._status, Counter[str]()

    def limited(listener: Listener, method: str, path: str, source: str | None) -> int:
        asked.update([str(source)])
        few = asked.total() % 40 == 0  # the others would take a second
        return (status(listener, method, path, source) if few else 401) if asked[str(source)] <= 120 else 429

    monkeypatch.setattr(edge, "_status", limited)
    monkeypatch.setattr(edge, "_of_one", lambda _system: 120)
    (check,) = [one for one in edge.CHECKS if one.id == "edge-no-identity-no-answer"]
    seen = check.observe(system)
    assert (seen.tested, seen.broken) == (seen.population, 0)
    assert seen.population > 240
    monkeypatch.setattr(edge, "_of_one", lambda _system: 1000)
    asked.clear()
    assert judge(check.observe(system)) is Result.ERROR, "what was not looked at is not kept"
