"""What a person says, sends and is called stands in no file of the server: before, during and after the erasure."""

from __future__ import annotations

import base64
import io
import json
import shutil
import zipfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx2
import pyotp
import pytest
from PIL import Image

from served import PASSWORD, Served, served
from troth.cli.demo.needles import found
from troth.cli.demo.protect import photo

NAME, EMAIL, PHONE = "Philippa Quickwater", "philippa.quickwater@kestrel-mail.example.org", "+44 20 7946 0321"
OWN_PASSWORD = "heron-lantern-Vellum-1908"
PROMPT = f"A calm poster of a walled orchard for {NAME}, {EMAIL}, {PHONE}"
TALK = f"Please write a short welcome note to {NAME}. Her address is {EMAIL}, her phone is {PHONE}."
FILE_NAME, NOTES = "orchard-diary-of-philippa.txt", "The gate key hangs behind the third beehive, says the diary."
REQUEST_ID = "ticket-4711-quickwater-orchard"
KEY_NAME = "laptop of quickwater"
WRONG_PASSWORD = "heron-lantern-Vellum-1907"


@dataclass
class Story:
    """What happened, and where each needle stood afterwards."""

    needles: dict[str, bytes] = field(default_factory=dict)
    hits: dict[str, list[str]] = field(default_factory=dict)
    export: dict[str, bytes] = field(default_factory=dict)
    refusals: list[str] = field(default_factory=list)
    kinds: set[str] = field(default_factory=set)

    def look(self, moment: str, *places: Path) -> None:
        self.hits[moment] = found(disguises(self.needles), places)
        self.kinds |= {path.suffix or path.name for place in places for path in place.rglob("*") if path.is_file()}


def disguises(needles: dict[str, bytes]) -> dict[str, bytes]:
    """Each needle as it is, and as an encoding would hide it."""
    made: dict[str, bytes] = {}
    for name, needle in needles.items():
        made[name] = needle
        made[f"{name}, hex"] = needle.hex().encode()
        if needle.isascii():
            made[f"{name}, lower case"] = needle.lower()
            made[f"{name}, UTF-16"] = needle.decode().encode("utf-16-le")
        for shift in range(3):  # wherever it stands in a base64 text, these inner bytes come out the same
            inner = base64.b64encode(b"\0" * shift + needle)[4 : -4 or None]
            if len(inner) >= 12:
                made[f"{name}, base64 at {shift}"] = inner
    return made


@pytest.fixture(scope="module")
def story(tmp_path_factory: pytest.TempPathFactory) -> Story:
    root = tmp_path_factory.mktemp("clear")
    told = Story(needles=said())
    with served(root) as server:
        live(server, told)
    told.look("stopped", root / "data", root / "server.log", root / "backup")
    return told


def said() -> dict[str, bytes]:
    raw = photo()
    middle = len(raw) // 2
    return {
        "name": NAME.encode(),
        "surname": b"Quickwater",
        "e-mail": EMAIL.encode(),
        "phone": PHONE.encode(),
        "phone digits": b"442079460321",
        "camera owner": b"Quillfeather",
        "photograph": raw[middle : middle + 48],
        "photograph, later": raw[-4000:-3952],
        "prompt": b"walled orchard",
        "conversation": b"short welcome note",
        "file name": FILE_NAME.encode(),
        "file": b"third beehive",
        "request id": REQUEST_ID.encode(),
        "name of a key": KEY_NAME.encode(),
        "password": OWN_PASSWORD.encode(),
        "wrong password": WRONG_PASSWORD.encode(),
    }


def live(server: Served, told: Story) -> None:
    stage = server.stage
    owner = server.tenant("kappa", display_name="Ottoline Marchbanks")
    told.needles |= {"name of the owner": b"Ottoline Marchbanks", "e-mail of the owner": b"owner@kappa.example.org"}
    session = settle(server, told, owner)
    key = make_key(server, told, session)
    work(server, told, key)
    refuse(server, told, session, key)
    read_pages(server, session)
    archive = stage.client(session).call("POST", "/v1/export", {}).content
    with zipfile.ZipFile(io.BytesIO(archive)) as opened:
        told.export = {name: opened.read(name) for name in opened.namelist()}
    told.look("before", stage.data, stage.journal)
    shutil.copytree(stage.data, stage.root / "backup")
    asked = stage.client(session).call("POST", "/v1/erasures/own", {"confirm": "erase everything about me"})
    assert asked.json()["state"] == "done"
    told.look("after", stage.data, stage.journal, stage.root / "backup")


