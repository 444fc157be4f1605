"""Promises about training data: a synthetic data set goes through the real pipeline, then through a broken one."""

from __future__ import annotations

import io
import json
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Any

from PIL import Image

from troth.gateway.intake import admit_file, admit_image
from troth.gateway.vendors.gate import RequestFacts, admissible
from troth.gateway.vendors.local_studio import LOCAL_STUDIO
from troth.kernel.clock import epoch_ms
from troth.kernel.errors import Conflict, Denied, IntegrityError, Invalid, UnsupportedMedia
from troth.kernel.signer import Signer
from troth.promises.check import Check, Facts, counted
from troth.promises.probe import refused
from troth.promises.system import System
from troth.redact.canaries import leak_bound
from troth.redact.consent import ConsentGate, NoSubjects
from troth.redact.dataset import DatasetJob, redact_dataset
from troth.redact.detect import CATEGORIES, Detector, Span, rules_detector
from troth.redact.manifest import MANIFEST, open_for_training
from troth.redact.policy import lint, parse_policy, training_policy
from troth.redact.rows import RowRedactor
from troth.redact.scan import input_files

_KEY = b"k" * 32  # pseudonyms of synthetic rows need no secret
_SECRETS = ("matthias.brandauer@example.org", "+44 20 7946 0123", "4111 1111 1111 1111")
_ROWS: list[dict[str, Any]] = [
    {"text": f"The pump in hall {n} was repaired. Write to {_SECRETS[0]} or call {_SECRETS[1]} before noon."}
    for n in range(8)
] + [{"text": f"The card {_SECRETS[2]} was charged for order and delivery of the spare parts."}]
_CANARIES = 150
_ORIENTATION, _ARTIST, _GPS = 0x0112, 0x013B, 0x8825  # EXIF tags
_PHOTOGRAPHER = "Priscilla Castellanos"


@dataclass(frozen=True)
class Blind:
    """A detector that finds nothing: the known-bad one."""

    version: str = "blind"

    def detect(self, text: str) -> list[Span]:  # noqa: ARG002 - the shape of a detector
        return []


@contextmanager
def training_set(
    signer: Signer,
    rows: Sequence[dict[str, Any]],
    gate: ConsentGate,
    detector: Callable[[], Detector] = rules_detector,
    *,
    canaries: int = _CANARIES,
) -> Iterator[Path]:
    """A folder with the data set that the real pipeline makes of synthetic rows. Raises as `redact_dataset`."""
    with tempfile.TemporaryDirectory(prefix="troth-probe-") as folder:
        source, output = Path(folder, "rows.jsonl"), Path(folder, "set")
        source.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
        job = DatasetJob(
            source_path=source,
            output=output,
            name="probe",
            source="made up for a self-check",
            licence="CC0-1.0",
            policy=training_policy(),
            gate=gate,
            root_key=_KEY,
            format="jsonl",
            workers=1,
            canaries=canaries,
            detector=detector,
        )
        redact_dataset(job, signer)
        yield output


def rows_of(directory: Path, signer: Signer) -> list[dict[str, Any]]:
    """The rows that a training job gets. Raises `IntegrityError`."""
    shards = open_for_training(directory, signer.public_key).shards()
    return [json.loads(line) for _, content in shards for line in content.splitlines()]


def _unverified(directory: Path, _signer: Signer) -> list[dict[str, Any]]:
    """The known-bad reader: it takes whatever lies in the folder."""
    shards = sorted(directory.glob("shard-*"))
    return [json.loads(line) for shard in shards for line in shard.read_bytes().splitlines()]


def _opening(system: System, read: Callable[[Path, Signer], list[dict[str, Any]]]) -> Facts:
    signer = system.base.signer
    with training_set(signer, _ROWS, NoSubjects("The rows are synthetic.")) as folder:
        text = json.dumps(read(folder, signer))
        outcomes = [secret not in text for secret in _SECRETS]
        shard = next(folder.glob("shard-*"))
        content = shard.read_bytes()
        shard.write_bytes(content.replace(b"pump", b"pUmp", 1))
        outcomes.append(refused(lambda: read(folder, signer), IntegrityError, code="dataset-changed"))
        shard.write_bytes(content)
        (folder / "shard-99999.jsonl").write_bytes(b"{}\n")
        outcomes.append(refused(lambda: read(folder, signer), IntegrityError, code="dataset-changed"))
        (folder / "shard-99999.jsonl").unlink()
        (folder / MANIFEST).unlink()
        outcomes.append(refused(lambda: read(folder, signer), IntegrityError, code="manifest-missing"))
    return counted(outcomes)


def _canaries(system: System, detector: Detector) -> Facts:
    """Planted values that come through, the bound, and whether a set of a blind detector can be published."""
    policy = training_policy()
    bound = leak_bound(_ROWS, RowRedactor(detector, policy, _KEY), _CANARIES, "probe")
    published = not refused(lambda: _published(system, Blind), Conflict, code="leak-bound")
    low = bound.recall_lower_95 < policy.min_recall
    return Facts(bound.planted + 2, bound.planted + 2, bound.left + low + published)


