"""A copy whose marks are gone is known by its look; strangers learn no more than that, and it goes with its object."""

from __future__ import annotations

import io
import itertools
from contextlib import ExitStack
from dataclasses import replace
from importlib import resources

import numpy as np
import pytest
from PIL import Image, ImageEnhance, ImageFilter
from sqlalchemy import select

from gateway_world import PERSON, TENANT, World
from troth.gateway.moderation.hashes import NEAR, of_picture
from troth.gateway.outputs import Outputs, Owner, Piece
from troth.gateway.pictures import Finished, Finisher, Origin, marks_of
from troth.gateway.provenance import fingerprints as product
from troth.gateway.provenance.fingerprints import MOST, Audience, Fingerprints
from troth.kernel.caller import Connection, anonymous
from troth.kernel.clock import epoch_ms
from troth.vault import prints
from worlds import person

STRANGER = anonymous(Connection(None, "in-process"))
PARTS = 7  # of a still: whole, without its rim, and each corner
OWNER = Owner(TENANT, PERSON, "req_1")


def saved(image: Image.Image, kind: str = "PNG", **options: object) -> bytes:
    out = io.BytesIO()
    image.convert("RGB").save(out, kind, **options)
    return out.getvalue()


@pytest.fixture(scope="module")
def photo() -> Image.Image:
    with resources.files("troth.gateway.samples").joinpath("photo.jpg").open("rb") as file:
        return Image.open(file).convert("RGB").resize((320, 400))


def index(world: World, audience: Audience = "anybody", secret: bytes = b"f" * 32) -> Fingerprints:
    return Fingerprints(world.database, secret, world.clock, audience)


def timed(world: World, seconds: float) -> Fingerprints:
    """For whom each look at the clock takes so many seconds."""
    times = itertools.count(0.0, seconds)
    return Fingerprints(world.database, b"f" * 32, world.clock, steady=lambda: next(times))


def keep(world: World, content: bytes, made: tuple[bytes, ...] | None = None) -> str:
    piece = Piece(
        "output", "image/png", "a.png", content, fingerprints=index(world).of([content]) if made is None else made
    )
    with ExitStack() as undo:
        kept = Outputs(world.objects).keep(undo, OWNER, piece)
        undo.pop_all()
    return kept.id


@pytest.mark.parametrize("turn", [None, Image.Transpose.FLIP_LEFT_RIGHT, Image.Transpose.ROTATE_90])
def test_a_changed_copy_is_known_whichever_way_it_is_turned(
    world: World, photo: Image.Image, turn: Image.Transpose | None
) -> None:
    keep(world, saved(photo))
    copy = ImageEnhance.Brightness(photo.resize((90, 112)).filter(ImageFilter.GaussianBlur(1))).enhance(0.8)
    found = index(world).nearest([copy.transpose(turn) if turn is not None else copy], STRANGER)
    assert found.distance is not None
    assert 0 <= found.distance <= NEAR
    assert found.not_looked is None


@pytest.mark.parametrize("box", [(0, 40, 288, 400), (16, 20, 304, 380), (32, 40, 288, 360)])
def test_a_cut_copy_is_known(world: World, photo: Image.Image, box: tuple[int, int, int, int]) -> None:
    keep(world, saved(photo))
    copy = saved(photo.crop(box), "JPEG", quality=70)
    assert index(world).nearest([Image.open(io.BytesIO(copy))], STRANGER).distance is not None


def test_another_picture_is_not(world: World, photo: Image.Image) -> None:
    keep(world, saved(photo))
    other = Image.effect_mandelbrot((300, 300), (-2, -1.2, 0.6, 1.2), 60)
    assert index(world).nearest([other], STRANGER) == product.Likeness(None)


def test_the_distance_is_that_of_the_plain_hashes(world: World, photo: Image.Image) -> None:
    copy = saved(photo.resize((200, 250)), "JPEG", quality=40)
    keep(world, saved(photo))
    first, second = (int(next(of_picture(one))[0], 16) for one in (saved(photo), copy))
    assert index(world).nearest([Image.open(io.BytesIO(copy))], STRANGER).distance == (first ^ second).bit_count()


def test_a_table_without_the_secret_fits_no_picture(world: World, photo: Image.Image) -> None:
    keep(world, saved(photo))
    with world.database.read() as connection:
        kept = connection.execute(select(prints.prints.c.print).where(prints.prints.c.number == 0)).scalar_one()
    plain = int(next(of_picture(saved(photo)))[0], 16)
    assert 80 <= (int.from_bytes(kept, "big") ^ plain).bit_count() <= 176  # of 256: as two that have nothing in common
    assert index(world, secret=b"g" * 32).nearest([photo], STRANGER).distance is None


def test_it_goes_with_its_object(world: World, photo: Image.Image) -> None:
    kept = keep(world, saved(photo))
    world.objects.delete(TENANT, PERSON, kept)
    with world.database.read() as connection:
        assert connection.execute(select(prints.prints)).first() is None
    assert index(world).nearest([photo], STRANGER).distance is None


