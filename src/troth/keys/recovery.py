"""Finding today's key tree again: from whatever holds pages and manifests, with today's roots, which only open.

Pages and manifests prove themselves: a manifest opens under a root that still exists or it is history, a page opens
under the key in its parent or it is not of this tree. So sources may be old, mixed or hostile (a database, the copies
of a key domain, a backup); the newest epoch that opens completely wins. What is not in that tree was erased.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from sqlalchemy import Connection, delete, func, insert, select, update

from troth.kernel.errors import IntegrityError, TrothError, Unavailable
from troth.keys import manifest as manifests
from troth.keys import packs, pages
from troth.keys.lifecycle import ENDED, State
from troth.keys.manifest import Manifest
from troth.keys.pages import Branch, Page, Ref
from troth.keys.roots.port import Root
from troth.keys.store import key_manifest, key_page, key_root, key_scope, key_tree, unit
from troth.keys.units import address
from troth.keys.unsealing import unsealed
from troth.storage.blobs import BlobStore

_RECOVERED = "restore"  # reason token of what a restore found destroyed


@dataclass(slots=True)
class Kept:
    """What one place holds of a tree: manifest bodies, and sealed pages by page id."""

    manifests: set[bytes] = field(default_factory=set)
    pages: dict[bytes, set[bytes]] = field(default_factory=dict)

    def add(self, content: bytes) -> None:
        """Sort in a manifest, a page, or several pages one after another; other bytes are of no use here."""
        if content.startswith(packs.MAGIC):
            for one in packs.unpack(content):
                self.add(one)
        elif content.startswith(pages.MAGIC):
            self.pages.setdefault(pages.read_header(content).page, set()).add(content)
        else:
            self.manifests.add(content)

    def join(self, other: Kept) -> None:
        """Take in what another place holds."""
        self.manifests |= other.manifests
        for page, contents in other.pages.items():
            self.pages.setdefault(page, set()).update(contents)


@dataclass(frozen=True, slots=True)
class Found:
    """A whole tree: its manifest, the sealed pages it needs, and the addresses of the units in it."""

    manifest: Manifest
    pages: dict[bytes, bytes] = field(repr=False)
    addresses: frozenset[bytes] = field(repr=False)


def kept_in_database(connection: Connection, jurisdiction: str) -> Kept:
    """The rows of one jurisdiction."""
    kept = Kept()
    kept.manifests |= set(
        connection.scalars(select(key_manifest.c.body).where(key_manifest.c.jurisdiction == jurisdiction))
    )
    for content in connection.scalars(select(key_page.c.content).where(key_page.c.jurisdiction == jurisdiction)):
        kept.add(bytes(content))
    return kept


def kept_in_copies(blobs: BlobStore, jurisdiction: str) -> Kept:
    """A key domain's own copies."""
    kept = Kept()
    for name in blobs.names(f"kt/{jurisdiction}/"):
        try:
            content = blobs.get(name)
            for one in packs.unpack(content) if content.startswith(packs.MAGIC) else [content]:
                kept.add(one)
        except TrothError:
            continue  # gone meanwhile, or unreadable: other copies may have it
    return kept


def find(sources: Sequence[Kept], roots: Sequence[Root], jurisdiction: str) -> Found:
    """The newest tree that opens completely; an earlier source wins over a later one, each over all together.

    Raises `IntegrityError` (tree-rolled-back) when none does, `Unavailable` when no root can be asked.
    """
    together = Kept()
    for one in sources:
        together.join(one)
    best: Found | None = None
    for kept in (*sources, together):
        found = _newest(kept, roots, jurisdiction)
        if found and (best is None or _rank(found) > _rank(best)):
            best = found
    if best is None:
        raise IntegrityError(
            "No key tree here opens with today's roots: the newest one was lost, or these are other keys.",
            code="tree-rolled-back",
        )
    return best


