"""Pictures and videos in data sets and on the command line: cleaned, numbered, counted by modality, signed too."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from PIL import Image

from picture_world import FACES, MAIL, faces_in, portrait, read_in, saved, written
from troth.cli.redact import redact
from troth.kernel.errors import Conflict, IntegrityError, Invalid, UnsupportedMedia
from troth.redact.consent import ConsentFlag, ConsentGate, NoSubjects
from troth.redact.dataset import DatasetJob, redact_dataset
from troth.redact.manifest import LocalSigner, open_for_training
from troth.redact.policy import training_policy

SIGNER = LocalSigner(Ed25519PrivateKey.generate())
NOBODY = NoSubjects("made-up people for a test")


def job(source: Path, output: Path, gate: ConsentGate = NOBODY) -> DatasetJob:
    return DatasetJob(source_path=source, output=output, name="pictures", source="made up", licence="CC0-1.0",
                      policy=training_policy(), gate=gate, root_key=b"k" * 32, format="jsonl", workers=1,
                      canaries=75)  # fmt: skip


@pytest.fixture
def source(tmp_path: Path) -> Path:
    folder = tmp_path / "in"
    folder.mkdir()
    rows = [{"text": f"Please write to user{n}@example.org", "granted": True} for n in range(3)]
    (folder / "rows.jsonl").write_text("\n".join(map(json.dumps, rows)))
    tags = Image.Exif()
    tags.get_ifd(0x8825).update({1: "N", 2: (48.0, 12.0, 30.0)})
    (folder / "Ada Quillfeather.JPG").write_bytes(saved(portrait(side=160), "JPEG", exif=tags))
    (folder / "note.png").write_bytes(saved(written([f"write to {MAIL}", "See you at noon"], size=(480, 110))))
    return folder


def test_pictures_of_a_data_set(source: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    predicate = redact_dataset(job(source, out), SIGNER)
    assert predicate["modalities"] == {"text": 3, "image": 2}
    assert predicate["media"] == {"image": {"files": 2, "frames": 2, "counts": {"EMAIL": 1, "FACE": 1},
                                            "removed": {"exif": 1, "gps": 1}}}  # fmt: skip
    assert len(predicate["inputs"]) == 3
    opened = open_for_training(out, SIGNER.public_key)
    media = dict(opened.media())
    assert sorted(media) == ["media-000001.jpg", "media-000002.png"]
    assert not faces_in(media["media-000001.jpg"])
    with Image.open(out / "media-000001.jpg") as picture:
        assert not picture.getexif()
    assert MAIL not in read_in(media["media-000002.png"])
    assert [name for name, _ in opened.shards()] == ["shard-00000.jsonl"]
    assert "Quillfeather" not in str(sorted(out.iterdir())) + (out / "manifest.dsse.json").read_text()


def test_a_changed_picture_is_noticed_and_counts_in_the_root(source: Path, tmp_path: Path) -> None:
    first = redact_dataset(job(source, tmp_path / "a"), SIGNER)
    (source / "note.png").write_bytes(saved(written(["See you at one"], size=(480, 110))))
    other = redact_dataset(job(source, tmp_path / "b"), SIGNER)
    assert first["root"] != other["root"]
    (tmp_path / "b" / "media-000002.png").write_bytes(saved(written([MAIL])))
    with pytest.raises(IntegrityError):
        open_for_training(tmp_path / "b", SIGNER.public_key)


def test_a_set_with_an_unknown_file_or_a_false_one_is_refused(source: Path, tmp_path: Path) -> None:
    for name, content, code in (("page.pdf", b"%PDF-1.7", "file-type-unknown"),
                                ("false.mp4", b"\0" * 64, "video-type-unknown"),
                                ("false.png", b"%PDF-1.7", "picture-type-unknown")):  # fmt: skip
        (source / name).write_bytes(content)
        out = tmp_path / name
        with pytest.raises(UnsupportedMedia) as refusal:
            redact_dataset(job(source, out), SIGNER)
        assert refusal.value.code == code
        assert not (out / "manifest.dsse.json").exists()
        (source / name).unlink()


def test_pictures_have_no_row_of_consent(source: Path, tmp_path: Path) -> None:
    with pytest.raises(Conflict) as refusal:
        redact_dataset(job(source, tmp_path / "out", ConsentFlag("granted", None)), SIGNER)
    assert refusal.value.code == "media-without-consent"


def test_a_set_of_pictures_alone_has_no_bound(tmp_path: Path) -> None:
    with pytest.raises(Invalid) as refusal:
        redact_dataset(job(FACES / "hopper.jpg", tmp_path / "out"), SIGNER)
    assert refusal.value.code == "empty-data-set"


def test_the_command_for_pictures(tmp_path: Path) -> None:
    note = tmp_path / "note.png"
    note.write_bytes(saved(written([f"write to {MAIL}", "See you at noon"], size=(480, 110))))
    given = ["image", str(FACES / "hopper.jpg"), str(note), "--out", str(tmp_path / "out"), "--faces", "fill", "--json"]
    told = CliRunner().invoke(redact, given, catch_exceptions=False)
    assert json.loads(told.output)["counts"] == {"EMAIL": 1, "FACE": 1}
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["000001.jpg", "000002.png"]
    assert not faces_in((tmp_path / "out" / "000001.jpg").read_bytes())
    with pytest.raises(Conflict):
        CliRunner().invoke(redact, given, catch_exceptions=False)


def test_the_command_for_videos_leaves_nothing_of_what_is_refused(tmp_path: Path) -> None:
    false = tmp_path / "false.mp4"
    false.write_bytes(b"\0" * 64)
    with pytest.raises(UnsupportedMedia):
        CliRunner().invoke(redact, ["video", str(false), "--out", str(tmp_path / "out")], catch_exceptions=False)
    assert list((tmp_path / "out").iterdir()) == []