def test_what_has_expired_answers_nothing_before_it_is_swept(world: World, photo: Image.Image) -> None:
    ends = world.objects.info(TENANT, PERSON, keep(world, saved(photo))).expires_at
    assert ends is not None
    world.clock.forward(milliseconds=ends - epoch_ms(world.clock.now()) + 1)
    assert index(world).nearest([photo], STRANGER).distance is None


def test_what_was_not_reached_in_time_is_not_known(
    world: World, photo: Image.Image, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Five pages of which two are read, then the time is over."""
    monkeypatch.setattr(prints, "_PAGE", 2)
    noise = np.random.default_rng(1)
    others = [saved(Image.fromarray(noise.integers(0, 255, (12, 12), np.uint8)).resize((96, 96))) for _ in range(9)]
    keep(world, saved(photo), tuple(index(world).of([one])[0] for one in others))
    found = timed(world, seconds=1.5).nearest([photo], STRANGER)
    assert (found.distance, "nothing is known" in (found.not_looked or "")) == (None, True)
    near = [Image.open(io.BytesIO(others[0]))]
    assert timed(world, seconds=1.5).nearest(near, STRANGER) == product.Likeness(0)  # what was found stays found
    assert timed(world, seconds=0.1).nearest([photo], STRANGER) == product.Likeness(None)  # nobody is near


def test_more_that_is_gone_than_is_looked_at_is_not_known(
    world: World, photo: Image.Image, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(product, "_SHOWN", 2)
    for _ in range(3):
        keep(world, saved(photo))
    monkeypatch.setattr(prints, "answers", lambda *_: False)
    assert "nothing is known" in (index(world).nearest([photo], STRANGER).not_looked or "")


def test_members_are_told_of_their_own_tenant_alone(world: World, photo: Image.Image) -> None:
    keep(world, saved(photo))
    asked = index(world, "members")
    assert asked.nearest([photo], person(tenant=TENANT)).distance == 0
    assert asked.nearest([photo], person(tenant="ten_other")) == product.Likeness(None)
    assert asked.nearest([photo], STRANGER).not_looked is not None


def test_for_nobody_none_is_kept_and_none_is_looked_at(world: World, photo: Image.Image) -> None:
    keep(world, saved(photo))
    shut = index(world, "nobody")
    assert shut.of([saved(photo)]) == ()
    assert shut.nearest([photo], person(tenant=TENANT)).not_looked is not None


def test_without_the_extra_nobody_looked(world: World, photo: Image.Image, monkeypatch: pytest.MonkeyPatch) -> None:
    keep(world, saved(photo))
    monkeypatch.setattr(product, "find_spec", lambda _name: None)
    assert index(world).of([saved(photo)]) == ()
    found = index(world).nearest([photo], STRANGER)
    assert "extra `vision`" in (found.not_looked or "")


def test_plain_pictures_have_none_and_are_not_looked_at(world: World) -> None:
    plain = Image.new("RGB", (300, 300), "teal")
    assert index(world).of([saved(plain)]) == ()
    assert index(world).nearest([plain], STRANGER).not_looked is not None
    assert index(world).nearest([], STRANGER).not_looked is not None  # a drawing


@pytest.mark.parametrize("place", [0, 1])
def test_an_edit_that_looks_like_its_original_tells_nothing_of_it(world: World, photo: Image.Image, place: int) -> None:
    other = Image.effect_mandelbrot((300, 300), (-2, -1.2, 0.6, 1.2), 60)
    shown = [saved(other)]
    shown.insert(place, saved(photo.transpose(Image.Transpose.FLIP_LEFT_RIGHT)))
    edited = saved(ImageEnhance.Color(photo).enhance(0.2))
    assert index(world).of([edited], shown) == ()
    widened = Image.new("RGB", (round(photo.width / 0.9), round(photo.height / 0.9)), "teal")
    widened.paste(photo, (round(photo.width * 0.05 / 0.9), round(photo.height * 0.05 / 0.9)))
    assert index(world).of([saved(widened)], shown) == ()
    assert len(index(world).of([edited], [saved(other)])) == PARTS
    finisher = Finisher(world.credentials, fingerprints=index(world))
    origin = Origin("algorithmicMedia", parent=shown[0], also=(shown[1],))
    assert finisher.finish(finisher.open(edited, "png"), "png", None, origin).fingerprints == ()
    assert finisher.finish(finisher.open(edited, "png"), "png", None, replace(origin, also=())).fingerprints == (
        () if place == 0 else index(world).of([edited])
    )


def test_a_film_has_a_few_from_its_whole_length(world: World) -> None:
    noise = np.random.default_rng(1)
    views = [saved(Image.fromarray(noise.integers(0, 255, (12, 12), np.uint8)).resize((96, 96))) for _ in range(40)]
    made = index(world).of(views)
    assert MOST // 2 <= len(made) <= MOST
    assert index(world).of([views[0]])[0] == made[0]


def test_marks_are_counted_by_kind() -> None:
    one = Finished(b"", "image/png", 1, 1, transparent=False, marked=True, fingerprints=(b"f",))
    two = replace(one, marked=False, stamped=True)
    assert marks_of(one, two) == {"content-credentials": 2, "time-stamp": 1, "watermark": 1, "fingerprint": 2}
