"""Bad requests: how they are written, sent and judged; a refusal is typed, says what to do and leaves nothing."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sqlalchemy import text

from house import House

CHAT = "/v1/chat/completions"
PICTURES = "/v1/images/generations"
EDITS = "/v1/images/edits"
FILES = "/v1/files"
NEVER_SEEN = "Quillfeather-hidden"  # stands in bad values; no answer may repeat it


@dataclass(frozen=True)
class Bad:
    """One bad request and what must come of it."""

    name: str
    code: str
    status: int
    path: str
    method: str = "POST"
    headers: dict[str, str] = field(default_factory=dict)
    sent: dict[str, Any] = field(default_factory=dict)

    def __str__(self) -> str:
        return self.name


def talk(name: str, value: dict[str, Any], code: str, status: int = 422) -> Bad:
    said = {"model": "troth-echo-1", "messages": [{"role": "user", "content": "Hello"}]}
    return Bad(name, code, status, CHAT, sent={"json": said | value})


def form(*parts: bytes, boundary: bytes = b"x") -> bytes:
    return b"".join(b"--" + boundary + b"\r\n" + part + b"\r\n" for part in parts) + b"--" + boundary + b"--\r\n"


def part(name: str, value: bytes, filename: str | None = None) -> bytes:
    disposition = f'form-data; name="{name}"' + (f'; filename="{filename}"' if filename is not None else "")
    return b"Content-Disposition: " + disposition.encode() + b"\r\n\r\n" + value


def ask(home: House, bad: Bad, headers: dict[str, str]) -> Any:
    sent = {name.encode(): value.encode("latin-1") for name, value in {**headers, **bad.headers}.items()}
    return home.client.request(bad.method, bad.path, headers=sent, **bad.sent)  # type: ignore[arg-type]


def code_of(response: Any) -> str:
    said = response.json()
    return str(said.get("error", said)["code"]).replace("_", "-")


def request_of(response: Any) -> str:
    return str(response.headers.get("x-request-id") or response.json()["request"])


def assert_says_what_to_do(response: Any) -> None:
    said = response.json()
    sentence = said["error"]["message"] if "error" in said else said["detail"]
    assert len(sentence.split()) >= 4
    assert sentence.endswith(".")
    for inside in (NEVER_SEEN, "Traceback", "pydantic", "sqlalchemy", "/src/", "site-packages"):
        assert inside not in response.text


def kept(home: House) -> tuple[int, int, int, int]:
    """(objects, receipts, blobs, files in the data folder's object store)."""
    with home.system.base.database.read() as connection:
        objects = connection.execute(text("SELECT count(*) FROM vault_object")).scalar_one()
        receipts = connection.execute(text("SELECT count(*) FROM receipts")).scalar_one()
    store = home.folder / "data" / "objects"
    files = sum(1 for path in Path(store).rglob("*") if path.is_file())
    return int(objects), int(receipts), len(list(home.system.base.objects.names())), files


def record(home: House, reader: dict[str, str], request: str) -> tuple[str, str | None]:
    """(outcome, code) of the one closing entry of a request in the tenant's log."""
    home.system.base.sequencer.flush()
    entries = home.ok("GET", "/v1/activity", reader, limit=50)["entries"]
    (closing,) = [one for one in entries if one["request"] == request and one["phase"] == "closed"]
    assert NEVER_SEEN not in json.dumps(closing)
    return closing["outcome"], closing["code"]


def records(home: House, reader: dict[str, str]) -> list[tuple[str, str | None]]:
    entries = home.ok("GET", "/v1/activity", reader, limit=20)["entries"]
    return [(one["outcome"], one["code"]) for one in entries]


def assert_refused(home: House, bad: Bad, headers: dict[str, str], reader: dict[str, str]) -> None:
    """Sends it: the status and code it should have, nothing kept, and one closed record that `reader` can see."""
    before = kept(home)
    response = ask(home, bad, headers)
    assert (response.status_code, code_of(response)) == (bad.status, bad.code), response.text
    assert_says_what_to_do(response)
    assert kept(home) == before
    assert record(home, reader, request_of(response)) == ("refused", bad.code)
