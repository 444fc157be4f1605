"""Uploads made to hurt: bombs, polyglots, hidden data, disguised types. Each is refused by type, or cleaned."""

from __future__ import annotations

import gzip
import io
import time
import tracemalloc
import zipfile
import zlib
from collections.abc import Callable

import pytest
from PIL import Image

from troth.gateway.intake import Limits, admit_file, admit_image
from troth.kernel.errors import Invalid, Malformed, TooLarge, TrothError, UnsupportedMedia
from unit.gateway.intake import pictures
from unit.gateway.intake.pictures import png_chunk

EICAR = b"X5O!P%@AP[4\\PZX54(P^)7CC)7}$" + b"EICAR-STANDARD-ANTIVIRUS-TEST-FILE!$H+H*"


def _plain(name: str) -> bytes:
    out = io.BytesIO()
    pictures.photo().save(out, name)
    return out.getvalue()


def _zip() -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("payload.html", "<script>alert(1)</script>")
    return out.getvalue()


def _vp8x_bomb() -> bytes:
    content = bytearray(pictures.webp())
    content[24:30] = b"\xff\xff\xff\xff\xff\xff"  # a canvas of 2**24 by 2**24
    return bytes(content)


def _jpeg_bomb() -> bytes:
    content = bytearray(_plain("JPEG"))
    frame = content.index(b"\xff\xc0")
    content[frame + 5 : frame + 9] = b"\xff\xff\xff\xff"  # 65,535 by 65,535
    return bytes(content)


@pytest.mark.parametrize("make", [pictures.png_bomb, _vp8x_bomb, _jpeg_bomb])
def test_bomb_costs_neither_time_nor_memory(make: Callable[[], bytes]) -> None:
    bomb = make()
    tracemalloc.start()
    begun = time.process_time()
    with pytest.raises(TooLarge) as refusal:
        admit_image(bomb, "")
    spent, (_, peak) = time.process_time() - begun, tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert refusal.value.code == "too-many-pixels"
    assert spent < 0.2
    assert peak < 4 * len(bomb) + 1_000_000


def test_text_bomb_is_dropped_unread() -> None:
    """A compressed text of 500 MB in a PNG: texts are removed without inflating them."""
    text = png_chunk(b"zTXt", b"Comment\0\0" + zlib.compress(bytes(50_000_000), 9))
    plain = _plain("PNG")
    begun = time.process_time()
    admitted = admit_image(plain[:33] + text * 10 + plain[33:], "image/png")
    assert time.process_time() - begun < 1
    assert admitted.content == plain
    assert admitted.removed == ("text",)


@pytest.mark.parametrize(("name", "media_type"), [("PNG", "image/png"), ("JPEG", "image/jpeg"), ("WEBP", "image/webp")])
@pytest.mark.parametrize("payload", [b"%PDF-1.7 %%EOF", b"PK\x03\x04 half an archive", b"plain words"])
def test_polyglot_loses_its_second_half(name: str, media_type: str, payload: bytes) -> None:
    plain = _plain(name)
    admitted = admit_image(plain + payload, media_type)
    assert payload not in admitted.content
    assert admitted.removed == ("trailing-data",)
    assert pictures.pixels(admitted.content) == pictures.pixels(plain)


ACTIVE_PDF = b"%PDF-1.7\n1 0 obj<</OpenAction<</S/JavaScript/JS(app.alert(1))>>>>endobj %%EOF"
PROGRAM = b"MZ" + bytes(58) + (64).to_bytes(4, "little") + b"PE\0\0" + bytes(60)


@pytest.mark.parametrize(("name", "media_type"), [("PNG", "image/png"), ("JPEG", "image/jpeg"), ("WEBP", "image/webp")])
@pytest.mark.parametrize(
    "payload",
    [_zip(), b"<html><script>alert(1)</script></html>", EICAR, ACTIVE_PDF, PROGRAM, b"<?php system($_GET[0]);"],
    ids=["zip", "page", "eicar", "pdf", "program", "php"],
)
def test_polyglot_with_a_dangerous_half_is_refused(name: str, media_type: str, payload: bytes) -> None:
    with pytest.raises(Invalid) as refusal:
        admit_image(_plain(name) + payload, media_type)
    assert refusal.value.code == "malware-found"