def settle(server: Served, told: Story, owner: Any) -> str:
    """Philippa's first visit, step by step: every secret that is handed out is a needle."""
    stage = server.stage
    wish = {"email": EMAIL, "display_name": NAME, "roles": ["member"]}
    issued = stage.client(owner.session).call("POST", "/v1/users", wish).json()["password"]
    first = stage.client().call("POST", "/v1/sessions", {"email": EMAIL, "password": issued}).json()
    offered = stage.client(first["token"]).call("POST", "/v1/totp", {}).json()
    code = {"totp": pyotp.TOTP(offered["secret"]).now()}
    done = stage.client(first["token"]).call("POST", "/v1/totp/confirm", code).json()
    change = {"current": issued, "new": OWN_PASSWORD}
    fresh = stage.client(done["token"]).call("POST", "/v1/password", change).json()
    secrets = {
        "issued password": issued,
        "first session": first["token"],
        "second session": done["token"],
        "session": fresh["token"],
        "device": first["device"],
        "authenticator secret": offered["secret"],
        "recovery code": done["recovery_codes"][0],
    }
    told.needles |= {name: value.encode() for name, value in secrets.items()}
    padding = "=" * (-len(offered["secret"]) % 8)
    told.needles["authenticator secret, raw"] = base64.b32decode(offered["secret"] + padding)
    return str(fresh["token"])


def make_key(server: Served, told: Story, session: str) -> str:
    wish = {"name": KEY_NAME, "scopes": ["generate", "own-data", "own-data:write"], "days": 1}
    token = str(server.stage.client(session).call("POST", "/v1/keys", wish).json()["token"])
    told.needles |= {"key": token.encode(), "secret of the key": token.rpartition("_")[2].encode()}
    return token


