"""A world for key tree tests: a real database, real folders, and an adversary who keeps all that was written."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sqlalchemy import text

from database_world import opened
from troth.kernel.clock import SystemClock
from troth.kernel.data_class import DataClass
from troth.kernel.errors import TrothError
from troth.keys import manifest, packs, pages
from troth.keys.domains import Domain
from troth.keys.incidents import Incidents
from troth.keys.pages import Branch, Ref
from troth.keys.roots.local import LocalRoot
from troth.keys.roots.port import Root
from troth.keys.shares import KEY, SHARE, joined
from troth.keys.tree import KeyTree, Options, UnitKey, UnitRequest
from troth.keys.units import Scope, address, derive
from troth.storage.blobs import BlobStore, LocalBlobs
from troth.storage.database import Database


def replaced(incidents: Incidents, scope: Scope, reason: str) -> int:
    """What the job does: mark unless that was done, move everything, destroy; how many units."""
    if not incidents._marked(str(scope.tenant), reason):
        incidents.begin(scope, reason)
    return incidents.finish(str(scope.tenant), reason)


class KeepingBlobs:
    """An object store from which nothing ever vanishes: a bucket with versions, a tape, a backup."""

    def __init__(self, inner: BlobStore, kept: dict[str, bytes]) -> None:
        self._inner, self._kept = inner, kept

    def create(self, name: str, content: bytes) -> None:
        self._kept[name] = content
        self._inner.create(name, content)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)


@dataclass
class Made:
    """A unit that was given out, with all that an insider knows of it."""

    key: UnitKey
    tenant: str
    subject: str
    data_class: DataClass
    period: str

    @property
    def place(self) -> bytes:
        return address(self.tenant, self.subject, self.key.id)

    def is_opened_by(self, secret: bytes) -> bool:
        binding = (self.tenant, self.subject, self.data_class.value, self.period)
        return derive(secret, self.key.id, self.key.generation, binding) == self.key


@dataclass
class History:
    """All that was ever written: page versions by page id, manifests."""

    pages: dict[str, set[bytes]] = field(default_factory=dict)
    manifests: set[bytes] = field(default_factory=set)

    def add_blobs(self, blobs: dict[str, bytes]) -> None:
        for name, content in blobs.items():
            file = name.rpartition("/")[2]
            if file.startswith("manifest-"):
                self.manifests.add(content)
                continue
            for page in packs.unpack(content) if file.startswith("pack-") else [content]:
                self.pages.setdefault(page[12:28].hex(), set()).add(page)  # a page says its id in clear

    def add_database(self, database: Database) -> None:
        with database.read() as connection:
            for page, content in connection.execute(text("SELECT page, content FROM key_page")):
                self.pages.setdefault(page, set()).add(bytes(content))
            self.manifests |= {bytes(body) for (body,) in connection.execute(text("SELECT body FROM key_manifest"))}

    def add_sqlite_file(self, path: Path, scratch: Path) -> None:
        """A copy of the database file with its write-ahead log, as a snapshot or a thief has them."""
        scratch.mkdir(exist_ok=True)
        for suffix in ("", "-wal"):
            source = Path(f"{path}{suffix}")
            (scratch / f"stolen.db{suffix}").write_bytes(source.read_bytes() if source.exists() else b"")
        with closing(sqlite3.connect(scratch / "stolen.db")) as stolen:
            for page, content in stolen.execute("SELECT page, content FROM key_page"):
                self.pages.setdefault(page, set()).add(bytes(content))
            self.manifests |= {bytes(body) for (body,) in stolen.execute("SELECT body FROM key_manifest")}

    def secrets(self, roots: Iterable[Root]) -> dict[bytes, set[bytes]]:
        """Every secret by address that opens with what `roots` can open today."""
        found: dict[bytes, set[bytes]] = {}
        waiting = list(self._root_pages(list(roots)))
        seen: set[Ref] = set()
        while waiting:
            ref = waiting.pop()
            if ref in seen:
                continue
            seen.add(ref)
            for content in self.pages.get(ref.page.hex(), ()):
                _, page = pages.open_sealed(ref, "eu", content)
                if isinstance(page, Branch):
                    waiting += page.children
                else:
                    for place, secret in page.entries.items():
                        found.setdefault(place, set()).add(secret)
        return found

    def opens(self, made: Made, found: dict[bytes, set[bytes]]) -> bool:
        return any(made.is_opened_by(secret) for secret in found.get(made.place, ()))

    def _root_pages(self, roots: Sequence[Root]) -> Iterator[Ref]:
        for body in self.manifests:
            one = manifest.decode(body)
            page, opened = bytes.fromhex(one.root_page), {}
            for seal in one.domains:
                for root in roots:
                    for name in root.present():
                        try:
                            key = root.open(name, seal.key, one.aad(SHARE if one.split else KEY, seal.domain))
                        except TrothError:
                            continue
                        opened[seal.domain] = key
                        if not one.split:
                            yield Ref(page, key)
            if one.split and len(opened) == len(one.domains):
                yield Ref(page, joined(opened, page))


class World:
    """A key tree on real storage; `reopen` is another process."""

    def __init__(
        self,
        folder: Path,
        *,
        domains: int = 1,
        kind: str = "sqlite",
        wrap: Callable[[Any], Any] = lambda one: one,
        options: Options | None = None,
    ) -> None:
        self.folder = folder
        self.kept: list[dict[str, bytes]] = [{} for _ in range(domains)]
        self.history = History()
        self.made: list[Made] = []
        self._opened = opened(kind, folder)
        self.database = self._opened.__enter__()
        self.url = self.database.engine.url.render_as_string(hide_password=False)
        self.roots = [LocalRoot(folder / f"roots-{at}", f"local-{at}") for at in range(domains)]
        self.domains = [
            Domain(wrap(root), wrap(KeepingBlobs(LocalBlobs(folder / f"copies-{at}"), kept)))
            for at, (root, kept) in enumerate(zip(self.roots, self.kept, strict=True))
        ]
        self.wrap, self.clock, self.options = wrap, SystemClock(), options
        self.tree = self.reopen()

    def reopen(self) -> KeyTree:
        """A process that starts now."""
        tree = KeyTree(self.wrap(self.database), self.domains, self.clock, options=self.options)
        assert tree.resume()
        self.tree = tree
        return tree

    def own(self, tenant: str, subject: str, count: int = 1) -> list[Made]:
        requests = [UnitRequest(tenant, subject, DataClass.USER_GENERATED, None)] * count
        made = [Made(key, tenant, subject, DataClass.USER_GENERATED, "") for key in self.tree.units(requests)]
        self.made += made
        return made

    def shared(self, tenant: str, subject: str, period: str) -> Made:
        made = Made(
            self.tree.unit(tenant, subject, DataClass.ACCOUNT, period), tenant, subject, DataClass.ACCOUNT, period
        )
        self.made.append(made)
        return made

    def keep(self) -> None:
        """The adversary takes a copy of everything."""
        self.history.add_database(self.database)
        for kept in self.kept:
            self.history.add_blobs(kept)

    def close(self) -> None:
        self._opened.__exit__(None, None, None)
