"""Pictures and video: what is found, how exactly text is read, and how long a look takes.

    .venv/bin/python bench/pictures.py [--samples FOLDER] [--write]

FOLDER: pictures of others, which are not in this repository: t1.jpg of insightface (six faces), and sample data of
scikit-image without people. Without it, the two portraits of tests/pictures are looked at. CPU of one
thread.
"""

from __future__ import annotations

import argparse
import io
import os
import platform
import sys
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests"))

import numpy as np
from PIL import Image

from picture_world import FACES, LETTER, faces_in, saved, written
from troth.redact.pictures.cleaning import clean_picture
from troth.redact.pictures.faces import faces
from troth.redact.pictures.lines import lines
from troth.redact.pictures.looking import Eye
from troth.redact.policy import vendor_policy
from troth.redact.tiers import detector
from troth.redact.video.cleaning import clean_video

RESULTS = Path(__file__).parent / "results" / "pictures.md"
PEOPLE = {"t1": 6, "astronaut": 1, "grace_hopper": 1, "hopper": 1}


def timed(work: Any) -> tuple[Any, float]:
    """(what it gave, CPU in ms)."""
    begun = time.process_time()
    made = work()
    return made, (time.process_time() - begun) * 1000


def found(paths: list[Path], eye: Eye) -> list[str]:
    """One row per picture: faces that are there, that were found, that are left, and CPU."""
    rows = []
    for path in paths:
        with Image.open(path) as opened:
            pixels = np.asarray(opened.convert("RGB")).copy()
        boxes, looking = timed(lambda p=pixels: faces().find(p))
        done, whole = timed(lambda p=pixels: clean_picture(saved(p), eye))
        rows.append(f"| {path.stem} | {pixels.shape[1]}x{pixels.shape[0]} | {PEOPLE.get(path.stem, 0)} | "
                    f"{len(boxes)} | {faces_in(done.content)} | {looking:.0f} | {whole:.0f} |")  # fmt: skip
    return rows


def read() -> list[str]:
    """One row per ground and turn: how many of the lines were read exactly, and CPU."""
    rows = []
    for name, ink, paper in (("dark on light", 0, 255), ("light on dark", 255, 20), ("grey on grey", 140, 210)):
        for quarters in range(4):
            page = np.ascontiguousarray(np.rot90(written(ink=ink, paper=paper), quarters))
            seen, spent = timed(lambda p=page: {line.text for line in lines().find(p)})
            rows.append(f"| {name} | {quarters * 90} | {len(seen & set(LETTER))} of {len(LETTER)} | {spent:.0f} |")
    return rows


def film(path: Path, frames: int = 96) -> bytes:
    """A camera that moves over a picture: 960 x 664, 24 frames a second."""
    import av

    with Image.open(path) as opened:
        whole = np.asarray(opened.convert("RGB").resize((1060, 734)))
    out = io.BytesIO()
    with av.open(out, "w", format="mp4") as container:
        stream = container.add_stream("libx264", rate=24)
        stream.width, stream.height, stream.pix_fmt = 960, 664, "yuv420p"
        for n in range(frames):
            part = np.ascontiguousarray(whole[n * 70 // frames :][:664, n : n + 960])
            container.mux(stream.encode(av.VideoFrame.from_ndarray(part, format="rgb24")))
        container.mux(stream.encode(None))
    return out.getvalue()


def filmed(path: Path, eye: Eye) -> str:
    """One row: frames, faces left, frames per second of CPU and of the clock."""
    import av

    source, out, begun = film(path), io.BytesIO(), time.perf_counter()
    done, spent = timed(lambda: clean_video(io.BytesIO(source), out, eye))
    clock = time.perf_counter() - begun
    with av.open(io.BytesIO(out.getvalue())) as container:
        left = sum(
            bool(faces().find(one.to_ndarray(format="rgb24"), (480,), turned=False))
            for one in container.decode(video=0)
        )
    return (f"| {path.stem} | {done.frames} | {done.counts.get('FACE', 0)} | {done.refilled} | {left} | "
            f"{1000 * done.frames / spent:.1f} | {done.frames / clock:.1f} |")  # fmt: skip


def head(names: tuple[str, ...]) -> list[str]:
    """The first two lines of a table."""
    return ["| " + " | ".join(names) + " |", "|" + "---|" * len(names)]


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--samples", type=Path, default=FACES)
    parser.add_argument("--write", action="store_true")
    given = parser.parse_args()
    paths = sorted(path for path in given.samples.iterdir() if path.suffix in (".jpg", ".png"))
    eye = Eye(detector("fast"), vendor_policy())
    of_faces = ("picture", "size", "people", "found", "left after cleaning", "faces, ms", "all of it, ms")
    of_films = ("from", "frames", "most faces", "filled again", "frames with a face after", "fps of CPU", "fps")
    text = "\n".join([
        "# Pictures and video", "",
        f"`bench/pictures.py --write`, {datetime.now(UTC):%Y-%m-%d %H:%M} UTC, {platform.machine()}, Python "
        f"{platform.python_version()}, load {os.getloadavg()[0]:.1f}. CPU of one thread; other work ran beside it.", "",
        "## Faces", "", *head(of_faces), *found(paths, eye), "",
        "## Text, read exactly", "", *head(("ground", "turned", "lines", "ms")), *read(), "",
        "## Video, 960 x 664", "", *head(of_films), *[filmed(p, eye) for p in paths if p.stem in ("t1", "astronaut")],
        "",
    ])  # fmt: skip
    print(text)
    if given.write:
        RESULTS.write_text(text)


if __name__ == "__main__":
    main()