def _hidden_in_comment(payload: bytes) -> bytes:
    plain = _plain("JPEG")
    return plain[:2] + b"\xff\xfe" + (len(payload) + 2).to_bytes(2, "big") + payload + plain[2:]


@pytest.mark.parametrize(
    "content",
    [
        _hidden_in_comment(EICAR),
        _plain("PNG")[:33] + png_chunk(b"evIl", EICAR) + _plain("PNG")[33:],
        _plain("PNG")[:33] + png_chunk(b"iTXt", b"XML:com.adobe.xmp\0\0\0\0\0" + EICAR) + _plain("PNG")[33:],
    ],
)
def test_payload_inside_the_container_is_refused(content: bytes) -> None:
    with pytest.raises(Invalid) as refusal:
        admit_image(content, "")
    assert refusal.value.code == "malware-found"


@pytest.mark.parametrize("filename", ["photo.jpg", "photo.png", "rows.jsonl", "notes.txt", "x"])
@pytest.mark.parametrize(
    "content",
    [
        _zip(),
        gzip.compress(b"hello", mtime=0),
        b"\x7fELF\x02\x01\x01" + bytes(60),
        b"MZ\x90\0" + bytes(60),
        b"<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>",
        b"<?xml version='1.0'?><!DOCTYPE x [<!ENTITY e SYSTEM 'file:///etc/passwd'>]><x>&e;</x>",
        b"GIF89a" + bytes(20),
        b"%!PS-Adobe\0",
    ],
)
def test_disguised_type_is_refused(filename: str, content: bytes) -> None:
    with pytest.raises((UnsupportedMedia, Malformed, Invalid)):
        admit_file(filename, "application/octet-stream", content)


@pytest.mark.parametrize(
    "declared", ["image/png", "image/webp", "image/svg+xml", "text/html", "image/png, image/jpeg", "*/*"]
)
def test_declared_type_cannot_be_talked_into(declared: str) -> None:
    with pytest.raises((Malformed, UnsupportedMedia)):
        admit_image(_plain("JPEG"), declared)


def test_refusals_say_nothing_of_the_content() -> None:
    needle = "Ada-Quillfeather"
    attempts = [
        lambda: admit_image(_plain("PNG")[:-20] + needle.encode(), "image/png"),
        lambda: admit_image(needle.encode(), ""),
        lambda: admit_file(f"{needle}.exe", "", b"hello"),
        lambda: admit_file(f"{needle}.json", "", f'{{"{needle}": '.encode()),
        lambda: admit_file(f"{needle}.csv", f"text/{needle}", b"a"),
    ]
    for attempt in attempts:
        with pytest.raises(TrothError) as refusal:
            attempt()
        assert needle not in refusal.value.advice + refusal.value.code + str(refusal.value)


def test_second_picture_behind_the_first_is_gone() -> None:
    """Phones append a video or the unedited picture (MPF, motion photo)."""
    secret = io.BytesIO()
    Image.new("RGB", (32, 32), "#ff00ff").save(secret, "JPEG")
    admitted = admit_image(_plain("JPEG") + secret.getvalue(), "image/jpeg")
    assert admitted.content.count(b"\xff\xd8\xff") == 1


def test_many_tiny_chunks_are_linear() -> None:
    plain = _plain("PNG")
    begun = time.process_time()
    admit_image(plain[:33] + png_chunk(b"tEXt", b"a\0b") * 100_000 + plain[33:], "image/png")
    assert time.process_time() - begun < 2


def test_animation_with_many_frames_is_bounded() -> None:
    content = pictures.webp(frames=3)
    start = content.index(b"ANMF")
    size = 8 + int.from_bytes(content[start + 4 : start + 8], "little")
    body = content[12:] + content[start : start + size] * 2000
    riff = b"RIFF" + (len(body) + 4).to_bytes(4, "little") + b"WEBP" + body
    with pytest.raises(TooLarge) as refusal:
        admit_image(riff, "image/webp", Limits(max_pixels=1_000_000))
    assert refusal.value.code == "too-many-pixels"
