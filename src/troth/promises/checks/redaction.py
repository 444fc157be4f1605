"""Promises about training data: a synthetic data set goes through the real pipeline, then through a broken one."""

from __future__ import annotations

import io
import json
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from importlib.resources import files
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from PIL import Image, ImageDraw, ImageFont

from troth.gateway.intake import admit_file, admit_image
from troth.gateway.vendors.gate import RequestFacts, admissible
from troth.gateway.vendors.local_studio import LOCAL_STUDIO
from troth.kernel.clock import epoch_ms
from troth.kernel.errors import Conflict, Denied, IntegrityError, Invalid, Unavailable, UnsupportedMedia
from troth.kernel.signer import Signer
from troth.promises.check import Check, Facts, counted
from troth.promises.probe import refused
from troth.promises.system import System
from troth.redact.canaries import leak_bound
from troth.redact.consent import ConsentGate, NoSubjects
from troth.redact.dataset import DatasetJob, redact_dataset
from troth.redact.decisions import Action, Decision
from troth.redact.detect import CATEGORIES, Detector, Span, rules_detector
from troth.redact.lineage import read_lineage, register
from troth.redact.manifest import MANIFEST, open_for_training, verify_manifest
from troth.redact.manifest import LocalSigner as ManifestSigner
from troth.redact.pictures import faces as eyes
from troth.redact.pictures import lines as reader
from troth.redact.pictures.cleaning import clean_picture
from troth.redact.pictures.frames import read
from troth.redact.pictures.looking import Eye
from troth.redact.policy import lint, parse_policy, training_policy, vendor_policy
from troth.redact.rows import RowRedactor
from troth.redact.scan import input_files
from troth.redact.tiers import detector as detector_of

_KEY = b"k" * 32  # pseudonyms of synthetic rows need no secret
_SECRETS = ("matthias.brandauer@example.org", "+44 20 7946 0123", "4111 1111 1111 1111")
_ROWS: list[dict[str, Any]] = [
    {"text": f"The pump in hall {n} was repaired. Write to {_SECRETS[0]} or call {_SECRETS[1]} before noon."}
    for n in range(8)
] + [{"text": f"The card {_SECRETS[2]} was charged for order and delivery of the spare parts."}]
_CANARIES = 75
_ORIENTATION, _ARTIST, _GPS = 0x0112, 0x013B, 0x8825  # EXIF tags
_PHOTOGRAPHER = "Priscilla Castellanos"


@dataclass(frozen=True)
class Blind:
    """A detector that finds nothing: the known-bad one."""

    version: str = "blind"

    def detect(self, text: str) -> list[Span]:  # noqa: ARG002 - the shape of a detector
        return []


@dataclass(frozen=True)
class Forgetful:
    """A detector that does not know e-mail addresses: some canaries come through."""

    version: str = "forgetful"

    def detect(self, text: str) -> list[Span]:
        return [span for span in rules_detector().detect(text) if span.kind != "email"]


def _tiers() -> list[Callable[[], Detector]]:
    """The rules, and the model tier where its extra is installed; one that is broken fails the check."""
    if find_spec("numpy") is None:
        return [rules_detector]
    return [rules_detector, partial(detector_of, "fast")]


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
    return counted([one for tier in _tiers() for one in _opened(system.base.signer, read, tier)])


def _opened(
    signer: Signer, read: Callable[[Path, Signer], list[dict[str, Any]]], tier: Callable[[], Detector]
) -> list[bool]:
    with training_set(signer, _ROWS, NoSubjects("The rows are synthetic."), tier) as folder:
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
    return outcomes