def _published(system: System, detector: Callable[[], Detector]) -> None:
    with training_set(system.base.signer, _ROWS, NoSubjects("The rows are synthetic."), detector):
        pass


def _shipped(name: str) -> str:
    return files("troth.redact").joinpath("policies", f"{name}.yaml").read_text("utf-8")


def _decided(texts: Sequence[str]) -> Facts:
    """For each policy and each category of the taxonomy: is there a decision?"""
    found = [(category, lint(text)) for text in texts for category in CATEGORIES]
    undecided = [not any(f" {category};" in finding for finding in findings) for category, findings in found]
    complete = [not refused(lambda text=text: parse_policy(text), Invalid) for text in texts]  # type: ignore[misc]
    return counted(undecided + complete)


def _one_missing(_system: System) -> Facts:
    lines = _shipped("training").splitlines()
    return _decided(["\n".join(line for line in lines if not line.startswith("  email:"))])


@dataclass(frozen=True)
class _Intake:
    """What takes pictures, files and folders in."""

    image: Callable[[bytes, str], bytes]
    file: Callable[[str, str, bytes], object]
    folder: Callable[[Path], object]


_REAL = _Intake(lambda content, kind: admit_image(content, kind).content, admit_file, input_files)
_LAX = _Intake(lambda content, _kind: content, lambda *_: None, lambda _: None)


def _modalities(system: System, intake: _Intake) -> Facts:
    cleaned = intake.image(_photograph(), "image/jpeg")
    with Image.open(io.BytesIO(cleaned)) as picture:
        tags = picture.getexif()
        outcomes = [not tags.get_ifd(_GPS), _ARTIST not in tags, _PHOTOGRAPHER.encode() not in cleaned]
    for name, kind in (("clip.mp4", "video/mp4"), ("voice.mp3", "audio/mpeg"), ("page.pdf", "application/pdf")):
        outcomes.append(refused(lambda n=name, k=kind: intake.file(n, k, b"\0" * 64), UnsupportedMedia))  # type: ignore[misc]
    with tempfile.TemporaryDirectory(prefix="troth-probe-") as folder:
        Path(folder, "rows.jsonl").write_text('{"text": "x"}\n', encoding="utf-8")
        Path(folder, "clip.mp4").write_bytes(b"\0" * 64)
        outcomes.append(refused(lambda: intake.folder(Path(folder)), UnsupportedMedia, code="file-type-unknown"))
    outcomes.append(refused(lambda: _raw_picture_leaves(system), Denied, code="pictures-not-cleared"))
    return counted(outcomes)


def _raw_picture_leaves(system: System) -> None:
    uncleared = LOCAL_STUDIO.facts.model_copy(update={"raw_images": False})
    vendor = LOCAL_STUDIO.model_copy(update={"facts": uncleared})
    admissible(vendor, RequestFacts("eu", pictures=True), epoch_ms(system.base.clock.now()))


def _photograph() -> bytes:
    """A synthetic JPEG that says where it was taken, and by whom."""
    picture, tags, out = Image.new("RGB", (16, 16), "teal"), Image.Exif(), io.BytesIO()
    tags[_ORIENTATION], tags[_ARTIST] = 1, _PHOTOGRAPHER
    tags.get_ifd(_GPS).update({1: "N", 2: (48.0, 12.0, 30.0), 3: "E", 4: (16.0, 22.0, 12.0)})
    picture.save(out, "JPEG", exif=tags)
    return out.getvalue()


CHECKS = (
    Check(
        "training-reader-refuses",
        ("TRN-01",),
        "A synthetic data set is made; the reader for training must give it without its personal values, and refuse it "
        "with one changed byte, one file too many, or no manifest. Its refusals are not logged, and other roads to raw "
        "files are not looked at.",
        lambda system: _opening(system, rows_of),
        lambda system: _opening(system, _unverified),
        every=6 * 3600,
    ),
    Check(
        "training-canaries",
        ("TRN-02",),
        "150 made-up values are planted in synthetic rows: none may come through, the lower 95 % bound must reach the "
        "policy's, and a set below it must not be published. Kinds that are not planted and models are not looked at.",
        lambda system: _canaries(system, rules_detector()),
        lambda system: _canaries(system, Blind()),
        every=6 * 3600,
    ),
    Check(
        "training-policy-complete",
        ("TRN-03",),
        "Both shipped policies are read: each category of the taxonomy must have a written decision. Whether the "
        "decisions are wise, and policies that somebody brings along, are not looked at.",
        lambda _: _decided([_shipped("training"), _shipped("vendor")]),
        _one_missing,
        every=6 * 3600,
    ),
    Check(
        "intake-by-modality",
        ("TRN-04",),
        "A photograph with GPS and a name in it must come out without both; video, sound, documents and unknown files "
        "are refused, not redacted. What is seen in pixels stays: such pictures reach only cleared vendors.",
        lambda system: _modalities(system, _REAL),
        lambda system: _modalities(system, _LAX),
        every=6 * 3600,
    ),
)
