"""An auditor takes the evidence away in one file, and checks it without the installation: by command and by page."""

from __future__ import annotations

import json
import zipfile
from base64 import b64decode
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from house import House, Person, house
from log_verifiers import Page, Refused, page_verifier
from log_world import TestKey
from troth.audit import verifier_page
from troth.cli.audit import audit
from troth.cli.client import Answer, Client
from troth.kernel.errors import IntegrityError, TrothError
from troth.vault.dsse import IN_TOTO, sign_envelope

Verify = Callable[[Path], dict[str, Any]]


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    with house(tmp_path_factory.mktemp("house")) as built:
        yield built


@pytest.fixture(scope="module")
def owner(home: House) -> Person:
    return home.tenant("bundled")


@pytest.fixture(scope="module")
def key(home: House, owner: Person) -> str:
    return str(home.system.base.sequencer.origins.key(owner.tenant))


@pytest.fixture(scope="module")
def bundle(home: House, owner: Person, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Made by the command itself; only the way to the server is the test's own."""
    folder = tmp_path_factory.mktemp("bundle")
    erased = home.ok("DELETE", f"/v1/objects/{home.picture(owner)['object']}", owner.headers)
    certificate = folder / "certificate.json"
    certificate.write_text(home.call("GET", f"/v1/certificates/{erased['certificate']}", owner.headers).text)
    home.system.base.sequencer.flush()

    bundled(home, owner, folder / "evidence.zip", certificate)
    return folder / "evidence.zip"


def bundled(home: House, owner: Person, target: Path, certificate: Path) -> None:
    def call(_self: Client, method: str, path: str, values: dict[str, Any] | None = None) -> Answer:
        response = home.call(method, path, owner.headers, **(values or {}))
        home.system.base.sequencer.flush(owner.tenant)  # being read makes a log grow, and checkpoints follow
        assert response.is_success, response.text
        return Answer(response.headers["content-type"], response.content)

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(Client, "call", call)
        command = ["bundle", str(target), "--certificate", str(certificate)]
        done = CliRunner().invoke(audit, command, catch_exceptions=False)
    assert done.exit_code == 0, done.output


@pytest.fixture(scope="module")
def running() -> Iterator[Page]:
    with page_verifier(Path(verifier_page.__file__).with_name(verifier_page.NAME)) as page:
        yield page


@pytest.fixture(params=["command", "page"])
def verify(request: pytest.FixtureRequest, key: str, running: Page) -> Verify:
    def by_command(path: Path) -> dict[str, Any]:
        done = CliRunner().invoke(audit, ["verify-bundle", str(path), "--key", key, "--json"])
        if isinstance(done.exception, TrothError):
            raise Refused(done.exception.advice)
        assert done.exit_code == 0, done.output
        found: dict[str, Any] = json.loads(done.stdout)
        return found

    return by_command if request.param == "command" else lambda path: running.ask(trust=key, bundle=path)


def contents(bundle: Path) -> dict[str, bytes]:
    with zipfile.ZipFile(bundle) as packed:
        return {one.filename: packed.read(one) for one in packed.infolist()}


def written(path: Path, files: dict[str, bytes]) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as packed:
        for name, content in files.items():
            packed.writestr(zipfile.ZipInfo(name), content)
    return path


def test_a_bundle_holds(bundle: Path, verify: Verify) -> None:
    found = verify(bundle)
    assert found["log"]["size"] == found["log"]["read"] > 5
    names = set(contents(bundle))
    assert {one for one in names if one.endswith(".tlog-proof")} | {"certificates/1.json"} == set(found["items"])
    assert len(found["items"]) == 2
    assert {"evidence.json", "keys.json", "README.txt", "verifier.html", "log/checkpoint"} <= names


def test_one_changed_byte_in_any_item_is_named(bundle: Path, verify: Verify, tmp_path: Path) -> None:
    files = contents(bundle)
    for number, (name, content) in enumerate(files.items()):
        changed = bytearray(content)
        changed[len(content) // 2] ^= 1
        path = written(tmp_path / f"{number}.zip", {**files, name: bytes(changed)})
        with pytest.raises(Refused) as caught:
            verify(path)
        item = "log: " if name.startswith("log/tile") else f"{name}: "
        assert str(caught.value).startswith(item), (name, str(caught.value))


@pytest.mark.parametrize("name", ["other.test", "troth.test"])
def test_a_certificate_of_another_installation_is_not_bundled(
    home: House, owner: Person, bundle: Path, tmp_path: Path, name: str
) -> None:
    statement = json.loads(b64decode(json.loads(contents(bundle)["certificates/1.json"])["payload"]))
    theirs = tmp_path / "theirs.json"
    theirs.write_bytes(sign_envelope(statement, IN_TOTO, TestKey(name, b"\x09" * 32)))
    with pytest.raises(IntegrityError, match=r"^certificates/1\.json: "):
        bundled(home, owner, tmp_path / "evidence.zip", theirs)
    assert not (tmp_path / "evidence.zip").exists()


@pytest.mark.parametrize("name", ["keys.json", "evidence.json", "log/checkpoint", "verifier.html"])
def test_a_missing_item_is_named(bundle: Path, verify: Verify, tmp_path: Path, name: str) -> None:
    files = contents(bundle)
    del files[name]
    with pytest.raises(Refused, match=name):
        verify(written(tmp_path / "missing.zip", files))


@pytest.mark.parametrize("name", ["certificates/2.json", "log/tile/0/009", "more.txt"])
def test_an_item_that_nobody_signed_is_named(bundle: Path, verify: Verify, tmp_path: Path, name: str) -> None:
    files = contents(bundle)
    with pytest.raises(Refused, match=name):
        verify(written(tmp_path / "more.zip", {**files, name: files["certificates/1.json"]}))


def test_a_byte_changed_in_the_file_itself_is_no_fault_of_ours(bundle: Path, verify: Verify, tmp_path: Path) -> None:
    content = bundle.read_bytes()
    end = len(content) - 22  # where the record of the list of members is, each byte of it
    for at in (*range(0, end, end // 40), *range(end, len(content))):
        (tmp_path / "bent.zip").write_bytes(content[:at] + bytes([content[at] ^ 1]) + content[at + 1 :])
        try:
            verify(tmp_path / "bent.zip")
        except Refused:
            continue
        with suppress(zipfile.BadZipFile, RuntimeError):  # a mark that only zipfile minds
            assert contents(tmp_path / "bent.zip") == contents(bundle)  # a date or the like, which is no evidence


def test_another_installations_key_does_not_hold(bundle: Path, key: str, running: Page) -> None:
    stranger = "other.test/log/ten_x+57cf5e88+" + key.rpartition("+")[2]
    with pytest.raises(Refused):
        running.ask(trust=stranger, bundle=bundle)
    with pytest.raises(IntegrityError):
        CliRunner().invoke(audit, ["verify-bundle", str(bundle), "--key", stranger], catch_exceptions=False)


def test_only_auditors_have_evidence_signed(home: House, owner: Person) -> None:
    member = home.member(owner, "m@bundled.example.org")
    wish = {"items": {"a": "0" * 64}}
    assert home.call("POST", "/v1/evidence", member.headers, **wish).status_code == 403
    assert home.call("POST", "/v1/evidence", owner.headers, **wish).status_code == 200
    for items in ({}, {"../a": "0" * 64}, {"a": "0"}, {f"a{one}": "0" * 64 for one in range(2001)}):
        assert home.call("POST", "/v1/evidence", owner.headers, items=items).status_code == 422
