"""What a vendor gets of pictures: no faces in conversations, no personal words, and nothing that was not read."""

import base64
import re
from collections.abc import Coroutine
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from gateway_world import Upstream, World, serving
from picture_world import MAIL, faces_in, portrait, read_in, saved, written
from troth.gateway.wire.chat import CompleteChat
from troth.gateway.wire.images import EditImages
from troth.gateway.wire.upload import Upload
from troth.kernel.errors import TrothError, Unavailable
from troth.redact.picture_rules import PictureRules
from troth.redact.pictures import faces, looking
from troth.redact.policy import vendor_policy


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


def with_words() -> bytes:
    """Somebody's portrait over an e-mail address."""
    page = written([f"write to {MAIL}", "See you at noon"], size=(480, 320), letters=26)
    page[110:310, 20:220] = portrait()[:200, 40:240]
    return saved(page)


def asked(world: World, work: Any) -> Upstream:
    upstream = Upstream()

    async def all_of_it() -> None:
        async with serving(upstream):
            world.add_vendor(upstream.url)
            await work()

    world.run(all_of_it())
    return upstream


def chat(picture: bytes) -> CompleteChat:
    url = "data:image/png;base64," + base64.b64encode(picture).decode()
    part = {"type": "image_url", "image_url": {"url": url}}
    return CompleteChat.model_validate({"model": "acme-chat", "messages": [{"role": "user", "content": [part]}]})


def edit(picture: bytes, mask: bytes | None = None) -> EditImages:
    upload = Upload(filename="me.png", media_type="image/png", content=picture)
    other = Upload(filename="mask.png", media_type="image/png", content=mask) if mask else None
    return EditImages(image=[upload], mask=other, prompt="A hat", model="acme-image")


def sent_in_chat(upstream: Upstream) -> bytes:
    url = upstream.requests[0]["messages"][0]["content"][0]["image_url"]["url"]
    return base64.b64decode(url.partition(",")[2])


def sent_in_edit(upstream: Upstream) -> list[bytes]:
    return [part[: part.index(b"IEND") + 8] for part in re.split(rb"(?=\x89PNG)", upstream.requests[0])[1:]]


def test_a_conversation_shows_no_face_and_no_address(world: World) -> None:
    call = world.call()
    assert faces_in(with_words())
    assert MAIL in read_in(with_words())
    upstream = asked(world, lambda: world.chat.complete(call, chat(with_words())))
    got = sent_in_chat(upstream)
    assert not faces_in(got)
    assert MAIL not in read_in(got)
    assert "See you at noon" in read_in(got)
    receipt = world.receipt(call)
    assert receipt.withheld == {"EMAIL": 1, "FACE": 1}
    assert receipt.pictures == {"metadata": "removed", "faces": "blur", "words": "fill", "codes": "fill"}


def test_an_edit_keeps_the_face_and_not_the_address_and_the_receipt_says_so(world: World) -> None:
    call = world.call()
    mask = np.dstack([written([MAIL], size=(480, 320)), np.full((320, 480), 255, np.uint8)])
    upstream = asked(world, lambda: world.images.edit(call, edit(with_words(), saved(mask))))
    picture, hole = sent_in_edit(upstream)
    assert faces_in(picture)
    assert MAIL not in read_in(picture)
    assert MAIL not in read_in(hole)
    receipt = world.receipt(call)
    assert receipt.withheld == {"EMAIL": 2}
    assert receipt.pictures == {"metadata": "removed", "faces": "keep", "words": "fill", "codes": "fill"}


def test_a_tenant_may_say_otherwise(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    strict = vendor_policy().model_copy(update={"pictures": PictureRules(faces_in_edits="fill")})
    monkeypatch.setattr(world.redactor, "_policy_of", lambda _tenant: strict)
    upstream = asked(world, lambda: world.images.edit(world.call(), edit(with_words())))
    assert not faces_in(sent_in_edit(upstream)[0])


def test_nothing_personal_leaves_the_picture_as_it_was(world: World) -> None:
    plain = saved(written(["See you at noon"]))
    assert sent_in_chat(asked(world, lambda: world.chat.complete(world.call(), chat(plain)))) == plain


@pytest.mark.parametrize("fault", ["extra-missing", "detector-down"])
@pytest.mark.parametrize("way", ["chat", "edit"])
def test_a_picture_that_cannot_be_read_does_not_leave(
    world: World, monkeypatch: pytest.MonkeyPatch, fault: str, way: str
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise Unavailable("no", code=fault)

    if fault == "extra-missing":
        monkeypatch.setattr(looking.faces, "faces", refuse)
    else:
        monkeypatch.setattr(faces.Faces, "_run", refuse)
        monkeypatch.setattr(world.redactor, "_policy_of", lambda _tenant: _blurring())

    async def refused() -> None:
        work: Coroutine[Any, Any, Any] = (
            world.chat.complete(world.call(), chat(with_words()))
            if way == "chat"
            else world.images.edit(world.call(), edit(with_words()))
        )
        with pytest.raises(TrothError) as refusal:
            await work
        assert refusal.value.code == "pictures-unread"

    assert asked(world, refused).received == b""


def _blurring() -> Any:
    return vendor_policy().model_copy(update={"pictures": PictureRules(faces_in_edits="blur")})


def test_what_stays_in_this_process_is_not_read(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    def never(*_: object) -> None:
        raise AssertionError

    monkeypatch.setattr(looking.Eye, "__init__", never)
    request = edit(saved(portrait())).model_copy(update={"model": None, "prompt": "warmer"})
    assert world.run(world.images.edit(world.call(), request))


def test_the_weaker_wish_of_a_tenant_does_not_count() -> None:
    floor = PictureRules(faces="fill", faces_in_edits="keep")
    assert PictureRules(faces="keep", faces_in_edits="keep").over(floor) == floor
    assert PictureRules(faces="remove", faces_in_edits="blur").over(floor).faces_in_edits == "blur"