def work(server: Served, told: Story, key: str) -> None:
    with server.openai(key) as client:
        client.files.create(file=("holiday.jpg", photo(), "image/jpeg"), purpose="vision")
        client.files.create(file=(FILE_NAME, NOTES.encode()), purpose="user_data")
        named = {"Idempotency-Key": REQUEST_ID}
        made = client.images.generate(
            prompt=PROMPT, size="256x256", response_format="b64_json", user=EMAIL, extra_headers=named
        )
        pixels = base64.b64decode((made.data or [])[0].b64_json or "")
        with Image.open(io.BytesIO(pixels)) as picture:
            assert picture.size == (256, 256)
        told.needles["generated picture"] = pixels[len(pixels) // 2 : len(pixels) // 2 + 48]
        linked = client.images.generate(prompt=PROMPT, size="96x96", response_format="url")
        told.needles["link"] = ((linked.data or [])[0].url or "").rpartition("/")[2].encode()
        client.images.edit(image=("holiday.jpg", photo(), "image/jpeg"), prompt=PROMPT)
        asked: Any = {"model": "troth-echo-1", "messages": [{"role": "user", "content": TALK}]}
        answer = client.chat.completions.create(**asked, store=True, metadata={"who": NAME})
        told.needles["answer"] = (answer.choices[0].message.content or "").encode()[:40]
        assert NAME in "".join(
            chunk.choices[0].delta.content or "" for chunk in client.chat.completions.create(**asked, stream=True)
        )


def refuse(server: Served, told: Story, session: str, key: str) -> None:
    """Bad input full of needles: none of it comes back, none of it is written."""
    bearer = {"authorization": f"Bearer {key}"}
    person = {"authorization": f"Bearer {session}"}
    disguised = photo().replace(b"\xff\xd9", b"")[:30_000]
    requests: list[tuple[str, str, dict[str, str], dict[str, Any]]] = [
        ("POST", "/v1/sessions", {}, {"json": {"email": EMAIL, "password": WRONG_PASSWORD, "totp": "123456"}}),
        ("POST", "/v1/sessions", {}, {"json": {"email": [EMAIL], "password": WRONG_PASSWORD, EMAIL: 1}}),
        ("POST", "/v1/images/generations", bearer, {"json": {"prompt": [PROMPT], EMAIL: NAME, "size": PHONE}}),
        ("POST", "/v1/images/generations", bearer, {"json": {"prompt": PROMPT, "model": EMAIL}}),
        ("POST", "/v1/images/generations", bearer, {"content": TALK.encode()}),
        ("POST", "/v1/images/generations", {**bearer, "idempotency-key": REQUEST_ID}, {"json": {"prompt": PROMPT}}),
        ("POST", "/v1/images/generations", {"authorization": f"Bearer {key}x"}, {"json": {"prompt": PROMPT}}),
        ("POST", "/v1/images/edits", bearer, {"files": {"image": ("me.jpg", disguised, "image/jpeg")},
                                              "data": {"prompt": PROMPT}}),
        ("POST", "/v1/files", bearer, {"files": {"file": (FILE_NAME + ".exe", NOTES.encode())},
                                       "data": {"purpose": NAME}}),
        ("GET", f"/v1/objects/{EMAIL}", bearer, {}),
        ("GET", f"/v1/objects?{EMAIL}={PHONE}", bearer, {}),
        ("GET", f"/v1/models/{EMAIL}", bearer, {}),
        ("GET", f"/{NAME}/{EMAIL}", person, {}),
        ("POST", "/v1/consents", person, {"json": {"purpose": NAME, "notice": EMAIL}}),
        ("POST", "/v1/password", person, {"json": {"current": WRONG_PASSWORD, "new": "short"}}),
        ("POST", "/sign-in", {"origin": server.stage.address}, {"data": {"email": EMAIL, "password": WRONG_PASSWORD}}),
    ]  # fmt: skip
    with httpx2.Client(base_url=server.stage.address, verify=server.context()) as client:
        for method, path, headers, sent in requests:
            response = client.request(method, path, headers=headers, **sent)
            assert response.status_code >= 400, (path, response.text)
            told.refusals.append(f"{path}: {response.text} {dict(response.headers)}")


def read_pages(server: Served, session: str) -> None:
    cookie = {"cookie": f"__Host-sid={session}"}
    with httpx2.Client(base_url=server.stage.address, verify=server.context(), headers=cookie) as client:
        for page in ("/", "/data", "/keys", "/account", "/activity", "/consent", "/erase", "/trust"):
            assert client.get(page, follow_redirects=True).status_code == 200, page


# What is asserted


def test_the_needles_are_real(story: Story) -> None:
    """They were all really given, or this would prove nothing: her own export shows them, files show planted ones."""
    everything = b"\n".join(story.export.values())
    given = json.dumps([content.decode("utf-8", "replace") for content in story.export.values()], ensure_ascii=False)
    for name in ("name", "e-mail", "phone", "prompt", "conversation", "file", "file name", "name of a key"):
        assert story.needles[name].decode() in given, name
    for name in ("photograph", "photograph, later", "generated picture"):
        assert story.needles[name] in everything, name
    assert story.needles["camera owner"] not in everything, "it was taken out at the door"
    assert PASSWORD not in given


def test_a_planted_needle_is_found(story: Story, tmp_path: Path) -> None:
    for number, needle in enumerate(disguises(story.needles).values()):
        (tmp_path / f"{number}.db-wal").write_bytes(b"x" * 100 + needle + b"y")
    hits = {hit.rpartition(" in ")[0] for hit in found(disguises(story.needles), [tmp_path])}
    assert hits == set(disguises(story.needles))


@pytest.mark.parametrize("moment", ["before", "after", "stopped"])
def test_no_needle_is_in_any_file(story: Story, moment: str) -> None:
    assert story.hits[moment] == []


def test_every_kind_of_file_was_looked_at(story: Story) -> None:
    assert {".db", ".db-wal", ".db-shm"} <= story.kinds


def test_no_needle_is_in_a_refusal(story: Story) -> None:
    needles = {name: needle for name, needle in story.needles.items() if needle.isascii()}
    told = [
        f"{name} in {refusal}"
        for refusal in story.refusals
        for name, needle in needles.items()
        if needle.decode() in refusal.partition(": ")[2]
        and not (refusal.startswith("/sign-in:") and name == "e-mail")  # the form gives back what was typed in it
    ]
    assert told == []
    assert len(story.refusals) > 10
