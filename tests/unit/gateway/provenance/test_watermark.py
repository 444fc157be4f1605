"""The watermark: it holds under what people do to pictures, and is not seen where it is not."""

import io
from importlib import resources

import numpy as np
import pytest
from PIL import Image, ImageEnhance

from troth.gateway.provenance import networks
from troth.gateway.provenance.chance import chance
from troth.gateway.provenance.watermark import FALSE_ALARMS, Found, Watermark
from troth.kernel.errors import IntegrityError, UnsupportedMedia

OURS = Watermark(b"7" * 32)
OTHERS = Watermark(b"8" * 32)


@pytest.fixture(scope="module")
def photo() -> Image.Image:
    with resources.files("troth.gateway.samples").joinpath("photo.jpg").open("rb") as file:
        return Image.open(file).convert("RGB").resize((512, 600))


@pytest.fixture(scope="module")
def marked(photo: Image.Image) -> Image.Image:
    return OURS.mark(photo)


def packed(image: Image.Image, kind: str, quality: int) -> Image.Image:
    kept = io.BytesIO()
    image.save(kept, kind, quality=quality)
    return Image.open(kept)


def decibels(one: Image.Image, other: Image.Image) -> float:
    apart = np.asarray(one, dtype=float) - np.asarray(other, dtype=float)
    return float(10 * np.log10(255**2 / (apart**2).mean()))


@pytest.mark.parametrize(
    "worn",
    [
        lambda image: packed(image, "JPEG", 70),
        lambda image: packed(image, "WEBP", 50),
        lambda image: image.resize((256, 300)),
        lambda image: image.crop((15, 50, 15 + 461, 50 + 540)),
        lambda image: ImageEnhance.Brightness(image).enhance(1.25),
        lambda image: image.transpose(Image.Transpose.FLIP_LEFT_RIGHT),
    ],
    ids=["jpeg70", "webp50", "half", "crop10", "brighter", "mirrored"],
)
def test_a_mark_survives_common_edits(marked: Image.Image, worn) -> None:
    found = OURS.find(worn(marked))
    assert found.sure
    assert found.bits_right >= 28


def test_a_mark_is_not_seen(photo: Image.Image, marked: Image.Image) -> None:
    assert decibels(photo, marked) > 36  # the strongest of the three marks; most pictures need the weakest (42.6)


def test_pictures_without_the_mark_and_marks_of_others_are_not_ours(photo: Image.Image, marked: Image.Image) -> None:
    assert not OURS.find(photo).sure
    assert not OTHERS.find(marked).sure


def test_transparency_stays_and_the_mark_holds(photo: Image.Image) -> None:
    alpha = Image.new("L", photo.size, 0)
    alpha.paste(255, (20, 60, 500, 600))
    cut = photo.convert("RGBA")
    cut.putalpha(alpha)
    marked = OURS.mark(cut)
    assert marked.mode == "RGBA"
    assert marked.getchannel("A").tobytes() == alpha.tobytes()
    assert OURS.find(marked).sure


def test_what_cannot_carry_a_mark_is_refused(photo: Image.Image) -> None:
    with pytest.raises(UnsupportedMedia) as small:
        OURS.mark(photo.resize((191, 400)))
    assert small.value.code == "watermark-too-small"
    with pytest.raises(UnsupportedMedia) as empty:
        OURS.mark(Image.new("RGB", (256, 256), "white"))
    assert empty.value.code == "watermark-no-hold"


def test_a_film_is_found_by_the_vote_of_its_frames(photo: Image.Image) -> None:
    frames = [photo.crop((4 * n, 0, 4 * n + 400, 400)) for n in range(4)]
    film = [packed(frame, "JPEG", 80) for frame in OURS.mark_frames(frames)]
    assert OURS.find_among(film[2:] + film[:2]).sure  # whoever reads does not know where a mark stands
    assert not OURS.find_among(frames).sure
    with pytest.raises(ValueError, match="no frames"):
        OURS.find_among([])


def test_chance_is_counted_over_all_words() -> None:
    assert chance([1.0] * 32, [1] * 32) == 2**-32
    assert chance([-1.0] * 32, [1] * 32) == 1.0
    assert chance([1.0, 1.0, -1.0], [1, 1, 1]) == 4 / 8  # 2 of 3 right: 1 + 3 of the 8 words are as good
    assert chance([0.0] * 4, [1, 0, 1, 0]) == 1.0


def test_sure_means_no_more_false_alarms_than_promised() -> None:
    assert Found(30, 32, FALSE_ALARMS).sure
    assert not Found(30, 32, FALSE_ALARMS * 1.01).sure


def test_words_differ_between_deployments_and_keep_away_from_what_pictures_read_as() -> None:
    words = {tuple(Watermark(bytes([n]) * 32)._word) for n in range(60)}
    assert len(words) == 60
    assert max(sum(word) for word in words) <= 20  # the usual reading is nearly all ones


def test_other_networks_than_ours_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    networks._session.cache_clear()
    monkeypatch.setitem(networks._SHA256, "rivagan_decoder.onnx", "0" * 64)
    with pytest.raises(IntegrityError) as refusal:
        networks.read(np.zeros((256, 256, 3), dtype=np.float32))
    assert refusal.value.code == "watermark-weights"
    networks._session.cache_clear()
