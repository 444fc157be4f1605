"""A person's copy of everything (GDPR Art. 15, 20): a zip with a README, a JSON file per holder, files, a manifest."""

from __future__ import annotations

import hashlib
import io
import json
import mimetypes
import zipfile
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Protocol

from troth.kernel.clock import Clock
from troth.kernel.errors import Gone, TooLarge
from troth.kernel.personal import Holder, Holding
from troth.vault.objects import ObjectInfo

MAX_BYTES = 256 << 20  # the archive is built in memory, because no temporary file is ever written in clear
MANIFEST, README = "manifest.json", "README.txt"
_README = """\
A copy of everything that is kept about you here, made on {day}.

{listing}

files/ holds your files themselves. Each is named by its id; its own name stands in manifest.json.
manifest.json lists every file of this archive with its size and SHA-256, so that a changed copy can be told.
All data files are JSON in UTF-8 (RFC 8259); times are milliseconds since 1970-01-01 UTC. Programs may read them, and
you may hand them to another service (GDPR Art. 20).

The audit log holds what was done with your data, by ids and without content: see "Activity" in the portal.
What is listed here is what an erasure forgets: the same places are asked for both.
"""
_EPOCH = (1980, 1, 1, 0, 0, 0)  # zip's first moment; the same data gives the same archive


class FileSource(Protocol):
    """Where the bytes of a person's objects come from."""

    def files(self, tenant: str, subject: str) -> Iterator[tuple[ObjectInfo, bytes]]:
        """Every live object with its bytes."""
        ...


class Exporter:
    """Asks the same holders that an erasure asks."""

    def __init__(self, holders: Sequence[Holder], source: FileSource, clock: Clock, *, limit: int = MAX_BYTES) -> None:
        self._holders = tuple(holders)
        self._source = source
        self._clock = clock
        self._limit = limit

    def export(self, tenant: str, subject: str) -> tuple[bytes, int]:
        """The zip, and how many things it holds. Raises `TooLarge` above the limit (bytes of content)."""
        count = 0
        buffer = io.BytesIO()
        with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as opened:
            archive = _Archive(opened, self._limit)
            found = {holder.name: holder.holdings(tenant, subject) for holder in self._holders}
            archive.add(README, _readme(found, self._clock.now()).encode())
            for name, holdings in found.items():
                count += len(holdings)
                listing = sorted((asdict(one) for one in holdings), key=lambda one: (one["kind"], one["identifier"]))
                archive.add(f"data/{name}.json", _json(listing))
            self._add_files(archive, tenant, subject)
            archive.finish({"subject": subject, "tenant": tenant, "created": self._clock.now().isoformat()})
        return buffer.getvalue(), count

    def _add_files(self, archive: _Archive, tenant: str, subject: str) -> None:
        try:
            for info, content in self._source.files(tenant, subject):
                archive.add(f"files/{info.id}{_suffix(info.media_type)}", content, name=info.name)
        except Gone as error:
            raise Gone("Something was erased while the export ran; ask again.", code="export-raced") from error


def _readme(found: Mapping[str, Sequence[Holding]], now: datetime) -> str:
    """What lies where, for people. Counts and names of kinds only."""
    lines = []
    for name, holdings in found.items():
        kinds = Counter(one.kind for one in holdings)
        told = ", ".join(f"{number} {kind}" for kind, number in sorted(kinds.items())) or "nothing"
        lines.append(f"data/{name}.json: {told}")
    return _README.format(day=f"{now:%Y-%m-%d %H:%M} UTC", listing="\n".join(lines))


class _Archive:
    def __init__(self, opened: zipfile.ZipFile, limit: int) -> None:
        self._zip = opened
        self._files: list[dict[str, str | int]] = []
        self._left = limit

    def add(self, path: str, content: bytes, name: str | None = None) -> None:
        self._left -= len(content)
        if self._left < 0:
            raise TooLarge("The export is larger than one archive may be; download your files one by one.")
        self._write(path, content)
        entry: dict[str, str | int] = {
            "path": path,
            "bytes": len(content),
            "sha256": hashlib.sha256(content).hexdigest(),
        }
        self._files.append(entry | ({"name": name} if name else {}))

    def finish(self, about: dict[str, str]) -> None:
        self._write(MANIFEST, _json({"format": "troth-export-1", **about, "files": self._files}))

    def _write(self, path: str, content: bytes) -> None:
        entry = zipfile.ZipInfo(path, _EPOCH)
        entry.compress_type = zipfile.ZIP_DEFLATED
        entry.external_attr = 0o600 << 16
        self._zip.writestr(entry, content)


def _suffix(media_type: str) -> str:
    return mimetypes.guess_extension(media_type.split(";", maxsplit=1)[0].strip()) or ".bin"


def _json(value: object) -> bytes:
    return json.dumps(value, indent=2, sort_keys=True, ensure_ascii=False).encode()
