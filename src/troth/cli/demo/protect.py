"""Chapter "protect": a photograph, a picture and a conversation, with the official OpenAI client."""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass
from importlib.resources import files
from typing import TYPE_CHECKING, Any

from troth.cli.client import Refused
from troth.cli.demo import needles
from troth.cli.demo.narration import Narration
from troth.cli.demo.stage import Person, Stage

if TYPE_CHECKING:
    from openai import OpenAI

NAME, EMAIL, PHONE = "Maria Gonzalez", "maria.gonzalez@aurora-mail.example.org", "+44 20 7946 0958"
IMAGE_PROMPT = f'A calm poster of mountains at sunset with the words "Welcome" for {NAME}, {EMAIL}, {PHONE}'
CHAT = f"Please write a short welcome note to {NAME}. Her address is {EMAIL}, her phone is {PHONE}."
_PIECE = 48  # bytes of the photograph that would betray a copy in clear


@dataclass(frozen=True, slots=True)
class Kept:
    """What the chapter leaves behind."""

    picture: str  # object id
    needles: dict[str, bytes]


def photo() -> bytes:
    """A real photograph with an owner's name and a GPS position in its metadata."""
    return files("troth.gateway.samples").joinpath("photo.jpg").read_bytes()


def protect(say: Narration, stage: Stage, maria: Person, key: str) -> Kept:
    """Run the chapter. Every step goes through the gateway over TLS 1.3."""
    say.chapter("2 · protect", "The official OpenAI client; only its base_url and api_key were changed.")
    client = openai_client(stage, key)
    hidden = _needles(photo())
    _photo(say, stage, client, maria)
    picture = _picture(say, stage, client, maria)
    _edit(say, stage, client)
    _chat(say, stage, client, maria)
    _on_disk(say, stage, hidden)
    return Kept(picture, hidden)


def openai_client(stage: Stage, key: str) -> OpenAI:
    """The official client; TLS is checked against the demonstration's own authority."""
    import ssl

    import httpx2
    from openai import OpenAI

    context = ssl.create_default_context(cafile=stage.authority)
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    return OpenAI(base_url=f"{stage.address}/v1", api_key=key, http_client=httpx2.Client(verify=context), max_retries=0)


def strangers_get_nothing(say: Narration, stage: Stage, other_key: str, picture: str) -> None:
    """Chapter 3: the other tenant asks for Maria's picture."""
    say.chapter("3 · isolation", "Another tenant asks for the same object by its id, with a valid key of its own.")
    try:
        stage.client(other_key).call("GET", f"/v1/objects/{picture}")
        code = "answered"
    except Refused as refusal:
        code = refusal.code
    say.expect(code == "not-found", f"the other tenant gets 404, as if it did not exist [dim](code {code})[/]")


def _photo(say: Narration, stage: Stage, client: OpenAI, maria: Person) -> None:
    raw = photo()
    kept = client.files.create(file=("holiday.jpg", raw, "image/jpeg"), purpose="vision")
    say.tell("came in", f"a photograph of {len(raw):,} bytes; its metadata names an owner and a GPS position")
    clean = stage.client(maria.session).call("GET", f"/v1/objects/{kept.id}/content").content
    personal = [word for word in (b"Quillfeather", b"GPS", b"Exif\x00\x00MM") if word in raw]
    say.expect(bool(personal) and not any(word in clean for word in personal), "owner, camera and GPS are gone from it")
    say.expect(_pixels(raw) == _pixels(clean), "every pixel is as it was")


def _picture(say: Narration, stage: Stage, client: OpenAI, maria: Person) -> str:
    say.tell("prompt", IMAGE_PROMPT)
    made = client.images.generate(
        model="troth-studio-1", prompt=IMAGE_PROMPT, size="1024x1024", response_format="b64_json"
    )
    content = base64.b64decode((made.data or [])[0].b64_json or "")
    (stage.shown / "poster.png").write_bytes(content)
    receipt = _receipt(stage, maria, str(made._request_id))
    sent = json.dumps(receipt["sent"], ensure_ascii=False)
    say.tell("the vendor received", receipt["sent"].get("prompt"))
    say.expect(not any(one in sent for one in (NAME, EMAIL, PHONE)), "name, e-mail and phone never reached the vendor")
    _credentials(say, stage, content)
    say.tell("came back", f"{stage.shown / 'poster.png'} ({len(content):,} bytes)")
    return str(receipt["objects"][0])