def _lineage(system: System, key_of: Callable[[Signer], bytes]) -> Facts:
    """A made-up model on a made-up data set: registered, read back by its key alone, and refused when it is not so."""
    signer, outcomes = system.base.signer, []
    with training_set(signer, _ROWS, NoSubjects("The rows are synthetic.")) as folder:
        weights = folder.with_name("weights.bin")
        weights.write_bytes(b"made-up weights")
        root = verify_manifest(folder, signer.public_key).root
        enter = partial(register, "probe", [weights], [folder], key=signer.public_key, signer=signer)
        lineage = read_lineage(enter(read=[root]), signer.public_key)
        outcomes.append([one["root"] for one in lineage.datasets] == [root])
        for digests in (["0" * 64], [root, "0" * 64], []):
            outcomes.append(refused(lambda d=digests: enter(read=d), Conflict, code="lineage-unknown-digest"))  # type: ignore[misc]
        changed = enter(read=[root]).replace(b"payload", b"paylaod", 1)
        outcomes.append(refused(lambda: read_lineage(changed, signer.public_key), IntegrityError))
        stranger = register("probe", [weights], [folder], read=[root], key=signer.public_key, signer=_stranger())
        outcomes.append(refused(lambda: read_lineage(stranger, key_of(signer)), IntegrityError))
    return counted(outcomes)


def _stranger() -> ManifestSigner:
    """A key that nobody trusts."""
    return ManifestSigner(Ed25519PrivateKey.from_private_bytes(b"stranger" * 4))


def _canaries(system: System, tiers: Sequence[Callable[[], Detector]]) -> Facts:
    """Planted values that come through, the bound, and whether a set with one canary left in can be published.

    By labels and by surrogates: a value made up in the place of another must not carry it through.
    """
    tried = bad = 0
    surrogate = training_policy().model_copy(update={"decisions": _surrogates()})
    for policy, tier in ((policy, tier) for policy in (training_policy(), surrogate) for tier in tiers):
        bound = leak_bound(_ROWS, RowRedactor(tier(), policy, _KEY), _CANARIES, "probe")
        tried += bound.planted + 1
        bad += bound.left + (bound.recall_lower < policy.min_recall)
    for broken in (Blind, Forgetful):
        tried += 1
        bad += not refused(lambda one=broken: _published(system, one), Conflict, code="leak-bound")  # type: ignore[misc]
    return Facts(tried, tried, bad)


def _surrogates() -> dict[str, Decision]:
    """The training policy's decisions, with surrogates for all that is taken out."""
    made = Decision(action=Action.SURROGATE)
    return {name: one if one.action is Action.KEEP else made for name, one in training_policy().decisions.items()}


def _published(system: System, detector: Callable[[], Detector]) -> None:
    with training_set(system.base.signer, _ROWS, NoSubjects("The rows are synthetic."), detector):
        pass


def _shipped(name: str) -> str:
    return files("troth.redact").joinpath("policies", f"{name}.yaml").read_text("utf-8")


def _decided(texts: Sequence[str]) -> Facts:
    """For each policy and each category of the taxonomy: is there a decision?"""
    found = [(category, lint(text)) for text in texts for category in CATEGORIES]
    undecided = [all(one.where != f"decisions.{category}" for one in findings) for category, findings in found]
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
    looked_at: Callable[[bytes], bytes]


def _looked_at(content: bytes) -> bytes:
    return clean_picture(content, Eye(rules_detector(), vendor_policy())).content


_REAL = _Intake(lambda content, kind: admit_image(content, kind).content, admit_file, input_files, _looked_at)
_LAX = _Intake(lambda content, _kind: content, lambda *_: None, lambda _: None, lambda content: content)


def _modalities(system: System, intake: _Intake) -> Facts:
    cleaned = intake.image(_photograph(), "image/jpeg")
    with Image.open(io.BytesIO(cleaned)) as picture:
        tags = picture.getexif()
        outcomes = [not tags.get_ifd(_GPS), _ARTIST not in tags, _PHOTOGRAPHER.encode() not in cleaned]
    for name, kind in (("clip.mp4", "video/mp4"), ("voice.mp3", "audio/mpeg"), ("page.pdf", "application/pdf")):
        outcomes.append(refused(lambda n=name, k=kind: intake.file(n, k, b"\0" * 64), UnsupportedMedia))  # type: ignore[misc]
    with tempfile.TemporaryDirectory(prefix="troth-probe-") as folder:
        Path(folder, "rows.jsonl").write_text('{"text": "x"}\n', encoding="utf-8")
        Path(folder, "voice.mp3").write_bytes(b"\0" * 64)
        outcomes.append(refused(lambda: intake.folder(Path(folder)), UnsupportedMedia, code="file-type-unknown"))
    outcomes.append(refused(lambda: _raw_picture_leaves(system), Denied, code="pictures-not-cleared"))
    return counted(outcomes + _shown(intake))


