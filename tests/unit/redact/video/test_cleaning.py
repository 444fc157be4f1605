"""Films made of real portraits: no frame shows a face afterwards, nothing of the old container is there, voices go."""

import io
from fractions import Fraction
from typing import Any

import av
import numpy as np
import pytest

from picture_world import MAIL, eye, portrait, written
from troth.kernel.errors import Invalid, TooLarge, UnsupportedMedia
from troth.redact.pictures.faces import faces
from troth.redact.pictures.lines import lines
from troth.redact.video.cleaning import clean_video
from troth.redact.video.streams import VideoLimits

SIZE = (200, 160)  # width, height


def scene(at: int) -> np.ndarray[Any, Any]:
    """A portrait that moves over grey."""
    frame = np.full((SIZE[1], SIZE[0], 3), 120, np.uint8)
    frame[:, at : at + 160] = portrait(side=160)[:, : SIZE[0] - at]
    return frame


def film(
    frames: list[np.ndarray[Any, Any]], *, kind: str = "mp4", sound: bool = False, codec: str = "libx264"
) -> bytes:
    out = io.BytesIO()
    with av.open(out, "w", format=kind) as container:
        container.metadata["title"] = "Holiday of Ada Quillfeather"
        container.metadata["comment"] = "at home"
        stream = container.add_stream(codec, rate=24, options={"preset": "ultrafast"} if codec == "libx264" else {})
        stream.width, stream.height, stream.pix_fmt = frames[0].shape[1], frames[0].shape[0], "yuv420p"
        heard = container.add_stream("aac", rate=48_000) if sound else None
        for pixels in frames:
            container.mux(stream.encode(av.VideoFrame.from_ndarray(pixels, format="rgb24")))
        container.mux(stream.encode(None))
        if heard is not None:
            for number in range(20):
                wave = np.sin(np.arange(1024)[None] / 20).astype(np.float32)
                part = av.AudioFrame.from_ndarray(wave, format="fltp", layout="mono")
                part.sample_rate, part.pts, part.time_base = 48_000, number * 1024, Fraction(1, 48_000)
                container.mux(heard.encode(part))
            container.mux(heard.encode(None))
    return out.getvalue()


def cleaned(content: bytes, **options: Any) -> tuple[bytes, Any]:
    out = io.BytesIO()
    done = clean_video(io.BytesIO(content), out, options.pop("eye", eye()), **options)
    return out.getvalue(), done


def frames_of(content: bytes) -> list[np.ndarray[Any, Any]]:
    with av.open(io.BytesIO(content)) as container:
        return [frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)]


def with_faces(content: bytes) -> int:
    return sum(bool(faces().find(frame, (480,), turned=False)) for frame in frames_of(content))


@pytest.mark.parametrize(("how", "count"), [("blur", 15), ("fill", 4)])
def test_no_frame_shows_a_face_afterwards(how: str, count: int) -> None:
    source = film([scene(at) for at in range(0, 2 * count, 2)])
    assert with_faces(source) == count
    made, done = cleaned(source, eye=eye(how))
    assert done.counts["FACE"] >= 1
    assert (done.frames, done.covered, done.width, done.height) == (count, count, *SIZE)
    assert len(frames_of(made)) == count
    assert with_faces(made) == 0


def test_the_frames_before_a_face_is_found_are_covered_too() -> None:
    """A face turns up between two looks: the frame that was not looked at is covered by what the next one shows."""
    empty = np.full((SIZE[1], SIZE[0], 3), 120, np.uint8)
    made, _ = cleaned(film([empty, *[scene(20)] * 6, empty]), eye=eye("fill"))
    shown = frames_of(made)
    for number in range(8):
        assert (abs(shown[number][28:50, 80:100].astype(int) - 42) < 12).all(), number


def test_nothing_of_the_old_container_and_no_voice() -> None:
    source = film([scene(0)] * 4, sound=True)
    made, done = cleaned(source)
    assert b"Quillfeather" in source
    assert b"Quillfeather" not in made
    assert set(done.removed) == {"metadata", "sound"}
    with av.open(io.BytesIO(made)) as container:
        assert [stream.type for stream in container.streams] == ["video"]
        assert not {"title", "comment", "location"} & set(container.metadata)


def test_sound_stays_only_when_that_is_said() -> None:
    made, done = cleaned(film([scene(0)] * 4, sound=True), sound="keep")
    with av.open(io.BytesIO(made)) as container:
        assert [stream.type for stream in container.streams] == ["video", "audio"]
        assert sum(frame.samples for frame in container.decode(audio=0)) > 10_000
    assert "sound" not in done.removed


def test_words_of_each_scene_go_also_just_before_they_are_read() -> None:
    blank = np.full((110, 480, 3), 255, np.uint8)
    page = written([f"write to {MAIL}", "See you at noon"], size=(480, 110))
    made, done = cleaned(film([blank] * 2 + [page] * 2 + [255 - page] * 2))
    assert done.counts == {"EMAIL": 1}
    for number, frame in enumerate(frames_of(made)[2:], 2):
        read = " ".join(line.text for line in lines().find(frame, 736))
        assert "example" not in read, number
        assert "noon" in read, number


@pytest.mark.parametrize(("kind", "codec"), [("mov", "libx264"), ("matroska", "libx264"), ("webm", "libvpx-vp9"),
                                             ("avi", "mpeg4")])  # fmt: skip
def test_other_containers(kind: str, codec: str) -> None:
    made, done = cleaned(film([scene(0)] * 3, kind=kind, codec=codec))
    assert done.frames == 3
    assert with_faces(made) == 0
    assert made[4:8] == b"ftyp"


def test_what_is_refused() -> None:
    whole = film([scene(0)] * 3)
    for content, refusal, code in (
        (b"#EXTM3U\n#EXTINF:1,\nfile:///etc/hostname\n", UnsupportedMedia, "video-type-unknown"),
        (b"", UnsupportedMedia, "video-type-unknown"),
        (whole[:40], Invalid, "broken-video"),
        (whole[: len(whole) // 2], Invalid, "broken-video"),
    ):
        with pytest.raises(refusal) as raised:
            cleaned(content)
        assert raised.value.code == code
    for limits, code in ((VideoLimits(frames=2), "too-many-frames"), (VideoLimits(pixels=9), "too-many-pixels"),
                         (VideoLimits(seconds=-1), "picture-too-slow")):  # fmt: skip
        with pytest.raises(TooLarge) as large:
            cleaned(whole, limits=limits)
        assert large.value.code == code


def test_a_face_that_does_not_go_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("troth.redact.video.cleaning.cover", lambda *_: None)
    with pytest.raises(Invalid) as refusal:
        cleaned(film([scene(0)] * 2))
    assert refusal.value.code == "picture-not-clean"