def install(connection: Connection, found: Found, roots: Sequence[Root], at: int) -> int:
    """Put a found tree into the tables of a restored database, and mark units that it does not hold as destroyed.

    Returns how many units were marked. Roots that exist and are not the tree's are left to the next start, which
    destroys them.
    """
    _replace_tree(connection, found)
    _settle_roots(connection, found.manifest, roots, at)
    return _mark_destroyed(connection, found, at)


def _rank(found: Found) -> tuple[int, int]:
    return found.manifest.epoch, len(found.addresses)


def _newest(kept: Kept, roots: Sequence[Root], jurisdiction: str) -> Found | None:
    known = [one for body in kept.manifests if (one := _decoded(body)) and one.jurisdiction == jurisdiction]
    for manifest in sorted(known, key=lambda one: one.epoch, reverse=True):
        if (ref := _root_ref(manifest, roots)) is None:
            continue
        walk = _Walk(kept, jurisdiction)
        try:
            walk.visit(ref)
        except IntegrityError:
            continue
        return Found(manifest, walk.chosen, frozenset(walk.addresses))
    return None


def _decoded(body: bytes) -> Manifest | None:
    try:
        return manifests.decode(bytes(body))
    except IntegrityError:
        return None


def _root_ref(manifest: Manifest, roots: Sequence[Root]) -> Ref | None:
    """The root page with its key; None when today's roots do not open it: destroyed, or others'."""
    try:
        return unsealed(manifest, roots)
    except Unavailable:
        raise
    except TrothError:
        return None


class _Walk:
    """One pass from the root down. Raises `IntegrityError` where a page is missing."""

    def __init__(self, kept: Kept, jurisdiction: str) -> None:
        self._kept = kept
        self._jurisdiction = jurisdiction
        self.chosen: dict[bytes, bytes] = {}
        self.addresses: set[bytes] = set()

    def visit(self, ref: Ref) -> None:
        """Choose the newest version of the page of which everything below is there too."""
        for content, page in self._versions(ref):
            below = _Walk(self._kept, self._jurisdiction)
            try:
                for child in page.children if isinstance(page, Branch) else ():
                    below.visit(child)
            except IntegrityError:
                continue  # such as a write that was lost half-way
            self.chosen |= {**below.chosen, ref.page: content}
            self.addresses |= below.addresses if isinstance(page, Branch) else page.entries.keys()
            return
        raise IntegrityError("A page of the key tree is missing.", code="key-page")

    def _versions(self, ref: Ref) -> Iterator[tuple[bytes, Page]]:
        opened: list[tuple[int, int, bytes, Page]] = []
        for content in self._kept.pages.get(ref.page, ()):
            try:
                header, page = pages.open_sealed(ref, self._jurisdiction, content)
            except IntegrityError:
                continue
            opened.append((header.version, _width(page), content, page))
        for _, _, content, page in sorted(opened, key=lambda one: one[:3], reverse=True):
            yield content, page


def _width(page: Page) -> int:
    return len(page.children) if isinstance(page, Branch) else len(page.entries)


def _replace_tree(connection: Connection, found: Found) -> None:
    manifest = found.manifest
    change = _later_change(connection, manifest.jurisdiction)
    for table in (key_tree, key_page):
        connection.execute(delete(table).where(table.c.jurisdiction == manifest.jurisdiction))
    later = (key_manifest.c.jurisdiction == manifest.jurisdiction) & (key_manifest.c.epoch >= manifest.epoch)
    connection.execute(delete(key_manifest).where(later))
    here = {"jurisdiction": manifest.jurisdiction, "epoch": manifest.epoch}
    connection.execute(insert(key_tree), here | {"change": change})
    connection.execute(insert(key_manifest), here | {"digest": manifest.digest, "body": manifest.encoded()})
    rows = []
    for page, content in found.pages.items():
        header = pages.read_header(content)
        row = {"page": page.hex(), "jurisdiction": manifest.jurisdiction, "epoch": header.epoch}
        row |= {"version": header.version, "digest": pages.digest(content), "content": content, "pack": ""}
        rows.append({name: value for name, value in row.items() if name in key_page.c})
    connection.execute(insert(key_page), rows)


