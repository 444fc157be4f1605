"""The offline verifier in a real browser: opened as a file, without a network, and as the portal serves it."""

from __future__ import annotations

import shutil
import time
import zipfile
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path

import pytest
from click.testing import CliRunner
from playwright.sync_api import Browser, Page, expect

from browser.portal_world import Visit, World, accessible, fits
from database_world import opened
from log_world import World as LogWorld
from troth.audit.export import export_log
from troth.audit.note import VerifierKey
from troth.audit.verifier_page import NAME, content_policy, verifier_page
from troth.cli import kept as kept_session
from troth.cli.audit import audit
from troth.kernel.errors import TrothError, Unavailable
from troth.storage.blobs import LocalBlobs
from troth.vault.evidence_bundle import sign_evidence

SIZE = 300


@pytest.fixture(scope="module")
def log(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LogWorld]:
    folder = tmp_path_factory.mktemp("log")
    with opened("sqlite", folder) as database:
        world = LogWorld(database, LocalBlobs(folder / "blobs"), folder)
        world.grow(SIZE, log="ten_a")
        export_log(world.resource("ten_a"), folder / "log")
        (folder / "entry.tlog-proof").write_text(world.prover.proof("ten_a", 42))
        (folder / "entry.json").write_bytes(world.reader.entry("ten_a", 42))
        (folder / NAME).write_bytes(verifier_page())
        yield world
        world.sequencer.stop()


def evidence(log: LogWorld, target: Path, copy: Path | None = None) -> Path:
    """An evidence bundle of that log, or of a copy of it."""
    folder = copy or log.folder / "log"
    files = {f"log/{path.relative_to(folder)}": path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    digests = {"log/checkpoint": sha256(files["log/checkpoint"]).hexdigest()}
    files["evidence.json"] = sign_evidence(digests, {"made_at": 1, "promises": {"counts": {"kept": 7}}}, log.key)
    with zipfile.ZipFile(target, "w") as packed:
        for name, content in files.items():
            packed.writestr(name, content)
    return target


def found(page: Page, *, folder: Path | None = None, files: list[Path] | None = None) -> str:
    """Give it that, and wait for its verdict."""
    page.get_by_role("button", name="Start again").click()
    if folder:
        page.get_by_label("Folder").set_input_files(folder)
    if files:
        page.get_by_label("Files").set_input_files(files)
    page.get_by_role("button", name="Check", exact=True).click()
    expect(page.locator("#state[class]:not([class=''])")).to_have_count(1)
    return page.locator("#results").inner_text()


def test_from_a_file_without_a_network(browser: Browser, log: LogWorld, tmp_path: Path) -> None:
    context = browser.new_context(offline=True, reduced_motion="reduce")
    try:
        page = context.new_page()
        asked: list[str] = []
        page.on("request", lambda request: asked.append(request.url))
        complaints: list[str] = []
        page.on("console", lambda message: complaints.append(message.text))
        page.goto((log.folder / NAME).as_uri())
        accessible(page)
        fits(page)
        page.get_by_label("The log's verifier key").fill(log.vkey("ten_a"))
        assert f"all {SIZE} entries stand" in found(page, folder=log.folder / "log")
        expect(page.locator("#state")).to_have_class("unknown")  # no witness and no kept checkpoint: never green
        assert "No witness was asked for" in page.locator("#results").inner_text()

        bent = tmp_path / "bent"
        shutil.copytree(log.folder / "log", bent)
        bundle = bent / "tile/entries/000"
        bundle.write_bytes(bundle.read_bytes().replace(b'"req_77"', b'"req_78"'))
        assert "Entry 77: its bytes do not have the hash" in found(page, folder=bent)
        expect(page.locator("#state")).to_have_class("fails")

        proof, entry = log.folder / "entry.tlog-proof", log.folder / "entry.json"
        assert "the entry stands at index 42" in found(page, files=[proof, entry])
        (tmp_path / "entry.json").write_bytes(b"{}")
        assert "Entry 42: the proof does not lead" in found(page, files=[proof, tmp_path / "entry.json"])
        accessible(page)

        assert "promises 7 kept" in found(page, files=[evidence(log, tmp_path / "evidence.zip")])
        content = (tmp_path / "evidence.zip").read_bytes().replace(b'"req_77"', b'"req_78"')
        (tmp_path / "damaged.zip").write_bytes(content)
        assert "log/tile/entries/000: it is damaged" in found(page, files=[tmp_path / "damaged.zip"])
        evidence(log, tmp_path / "evidence.zip", bent)
        assert "log: Entry 77: its bytes" in found(page, files=[tmp_path / "evidence.zip"])

        page.get_by_label("The log's verifier key").fill("")
        assert "Say whom you trust" in found(page, folder=log.folder / "log")
        assert asked == [(log.folder / NAME).as_uri()]
        assert complaints == []
    finally:
        context.close()


def test_as_the_portal_serves_it(visit: Visit) -> None:
    page = visit()
    page.goto("/verify")
    page.get_by_role("link", name="check it in your browser").click()
    expect(page.locator("h1")).to_have_text("Check a log, a proof or an evidence bundle")
    accessible(page)
    answer = page.context.request.get("/verifier.html")
    assert answer.body() == verifier_page()
    assert answer.headers["content-security-policy"] == content_policy()
    page.get_by_role("button", name="Check", exact=True).click()
    expect(page.locator("#state")).to_have_text("Something does not hold.")


def signed_within(world: World, seconds: float) -> None:
    """Wait for the first checkpoint of a tenant that is a moment old."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        try:
            world.client(world.owner.session).call("GET", "/v1/log/checkpoint")
        except TrothError:
            time.sleep(0.2)
        else:
            return


def test_the_command_line_reads_and_takes_evidence_over_https(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Here because the server runs here: a tenant's log while it grows, the public meta log, and a bundle."""
    world.stage.keep(world.owner.session)
    for name, value in {
        "TROTH_URL": world.stage.address,
        "TROTH_CA": str(world.stage.authority),
        "TROTH_SESSION": world.owner.session,
    }.items():
        monkeypatch.setenv(name, value)
    logs = world.client().call("GET", "/.well-known/troth.json").json()["logs"]
    key = VerifierKey(f"{logs['host']}/log/{world.tenant}", bytes.fromhex(logs["key"]))

    def run(*arguments: object) -> str:
        done = CliRunner().invoke(audit, [str(one) for one in arguments], catch_exceptions=False)
        assert done.exit_code == 0, done.output
        return done.output

    kept = tmp_path / "kept"
    signed_within(world, seconds=20)
    for _ in range(2):
        assert "entries stand" in run("verify", f"{world.stage.address}/v1/log", "--key", key, "--remember", kept)
    meta = VerifierKey(f"{logs['host']}/log/meta", key.public_key)
    monkeypatch.delenv("TROTH_SESSION")
    kept_session.keep(world.stage.address, None)
    assert "entries stand" in run("verify", f"{world.stage.address}/v1/meta-log", "--key", meta)
    with pytest.raises(Unavailable, match="TROTH_SESSION"):
        run("verify", f"{world.stage.address}/v1/log", "--key", key)
    monkeypatch.setenv("TROTH_SESSION", world.owner.session)
    world.stage.keep(world.owner.session)
    run("bundle", tmp_path / "evidence.zip")
    assert "The bundle holds" in run("verify-bundle", tmp_path / "evidence.zip", "--key", key, "--trusted", kept)
    run("export", tmp_path / "log")
    assert (tmp_path / "log" / NAME).read_bytes() == verifier_page()
    assert "contains the checkpoint" in run("verify", tmp_path / "log", "--key", key, "--trusted", kept)
