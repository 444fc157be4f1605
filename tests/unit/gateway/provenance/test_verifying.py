"""What strangers are told of a file: each layer for itself, and nothing beyond what was found."""

from __future__ import annotations

import io
import threading
import weakref
from collections.abc import Iterable
from importlib import resources
from pathlib import Path

import av
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from troth.gateway.provenance import Credentials, verifying
from troth.gateway.provenance.fingerprints import Fingerprints
from troth.gateway.provenance.looking import MAX_PIXELS, pictures
from troth.gateway.provenance.verifying import Verifier
from troth.gateway.provenance.watermark import FALSE_ALARMS, Found, Watermark
from troth.kernel.caller import Connection, anonymous
from troth.kernel.clock import SystemClock
from troth.kernel.errors import Malformed, TooLarge, TooMany, UnsupportedMedia
from worlds import sqlite

OURS = Watermark(b"7" * 32)
STRANGER = anonymous(Connection(None, "in-process"))


def saved(image: Image.Image, kind: str = "PNG", **options: object) -> bytes:
    out = io.BytesIO()
    image.save(out, kind, **options)
    return out.getvalue()


@pytest.fixture(scope="module")
def photo() -> Image.Image:
    with resources.files("troth.gateway.samples").joinpath("photo.jpg").open("rb") as file:
        return Image.open(file).convert("RGB").resize((320, 400))


@pytest.fixture(scope="module")
def marked(photo: Image.Image) -> Image.Image:
    return OURS.mark(photo)


@pytest.fixture(scope="module")
def credentials(tmp_path_factory: pytest.TempPathFactory) -> Credentials:
    return Credentials(tmp_path_factory.mktemp("keys") / "credentials")


@pytest.fixture(scope="module")
def fingerprints(tmp_path_factory: pytest.TempPathFactory) -> Fingerprints:
    """Of an installation that made nothing yet."""
    return Fingerprints(sqlite(tmp_path_factory.mktemp("database")), b"f" * 32, SystemClock())


@pytest.fixture(scope="module")
def verifier(credentials: Credentials, fingerprints: Fingerprints) -> Verifier:
    return Verifier(credentials, OURS, fingerprints)


def test_both_layers_of_a_whole_output(verifier: Verifier, credentials: Credentials, marked: Image.Image) -> None:
    verdict = verifier.verify(credentials.sign(saved(marked), "image/png", source="trainedAlgorithmicMedia"), STRANGER)
    assert verdict.made_here is True
    assert verdict.matched == ("content-credentials", "watermark")
    assert verdict.content_credentials.state == "trusted"
    assert verdict.content_credentials.source == "trainedAlgorithmicMedia"
    assert verdict.content_credentials.history == ("Troth: created (trainedAlgorithmicMedia)",)
    assert verdict.content_credentials.signed_at is None  # a signature without a time stamp proves no time
    assert verdict.watermark.chance <= verdict.watermark.false_alarms == FALSE_ALARMS


def test_a_copy_without_credentials_is_found_by_its_mark(verifier: Verifier, marked: Image.Image) -> None:
    verdict = verifier.verify(saved(marked.resize((240, 300)), "JPEG", quality=75), STRANGER)
    assert verdict.made_here is True
    assert verdict.matched == ("watermark",)
    assert verdict.content_credentials.state == "none"


def test_nothing_found_is_not_called_human(verifier: Verifier, photo: Image.Image) -> None:
    verdict = verifier.verify(saved(photo, "WEBP"), STRANGER)
    assert verdict.made_here is None
    assert verdict.matched == ()
    assert "does not say that no machine made it" in verdict.conclusion


@pytest.fixture(scope="module")
def small(photo: Image.Image) -> Image.Image:
    """Too small to look for a mark in it, which takes a second: for what credentials say alone."""
    return photo.resize((90, 112))


def test_credentials_of_others_vouch_for_nothing_here(verifier: Verifier, small: Image.Image, tmp_path: Path) -> None:
    others = Credentials(tmp_path / "others")
    verdict = verifier.verify(others.sign(saved(small), "image/png", source="trainedAlgorithmicMedia"), STRANGER)
    assert verdict.content_credentials.state == "valid"
    assert verdict.made_here is None
    assert "cannot vouch" in verdict.conclusion


def test_the_history_of_an_edit_goes_back_to_the_first_picture(
    verifier: Verifier, credentials: Credentials, small: Image.Image, tmp_path: Path
) -> None:
    first = Credentials(tmp_path / "others").sign(saved(small), "image/png", source="trainedAlgorithmicMedia")
    edited = saved(small.convert("L"), "JPEG")
    signed = credentials.sign(edited, "image/jpeg", source="compositeWithTrainedAlgorithmicMedia", parent=first)
    layer = verifier.verify(signed, STRANGER).content_credentials
    assert layer.ingredients == 1
    assert layer.history[0] == "Troth: created (trainedAlgorithmicMedia)"
    assert layer.history[-1] == "Troth: edited (compositeWithTrainedAlgorithmicMedia)"


def test_a_drawing_has_no_pixels_to_look_at(verifier: Verifier, credentials: Credentials) -> None:
    drawing = b'<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"><rect width="9" height="9"/></svg>'
    verdict = verifier.verify(credentials.sign(drawing, "image/svg+xml", source="algorithmicMedia"), STRANGER)
    assert verdict.matched == ("content-credentials",)
    assert verdict.watermark.not_looked is not None
    assert not verdict.watermark.found


def test_small_pictures_are_not_looked_at_and_it_is_said(verifier: Verifier) -> None:
    verdict = verifier.verify(saved(Image.new("RGB", (95, 300), "teal")), STRANGER)
    assert "192 pixels" in (verdict.watermark.not_looked or "")