def _later_change(connection: Connection, jurisdiction: str) -> int:
    """A value of the tree's clock, which never goes back, above all that is in the tables."""
    columns = (key_tree.c.change, key_scope.c.rotated, unit.c.born)
    highest = [
        connection.scalar(select(func.max(column)).where(column.table.c.jurisdiction == jurisdiction))
        for column in columns
    ]
    return max(int(value or 0) for value in highest) + 1


def _settle_roots(connection: Connection, manifest: Manifest, roots: Sequence[Root], at: int) -> None:
    """Today's roots in use, roots that a restored row still calls in use out of it, strangers recorded."""
    mine = {(one.domain, one.root): one for one in manifest.domains}
    rows = connection.execute(
        select(key_root.c.domain, key_root.c.root, key_root.c.state).where(
            key_root.c.jurisdiction == manifest.jurisdiction
        )
    )
    known = {(row.domain, row.root): row.state for row in rows}
    for place, state in known.items():
        here = (key_root.c.domain == place[0]) & (key_root.c.root == place[1])
        if place in mine:
            values = {"state": State.ACTIVE, "activated_at": at, "destroyed_at": None, "evidence": None}
            connection.execute(update(key_root).where(here).values(values))
        elif state == State.ACTIVE:
            values = {"state": State.DEACTIVATED, "deactivated_at": at, "reason": _RECOVERED}
            connection.execute(update(key_root).where(here).values(values))
    for domain, name, assurance in _present(roots, manifest.jurisdiction):
        if (domain, name) not in known:
            state = State.ACTIVE if (domain, name) in mine else State.PRE_ACTIVATION
            row = {"domain": domain, "root": name, "jurisdiction": manifest.jurisdiction, "created_at": at}
            row |= {"epoch": int(name.split("-")[1]), "assurance": assurance, "state": state, "reason": _RECOVERED}
            connection.execute(insert(key_root), row | ({"activated_at": at} if state is State.ACTIVE else {}))


def _present(roots: Iterable[Root], jurisdiction: str) -> Iterator[tuple[str, str, str]]:
    for root in roots:
        for name in root.present():
            if name.startswith(f"{jurisdiction}-"):
                yield root.domain, name, root.assurance


def _mark_destroyed(connection: Connection, found: Found, at: int) -> int:
    """Units without a secret in the tree, whatever their restored row says."""
    jurisdiction, epoch = found.manifest.jurisdiction, found.manifest.epoch
    columns = (unit.c.id, unit.c.tenant, unit.c.subject)
    alive = (unit.c.jurisdiction == jurisdiction) & unit.c.state.not_in(ENDED)
    gone = [
        row.id
        for row in connection.execute(select(*columns).where(alive))
        if address(row.tenant, row.subject, bytes.fromhex(row.id)) not in found.addresses
    ]
    values = {"state": State.DESTROYED, "reason": _RECOVERED, "changed_at": at, "sealed_epoch": epoch, "name": None}
    for identifier in gone:
        connection.execute(update(unit).where(unit.c.id == identifier).values(values))
    _count_again(connection, jurisdiction)
    return len(gone)


def _count_again(connection: Connection, jurisdiction: str) -> None:
    """The number of live units of each owner that is not revoked."""
    counted: dict[tuple[str, str], int] = {}
    live = (unit.c.jurisdiction == jurisdiction) & unit.c.state.not_in((*ENDED, State.COMPROMISED))
    for tenant, subject in connection.execute(select(unit.c.tenant, unit.c.subject).where(live)):
        counted[tenant, subject] = counted.get((tenant, subject), 0) + 1
    mine = (key_scope.c.jurisdiction == jurisdiction) & (key_scope.c.state == State.ACTIVE)
    rows = connection.execute(select(key_scope.c.tenant, key_scope.c.subject, key_scope.c.units).where(mine)).all()
    for row in rows:
        if row.units != (now := counted.get((row.tenant, row.subject), 0)):
            one = mine & (key_scope.c.tenant == row.tenant) & (key_scope.c.subject == row.subject)
            connection.execute(update(key_scope).where(one).values(units=now))
