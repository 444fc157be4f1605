from __future__ import annotations

import io
import time
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from threading import BoundedSemaphore

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from PIL import Image

from troth.gateway.intake import Admitted, Limits, admit_image, image
from troth.kernel.errors import Invalid, Malformed, TooLarge, TrothError, Unavailable, UnsupportedMedia
from unit.gateway.intake import pictures

PICTURES = {
    "jpeg": (pictures.jpeg(), "image/jpeg"),
    "progressive": (pictures.jpeg(progressive=True), "image/jpeg"),
    "png": (pictures.png(), "image/png"),
    "palette": (pictures.png(mode="P"), "image/png"),
    "webp": (pictures.webp(), "image/webp"),
    "lossless": (pictures.webp(lossless=True), "image/webp"),
    "animated": (pictures.webp(frames=3), "image/webp"),
}
EVERY = pytest.mark.parametrize(("content", "media_type"), PICTURES.values(), ids=PICTURES)


@EVERY
def test_personal_metadata_goes_and_pixels_stay(content: bytes, media_type: str) -> None:
    assert pictures.NEEDLE.encode() in content
    admitted = admit_image(content, media_type)
    assert admitted.media_type == media_type
    assert {"exif", "gps", "xmp", "maker-note", "author"} <= set(admitted.removed)
    assert pictures.NEEDLE.encode() not in admitted.content
    assert b"GPS" not in admitted.content
    assert pictures.pixels(admitted.content) == pictures.pixels(content)


@EVERY
def test_colour_profile_is_kept(content: bytes, media_type: str) -> None:
    admitted = admit_image(content, media_type)
    with Image.open(io.BytesIO(admitted.content)) as image:
        assert image.info["icc_profile"] == pictures.PROFILE
    assert "icc" in admitted.kept


@pytest.mark.parametrize("orientation", [2, 3, 6, 8])
@pytest.mark.parametrize("make", [pictures.jpeg, pictures.png, pictures.webp])
def test_orientation_survives_alone(make: object, orientation: int) -> None:
    content = make(orientation)  # type: ignore[operator]
    with Image.open(io.BytesIO(content)) as image:
        media_type = Image.MIME[str(image.format)]
    admitted = admit_image(content, media_type)
    with Image.open(io.BytesIO(admitted.content)) as image:
        assert dict(image.getexif()) == {0x0112: orientation}
    assert "orientation" in admitted.kept


@EVERY
def test_admitting_twice_changes_nothing(content: bytes, media_type: str) -> None:
    once = admit_image(content, media_type)
    twice = admit_image(once.content, media_type)
    assert twice.content == once.content
    assert twice.removed == ()


@EVERY
def test_bytes_after_the_picture_are_cut_off(content: bytes, media_type: str) -> None:
    film = b"\0\0\0\x18ftypmp42" + bytes(200)  # phones append the seconds around a photograph
    admitted = admit_image(content + film, media_type)
    assert "trailing-data" in admitted.removed
    assert admitted.content == admit_image(content, media_type).content


@EVERY
def test_an_archive_after_the_picture_is_refused(content: bytes, media_type: str) -> None:
    hidden = io.BytesIO()
    with zipfile.ZipFile(hidden, "w") as archive:
        archive.writestr("payload.txt", "hidden")
    with pytest.raises(Invalid) as refusal:
        admit_image(content + hidden.getvalue(), media_type)
    assert refusal.value.code == "malware-found"


@EVERY
@pytest.mark.parametrize("share", [0.3, 0.6, 0.95])
def test_truncated_picture_is_broken(content: bytes, media_type: str, share: float) -> None:
    with pytest.raises(Invalid) as refusal:
        admit_image(content[: int(len(content) * share)], media_type)
    assert refusal.value.code == "broken-image"


@EVERY
def test_wrong_declared_type_is_refused(content: bytes, media_type: str) -> None:
    wrong = "image/png" if media_type != "image/png" else "image/jpeg"
    with pytest.raises(Malformed) as refusal:
        admit_image(content, wrong)
    assert refusal.value.code == "content-type-mismatch"


@pytest.mark.parametrize("declared", ["", "application/octet-stream", "image/jpg", "IMAGE/JPEG; q=1"])
def test_undeclared_and_odd_spellings_are_judged_by_the_bytes(declared: str) -> None:
    assert admit_image(PICTURES["jpeg"][0], declared).media_type == "image/jpeg"


@pytest.mark.parametrize("declared", ["image/gif", "image/svg+xml", "text/plain", "application/pdf"])
def test_other_types_are_unsupported(declared: str) -> None:
    with pytest.raises(UnsupportedMedia):
        admit_image(PICTURES["jpeg"][0], declared)


def test_unknown_bytes_without_a_type_are_unsupported() -> None:
    with pytest.raises(UnsupportedMedia):
        admit_image(b"GIF89a" + bytes(40), "")


def test_bomb_is_refused_before_it_is_decoded() -> None:
    bomb = pictures.png_bomb()
    begun = time.process_time()
    with pytest.raises(TooLarge) as refusal:
        admit_image(bomb, "image/png")
    assert time.process_time() - begun < 5  # decoding it would take far longer; the speed is measured in bench
    assert refusal.value.code == "too-many-pixels"