def test_what_is_no_picture_is_refused(verifier: Verifier, photo: Image.Image) -> None:
    with pytest.raises(UnsupportedMedia):
        verifier.verify(b"PK\x03\x04 an archive", STRANGER)
    with pytest.raises(Malformed) as broken:
        verifier.verify(saved(photo)[:2000], STRANGER)
    assert broken.value.code == "broken-picture"


def test_bombs_are_refused_before_they_unpack() -> None:
    side = int(MAX_PIXELS**0.5) + 1
    with pytest.raises(TooLarge) as refusal:
        next(pictures(saved(Image.new("1", (side, side))), "image/png"))
    assert refusal.value.code == "too-many-pixels"


def test_frames_of_an_animation_have_a_smaller_size(verifier: Verifier) -> None:
    side = int((MAX_PIXELS // 4) ** 0.5) + 1
    grey = [Image.new("L", (side, side), shade) for shade in (0, 90)]
    with pytest.raises(TooLarge) as refusal:
        verifier.verify(saved(grey[0], "GIF", save_all=True, append_images=grey[1:]), STRANGER)
    assert refusal.value.code == "too-many-pixels"


@pytest.mark.parametrize("kind", ["GIF", "PNG", "WEBP"])
def test_frames_are_looked_at_one_by_one(
    credentials: Credentials, fingerprints: Fingerprints, photo: Image.Image, kind: str
) -> None:
    alive: list[weakref.ref[Image.Image]] = []
    most = 0

    class Counting(Watermark):
        def find_among(self, frames: Iterable[Image.Image]) -> Found:
            nonlocal most
            for frame in frames:
                alive.append(weakref.ref(frame))
                del frame
                most = max(most, sum(one() is not None for one in alive))
            return Found(0, 32, 1.0)

    frames = [photo.crop((n, 0, n + 200, 200)) for n in range(8)]
    film = saved(frames[0], kind, save_all=True, append_images=frames[1:])
    Verifier(credentials, Counting(b"7" * 32), fingerprints).verify(film, STRANGER)
    assert len(alive) == 8
    assert most <= 3  # of eight: the first two say whether it is a film at all


@pytest.mark.parametrize(("place", "code"), [(b"avc1", b"xxxx"), (b"avcC", b"xxxx")])
def test_films_of_no_known_codec_are_broken(verifier: Verifier, photo: Image.Image, place: bytes, code: bytes) -> None:
    out = io.BytesIO()
    with av.open(out, "w", format="mp4") as container:
        stream = container.add_stream("libx264", rate=24)
        stream.width = stream.height = 192
        frame = av.VideoFrame.from_image(photo.resize((192, 192)))
        for packet in [one for _ in range(2) for one in stream.encode(frame)] + stream.encode():
            container.mux(packet)
    assert place in out.getvalue()
    with pytest.raises(Malformed) as refusal:
        verifier.verify(out.getvalue().replace(place, code), STRANGER)
    assert refusal.value.code == "broken-picture"


def test_one_at_a_time_and_nobody_waits(
    verifier: Verifier, monkeypatch: pytest.MonkeyPatch, photo: Image.Image
) -> None:
    judged, waits = list[bytes](), list[bool]()

    class Turn(threading.BoundedSemaphore):
        def acquire(self, blocking: bool = True, timeout: float | None = None) -> bool:
            waits.append(blocking)
            return super().acquire(blocking, timeout)

    taken = Turn(1)
    assert taken.acquire(blocking=False)
    monkeypatch.setattr(verifying, "examine", lambda content, picture: judged.append(content))
    monkeypatch.setattr(verifier, "_turn", taken)
    with pytest.raises(TooMany) as refusal:
        verifier.verify(saved(photo), STRANGER)
    assert refusal.value.code == "busy"
    assert not any(waits)
    assert judged == []  # the search for malware costs a processor too


DRAWING = b'<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"><rect width="9" height="9"/></svg>'
KINDS = ("image/png", "image/jpeg", "image/webp", "application/pdf", "image/svg+xml")


@pytest.fixture(scope="module")
def signed(credentials: Credentials) -> dict[str, tuple[bytes, range]]:
    """Each kind of file, and where in it its manifest stands (which has padding of its own that nobody signs)."""
    small = Image.linear_gradient("L").resize((48, 48)).convert("RGB")
    found = {}
    for kind in KINDS:
        plain = DRAWING if kind == "image/svg+xml" else saved(small, kind.partition("/")[2].upper())
        content = credentials.sign(plain, kind, source="algorithmicMedia")
        if kind == "image/svg+xml":
            start, end = content.index(b"<metadata"), content.index(b"</metadata>")
        else:
            at = content.index(b"jumb")
            start, end = at - 64, at + int.from_bytes(content[at - 4 : at], "big") + 16
        found[kind] = (content, range(start, end))
    return found


@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(kind=st.sampled_from(KINDS), share=st.floats(0, 1, exclude_max=True), change=st.integers(1, 255))
def test_a_byte_changed_anywhere_is_reported(
    credentials: Credentials, signed: dict[str, tuple[bytes, range]], kind: str, share: float, change: int
) -> None:
    content, manifest = signed[kind]
    places = [place for place in range(16, len(content)) if place not in manifest]  # before: what kind of file it is
    changed = bytearray(content)
    changed[places[int(share * len(places))]] ^= change
    try:
        assert credentials.read(bytes(changed), kind).state != "trusted"
    except Malformed:
        assert kind == "image/svg+xml"  # it is none any more
