"""Pictures and videos cleaned by operations: what comes back, what is refused, and that nothing stays here."""

from __future__ import annotations

import base64
import io
import re
from typing import Any

import av
import pytest
from PIL import Image

from house import House, Person
from picture_world import MAIL, faces_in, portrait, read_in, saved, written
from portal_binding import SAME
from troth.gateway import picture_step
from troth.gateway.picture_step import reading_one, reading_video


@pytest.fixture(scope="module")
def owner(home: House) -> Person:
    return home.tenant("looking")


def sent(home: House, person: Person, kind: str, content: bytes, **fields: str) -> Any:
    files = {"file": ("Ada Quillfeather.png", content, "application/octet-stream")}
    return home.client.post(f"/v1/redactions/{kind}", headers=person.headers, files=files, data=fields)


def film() -> bytes:
    out = io.BytesIO()
    with av.open(out, "w", format="mp4") as container:
        container.metadata["title"] = "Ada"
        stream = container.add_stream("libx264", rate=24, options={"preset": "ultrafast"})
        stream.width, stream.height, stream.pix_fmt = 160, 160, "yuv420p"
        for _ in range(4):
            container.mux(stream.encode(av.VideoFrame.from_ndarray(portrait(side=160), format="rgb24")))
        container.mux(stream.encode(None))
    return out.getvalue()


def test_a_picture_comes_back_without_face_and_position(home: House, owner: Person) -> None:
    tags = Image.Exif()
    tags.get_ifd(0x8825).update({1: "N", 2: (48.0, 12.0, 30.0)})
    answer = sent(home, owner, "images", saved(portrait(side=160), "JPEG", exif=tags))
    assert answer.status_code == 200, answer.text
    told = answer.json()
    made = base64.b64decode(told.pop("data"))
    assert not faces_in(made)
    with Image.open(io.BytesIO(made)) as picture:
        assert not picture.getexif()
    assert told["counts"] == {"FACE": 1}
    assert (told["width"], told["height"], told["frames"], told["media_type"]) == (160, 160, 1, "image/jpeg")
    assert {"exif", "gps"} <= set(told["removed"])
    assert (told["faces"], told["policy"]) == ("blur", "vendor")


def test_words_go_and_a_wish_about_faces_counts(home: House, owner: Person) -> None:
    page = written([f"write to {MAIL}", "See you at noon"], size=(480, 320))
    page[110:310, 20:220] = portrait()[:200, 40:240]
    told = sent(home, owner, "images", saved(page), faces="keep", policy="training").json()
    made = base64.b64decode(told["data"])
    assert (told["counts"], told["faces"], told["policy"]) == ({"EMAIL": 1}, "keep", "training")
    assert faces_in(made)
    assert MAIL not in read_in(made)


def test_a_video_comes_back_without_face_and_title(home: House, owner: Person) -> None:
    told = sent(home, owner, "videos", film()).json()
    made = base64.b64decode(told.pop("data"))
    assert (told["counts"], told["frames"], told["media_type"]) == ({"FACE": 1}, 4, "video/mp4")
    assert "metadata" in told["removed"]
    with av.open(io.BytesIO(made)) as container:
        assert "title" not in container.metadata


def test_a_video_takes_no_turn_of_pictures(home: House, owner: Person, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(picture_step, "_PATIENCE", 0.01)
    with reading_one(), reading_one():
        assert sent(home, owner, "images", saved(portrait(side=160))).json()["code"] == "pictures-busy"
        assert sent(home, owner, "videos", film()).status_code == 200
    with reading_video():
        assert sent(home, owner, "videos", film()).json()["code"] == "video-busy"


@pytest.mark.parametrize(("kind", "content", "status", "code"), [
    ("images", b"%PDF-1.7 x", 415, "picture-type-unknown"),
    ("images", b"\x89PNG\r\n\x1a\n", 422, "broken-image"),
    ("videos", b"#EXTM3U", 415, "video-type-unknown"),
    ("videos", saved(portrait(side=160)), 415, "video-type-unknown"),
])  # fmt: skip
def test_what_is_refused(home: House, owner: Person, kind: str, content: bytes, status: int, code: str) -> None:
    answer = sent(home, owner, kind, content)
    assert answer.status_code == status
    assert answer.json()["code"] == code


def test_nothing_of_it_stays(home: House, owner: Person) -> None:
    sent(home, owner, "images", saved(written([f"write to {MAIL}"], size=(480, 64))))
    home.system.base.sequencer.flush()
    log = home.ok("GET", "/v1/activity", owner.headers)
    entry = next(e for e in log["entries"] if e["operation"] == "redaction.image" and e["phase"] == "closed")
    assert entry["facts"]["withheld"] == 1
    assert MAIL not in str(log)
    assert "Quillfeather" not in str(log)
    assert home.ok("GET", "/v1/objects", owner.headers)["objects"] == []


def test_the_page(home: House, owner: Person) -> None:
    cookie = {"cookie": f"__Host-sid={owner.headers['authorization'].removeprefix('Bearer ')}"} | SAME
    empty = home.client.get("/redact/picture", headers=cookie)
    assert empty.status_code == 200
    assert 'enctype="multipart/form-data"' in empty.text
    given = {"picture": ("me.jpg", saved(portrait(side=160), "JPEG"), "image/jpeg")}
    seen = home.client.post("/redact/picture?faces=fill", headers=cookie, files=given)
    assert seen.status_code == 200, seen.text
    assert '<span class="tag">FACE</span> Faces' in seen.text
    (made,) = set(re.findall(r'"data:image/jpeg;base64,([^"]+)"', seen.text))
    assert not faces_in(base64.b64decode(made))
    for content, says in ((b"", "Choose one picture"), (b"%PDF-1.7", "JPEG, PNG, WebP, GIF or TIFF")):
        refused = home.client.post("/redact/picture", headers=cookie, files={"picture": ("a", content, "x/y")})
        assert refused.status_code in (415, 422)
        assert says in refused.text
