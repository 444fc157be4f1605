"""Pictures with everything personal that a camera or an editor writes into them."""

from __future__ import annotations

import io
import zlib
from pathlib import Path

from PIL import Image, ImageCms, PngImagePlugin

NEEDLE = "Ada Quillfeather"
SAMPLE = Path(__file__).parents[4] / "src/troth/gateway/samples/photo.jpg"
XMP = f'<x:xmpmeta xmlns:x="adobe:ns:meta/"><r exif:GPSLatitude="48,12N" by="{NEEDLE}"/></x:xmpmeta>'.encode()
PROFILE = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()


def photo() -> Image.Image:
    """A 64 x 48 picture of the sample photograph, RGB."""
    with Image.open(SAMPLE) as image:
        small = image.convert("RGB").resize((64, 48))
    small.info.clear()  # Pillow would write the sample's comment again
    return small


def exif(orientation: int = 1) -> bytes:
    tags = Image.Exif()
    tags[0x0112] = orientation
    tags[0x013B] = NEEDLE
    tags.get_ifd(0x8769)[0x927C] = b"maker " + NEEDLE.encode()
    tags.get_ifd(0x8825).update({1: "N", 2: (48.0, 12.0, 30.0), 3: "E", 4: (16.0, 22.0, 23.0)})
    return tags.tobytes()


def jpeg(orientation: int = 1, *, progressive: bool = False) -> bytes:
    out = io.BytesIO()
    photo().save(
        out,
        "JPEG",
        quality=90,
        progressive=progressive,
        exif=exif(orientation),
        xmp=XMP,
        icc_profile=PROFILE,
        comment=NEEDLE.encode(),
    )
    return out.getvalue()


def png(orientation: int = 1, mode: str = "RGBA") -> bytes:
    texts = PngImagePlugin.PngInfo()
    texts.add_text("Author", NEEDLE)
    texts.add_text("Comment", NEEDLE, zip=True)
    texts.add_itxt("XML:com.adobe.xmp", XMP.decode())
    out = io.BytesIO()
    photo().convert(mode).save(out, "PNG", pnginfo=texts, exif=exif(orientation), icc_profile=PROFILE)
    return out.getvalue()


def webp(orientation: int = 1, *, lossless: bool = False, frames: int = 1) -> bytes:
    out = io.BytesIO()
    first = photo()
    more = [first.rotate(90 * turn) for turn in range(1, frames)]
    first.save(
        out,
        "WEBP",
        lossless=lossless,
        exif=exif(orientation),
        xmp=XMP,
        icc_profile=PROFILE,
        save_all=frames > 1,
        append_images=more,
    )
    return out.getvalue()


def pixels(content: bytes) -> list[tuple[str, bytes]]:
    """Every frame as (mode, raw pixels)."""
    with Image.open(io.BytesIO(content)) as image:
        frames = []
        for number in range(getattr(image, "n_frames", 1)):
            image.seek(number)
            frames.append((image.mode, image.tobytes()))
        return frames


def png_chunk(kind: bytes, body: bytes) -> bytes:
    return len(body).to_bytes(4, "big") + kind + body + zlib.crc32(kind + body).to_bytes(4, "big")


def png_bomb(side: int = 30_000) -> bytes:
    """A few bytes that claim `side` x `side` pixels."""
    header = png_chunk(b"IHDR", side.to_bytes(4, "big") * 2 + b"\x08\x00\x00\x00\x00")
    rows = zlib.compress(bytes(1_000_000), 9)
    return b"\x89PNG\r\n\x1a\n" + header + png_chunk(b"IDAT", rows) + png_chunk(b"IEND", b"")