def test_bomb_in_the_colour_profile_is_refused() -> None:
    import zlib  # noqa: PLC0415

    profile = pictures.png_chunk(b"iCCP", b"x\0\0" + zlib.compress(bytes(20_000_000), 9))
    plain = io.BytesIO()
    pictures.photo().save(plain, "PNG")
    content = plain.getvalue()
    with pytest.raises(TooLarge) as refusal:
        admit_image(content[:33] + profile + content[33:], "image/png")
    assert refusal.value.code == "profile-too-large"


def test_frames_share_the_pixel_budget() -> None:
    content = pictures.webp(frames=3)
    with pytest.raises(TooLarge):
        admit_image(content, "image/webp", Limits(max_pixels=64 * 48 * 2))
    assert admit_image(content, "image/webp", Limits(max_pixels=64 * 48 * 3)).width == 64


def test_size_limits() -> None:
    with pytest.raises(TooLarge) as refusal:
        admit_image(PICTURES["png"][0], "image/png", Limits(max_bytes=100))
    assert refusal.value.code == "content-too-large"
    with pytest.raises(Invalid) as refusal_2:
        admit_image(b"", "image/png")
    assert refusal_2.value.code == "empty-content"


def test_sample_photo_is_cleaned() -> None:
    content = pictures.SAMPLE.read_bytes()
    assert len(content) <= 150 * 1024
    admitted = admit_image(content, "image/jpeg")
    assert {"gps", "owner", "serial-number", "maker-note", "xmp", "comment"} <= set(admitted.removed)
    assert pictures.NEEDLE.encode() not in admitted.content
    assert pictures.pixels(admitted.content) == pictures.pixels(content)


@EVERY
def test_what_a_decoder_holds_as_a_whole_is_read_alone(
    monkeypatch: pytest.MonkeyPatch, content: bytes, media_type: str
) -> None:
    alone = list[bool]()

    @contextmanager
    def noted() -> Iterator[None]:
        alone.append(True)
        yield

    monkeypatch.setattr(image, "_LARGE", 64 * 48 - 1)
    monkeypatch.setattr(image, "_alone", noted)
    admit_image(content, media_type)
    assert alone == ([] if content == PICTURES["jpeg"][0] else [True])


class _Full(BoundedSemaphore):
    """All of it is taken. `awaited`: how long those who came would have waited."""

    def __init__(self) -> None:
        super().__init__(1)
        self.awaited = list[float | None]()

    def acquire(self, blocking: bool = True, timeout: float | None = None) -> bool:
        self.awaited.append(timeout)
        return False


def test_few_wait_for_a_large_picture_and_the_others_are_told_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Who waits holds a thread that other operations need."""
    reading, places = _Full(), BoundedSemaphore(1)
    monkeypatch.setattr(image, "_LARGE", 1)
    monkeypatch.setattr(image, "_PLACES", places)
    monkeypatch.setattr(image, "_ONE_LARGE", reading)

    def refused() -> int:
        with pytest.raises(Unavailable) as refusal:
            admit_image(*PICTURES["png"])
        assert refusal.value.code == "pictures-busy"
        return len(reading.awaited)

    assert [refused(), refused()] == [1, 2]  # who gave up has left the place
    with places:
        assert refused() == 2
    monkeypatch.setattr(image, "_ONE_LARGE", BoundedSemaphore(1))
    for _ in range(2):
        assert admit_image(*PICTURES["png"]).width == 64


def _admit_or_refuse(content: bytes, media_type: str) -> Admitted | None:
    try:
        return admit_image(content, media_type)
    except TrothError as refusal:
        assert refusal.status in {400, 413, 415, 422}
        return None


@settings(max_examples=150, deadline=None)
@given(
    name=st.sampled_from(sorted(PICTURES)),
    edits=st.lists(st.tuples(st.floats(0, 1), st.integers(0, 255)), min_size=1, max_size=8),
)
def test_flipped_bytes_never_leak_another_exception(name: str, edits: list[tuple[float, int]]) -> None:
    content, media_type = PICTURES[name]
    changed = bytearray(content)
    for place, value in edits:
        changed[int(place * (len(changed) - 1))] = value
    admitted = _admit_or_refuse(bytes(changed), media_type)
    assert admitted is None or admitted.width > 0


@settings(max_examples=150, deadline=None)
@given(name=st.sampled_from(sorted(PICTURES)), cut=st.floats(0, 1), tail=st.binary(max_size=60))
@example(name="webp", cut=0.0, tail=b"")
def test_spliced_bytes_never_leak_another_exception(name: str, cut: float, tail: bytes) -> None:
    content, media_type = PICTURES[name]
    at = int(cut * len(content))
    for spliced in (content[:at] + tail, content[:at] + tail + content[at:]):
        if spliced:
            _admit_or_refuse(spliced, media_type)


@settings(max_examples=100, deadline=None)
@given(
    head=st.sampled_from([b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", b"RIFF\x40\0\0\0WEBP"]), body=st.binary(max_size=400)
)
def test_noise_behind_a_signature_never_leaks_another_exception(head: bytes, body: bytes) -> None:
    _admit_or_refuse(head + body, "")