def _shown(intake: _Intake) -> list[bool]:
    """Whether a portrait still shows its face, and a note its address; without the extra, whether both are refused."""
    portrait = files("troth.gateway.samples").joinpath("photo.jpg").read_bytes()
    try:
        faces, lines = eyes.faces(), reader.lines()
    except Unavailable as error:
        return [refused(lambda p=p: intake.looked_at(p), Unavailable, code=error.code) for p in (portrait, _note())]  # type: ignore[misc]
    seen = [_pixels(intake.looked_at(content)) for content in (portrait, _note())]
    return [not faces.find(seen[0]), not any("example" in line.text for line in lines.find(seen[1]))]


def _pixels(content: bytes) -> Any:
    return read(content).frames[0].pixels


def _note() -> bytes:
    picture, out = Image.new("RGB", (420, 90), "white"), io.BytesIO()
    ImageDraw.Draw(picture).text((12, 24), "write to probe@example.org", "black", ImageFont.load_default(26))
    picture.save(out, "PNG")
    return out.getvalue()


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
        "model-lineage",
        ("TRN-05",),
        "A made-up model is registered with the data set that it read: the statement must verify by the public key "
        "alone, and a registration with an unknown digest must be refused. Whether every model in service was "
        "registered is not looked at: Troth does not see who trains.",
        lambda system: _lineage(system, lambda signer: signer.public_key),
        lambda system: _lineage(system, lambda _signer: _stranger().public_key),
        every=6 * 3600,
        scope="the register of models, with one synthetic model",
        population="statements read and registrations tried",
    ),
    Check(
        "training-reader-refuses",
        ("TRN-01",),
        "A synthetic data set is made by each tier; the reader for training must give it without its personal values, "
        "and refuse it with one changed byte, one file too many, or no manifest. Its refusals are not logged, and "
        "other roads to raw files are not looked at.",
        lambda system: _opening(system, rows_of),
        lambda system: _opening(system, _unverified),
        every=6 * 3600,
        scope="the reader for training, on synthetic sets of each tier",
        population="personal values searched, and harmed sets",
    ),
    Check(
        "training-canaries",
        ("TRN-02",),
        "75 made-up values are planted in synthetic rows, for each tier, once with labels and once with surrogates: "
        "none may come through, the lower 95 % bound must reach the policy's, and a set with a canary left in must not "
        "be published. Kinds that are not planted and trained models are not looked at.",
        lambda system: _canaries(system, _tiers()),
        lambda system: _canaries(system, [Forgetful]),
        every=6 * 3600,
        scope="redaction for training, on synthetic rows of each tier",
        population="planted values, bounds, and sets to publish",
    ),
    Check(
        "training-policy-complete",
        ("TRN-03",),
        "Both shipped policies are read: each category of the taxonomy must have a written decision. Whether the "
        "decisions are wise, and policies that somebody brings along, are not looked at.",
        lambda _: _decided([_shipped("training"), _shipped("vendor")]),
        _one_missing,
        every=6 * 3600,
        scope="the two shipped redaction policies",
        population="categories of each policy, and each policy",
    ),
    Check(
        "intake-by-modality",
        ("TRN-04",),
        "A photograph with GPS and a name must come out without both, a portrait without its face, a note without its "
        "address; uploads of video, sound and documents, and data sets with an unknown file, must be refused. Without "
        "the extra vision, pictures must be refused. What the models do not find is not looked at.",
        lambda system: _modalities(system, _REAL),
        lambda system: _modalities(system, _LAX),
        every=6 * 3600,
        scope="intake of synthetic files of each kind",
        population="marks to be removed, and files to be refused",
    ),
)
