"""`troth redact image` and `troth redact video`: files of this machine, without a server."""

from __future__ import annotations

import json
import sys
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import click

from troth.cli.spans import TIER, loader

if TYPE_CHECKING:
    from troth.redact.pictures.looking import Eye
    from troth.redact.policy import Policy

_FILES = click.argument("paths", nargs=-1, required=True, metavar="FILE...",
                        type=click.Path(exists=True, dir_okay=False, path_type=Path))  # fmt: skip
_OUT = click.option("--out", required=True, type=click.Path(file_okay=False, path_type=Path),
                    help="Where cleaned files go: an empty folder.")  # fmt: skip
_POLICY = click.option("--policy", "policy_path", type=click.Path(path_type=Path),
                       help="training (the default), vendor, or a policy file in YAML.")  # fmt: skip
_FACES = click.option("--faces", type=click.Choice(["blur", "fill", "remove", "keep"]),
                      help="Instead of what the policy says.")  # fmt: skip
_JSON = click.option("--json", "as_json", is_flag=True, help="One JSON object with the counts, and no progress.")


@click.command()
@_FILES
@_OUT
@_POLICY
@_FACES
@TIER
@_JSON
def image(paths: tuple[Path, ...], out: Path, as_json: bool, **options: Any) -> None:
    """Cover faces, personal words and codes in pictures, and leave out their metadata.

    JPEG, PNG, WebP, GIF and TIFF, every frame and page. New files are named 000001.jpg and so on: names tell of people.
    """
    from troth.redact.media import image_file

    _each(paths, out, image_file, _eye(options), as_json=as_json)


@click.command()
@_FILES
@_OUT
@_POLICY
@_FACES
@click.option("--sound", type=click.Choice(["drop", "keep"]), default="drop", show_default=True,
              help="A voice tells who speaks, so it goes unless you keep it.")  # fmt: skip
@TIER
@_JSON
def video(paths: tuple[Path, ...], out: Path, as_json: bool, sound: Literal["drop", "keep"], **options: Any) -> None:
    """Cover faces and personal words in videos (MP4, MOV, MKV, WebM, AVI); the result is a fresh MP4.

    New files are named 000001.mp4 and so on: names tell of people.
    """
    from functools import partial

    from troth.redact.media import video_file

    _each(paths, out, partial(video_file, sound=sound), _eye(options), as_json=as_json)


def _eye(options: dict[str, Any]) -> Eye:
    from troth.redact.pictures.looking import Eye

    policy = _policy(options["policy_path"])
    faces = options["faces"]
    rules = policy.pictures.model_copy(update={"faces": faces}) if faces else policy.pictures
    return Eye(loader(options["tier"])(), policy, rules)


def _policy(path: Path | None) -> Policy:
    from troth.redact.policy import SHIPPED, load_policy, shipped

    name = str(path) if path else "training"
    return shipped(name) if name in SHIPPED else load_policy(Path(name))


def _each(paths: tuple[Path, ...], out: Path, clean: Callable[..., Any], eye: Eye, *, as_json: bool) -> None:
    """All files, one after the other, with a bar on a terminal; the first that is refused stops the work."""
    from troth.kernel.errors import Conflict

    out.mkdir(parents=True, exist_ok=True)
    if any(out.iterdir()):
        raise Conflict("The output directory is not empty; choose another, or remove it.", code="output-exists")
    counts: Counter[str] = Counter()
    made = []
    for number, path in enumerate(paths, 1):
        with _bar(number, len(paths), hidden=as_json) as told:
            done = clean(path, out, number, eye, told)
        counts.update(done.counts)
        made.append({"file": done.name, "counts": done.counts, "frames": done.frames, "removed": list(done.removed)})
    if as_json:
        click.echo(json.dumps({"files": made, "counts": dict(sorted(counts.items())), "version": eye.version}))
    else:
        click.echo(f"{sum(counts.values())} areas covered in {len(made)} files; the result is in {out}", err=True)


class _bar:  # noqa: N801  used as a context only
    """A bar of frames on standard error, when that is a terminal."""

    def __init__(self, number: int, files: int, *, hidden: bool) -> None:
        self._label, self._hidden = f"{number}/{files}", hidden or not sys.stderr.isatty()
        self._made: Any = None

    def __enter__(self) -> Callable[[int, int], None]:
        return self._told

    def _told(self, done: int, total: int) -> None:
        if self._hidden:
            return
        if self._made is None:
            bar = click.progressbar(length=max(total, done), label=self._label, file=sys.stderr, show_eta=True)
            self._made = bar.__enter__()
        self._made.length = max(total, done)
        self._made.update(done - self._made.pos)

    def __exit__(self, *_: object) -> None:
        if self._made is not None:
            self._made.render_finish()