def _edit(say: Narration, stage: Stage, client: OpenAI) -> None:
    edited = client.images.edit(
        model="troth-studio-1",
        image=("holiday.jpg", photo(), "image/jpeg"),
        prompt="make it black and white with a border",
        response_format="b64_json",
    )
    content = base64.b64decode((edited.data or [])[0].b64_json or "")
    (stage.shown / "edited.png").write_bytes(content)
    say.expect(content.startswith(b"\x89PNG"), f"the photograph was edited: {stage.shown / 'edited.png'}")


def _credentials(say: Narration, stage: Stage, content: bytes) -> None:
    """Read the content credentials with a second, independent implementation (encypher-c2pa, Rust)."""
    import encypher_c2pa

    anchor = stage.client().call("GET", "/.well-known/troth.json").json()["content_credentials"]
    read = encypher_c2pa.verify(
        content, "image/png", telemetry=False, online=False, no_default_trust=True, trust_pem=anchor
    )
    found: dict[str, Any] = dict(read)
    (stage.shown / "poster.credentials.json").write_text(json.dumps(found, indent=2, default=str))
    holds = (found["integrity"], found["signature"], found["hard_binding"]) == ("valid", "valid", "match")
    say.expect(holds, "an independent reader (encypher-c2pa) confirms its content credentials")


def _chat(say: Narration, stage: Stage, client: OpenAI, maria: Person) -> None:
    answer = client.chat.completions.create(model="troth-echo-1", messages=[{"role": "user", "content": CHAT}])
    receipt = _receipt(stage, maria, str(answer._request_id))
    sent = json.dumps(receipt["sent"], ensure_ascii=False)
    say.tell("you asked", CHAT)
    say.tell("the vendor received", receipt["sent"]["messages"][-1]["content"])
    said = answer.choices[0].message.content or ""
    say.tell("you got back", said)
    say.expect(not any(one in sent for one in (NAME, EMAIL, PHONE)), "the vendor saw placeholders only")
    say.expect(NAME in said, "the answer has the real name again")
    chunks = client.chat.completions.create(
        model="troth-echo-1", messages=[{"role": "user", "content": CHAT}], stream=True
    )
    pieces = [chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices]
    say.expect(NAME in "".join(pieces), f"so has a streamed answer of {len(pieces)} pieces, cut anywhere")


def _on_disk(say: Narration, stage: Stage, hidden: dict[str, bytes]) -> None:
    stored = sorted((stage.data / "objects").rglob("*"), key=lambda path: path.stat().st_mtime)
    sealed = [path for path in stored if path.is_file() and path.read_bytes()[:4] == b"TOB1"]
    say.tell("the ciphertext lies in", f"{sealed[-1]} (first bytes {sealed[-1].read_bytes()[:4]!r}, AES-256-GCM)")
    count, size = needles.size_of([stage.data, stage.journal])
    hits = needles.found(hidden, [stage.data, stage.journal])
    say.expect(not hits, f"none of {len(hidden)} needles is in any of {count} files ({size:,} bytes) {hits or ''}")


def _needles(raw: bytes) -> dict[str, bytes]:
    middle = len(raw) // 2
    return {
        "name": NAME.encode(),
        "e-mail": EMAIL.encode(),
        "phone": PHONE.encode(),
        "phone digits": b"442079460958",
        "camera owner": b"Quillfeather",
        "photograph": raw[middle : middle + _PIECE],
        "photograph, later": raw[-4000 : -4000 + _PIECE],
    }


def _receipt(stage: Stage, maria: Person, request: str) -> dict[str, Any]:
    found: dict[str, Any] = stage.client(maria.session).call("GET", f"/v1/receipts/{request}").json()
    return found


def _pixels(content: bytes) -> bytes:
    import io

    from PIL import Image

    with Image.open(io.BytesIO(content)) as picture:
        return picture.convert("RGB").tobytes()
