"""What came of a request, kept: all of it or nothing, bound to the receipt, and to what it was made from."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace

from sqlalchemy import Connection

from troth.gateway.store import ReceiptRow
from troth.kernel.data_class import DataClass
from troth.vault import prints
from troth.vault.lineage import bind
from troth.vault.objects import KeepRequest, ObjectInfo, Objects


@dataclass(frozen=True, slots=True)
class Owner:
    """Whose it is, and the request that it came of."""

    tenant: str
    subject: str
    request: str


@dataclass(frozen=True, slots=True)
class Piece:
    """One thing to keep. `parents` are object ids that it must not outlive; `fingerprints` go with it."""

    kind: str
    media_type: str
    name: str
    content: bytes
    parents: tuple[str, ...] = ()
    fingerprints: tuple[bytes, ...] = ()


class Outputs:
    """Keeps uploads and outputs. Ends of retention classes are the vault's (CLS-05)."""

    def __init__(self, objects: Objects) -> None:
        self._objects = objects

    def keep(
        self,
        undo: ExitStack,
        owner: Owner,
        piece: Piece,
        *,
        beside: Callable[[Connection, str], None] | None = None,
    ) -> ObjectInfo:
        """One piece, which goes again when `undo` unwinds. Raises as `Objects.keep`."""

        def also(connection: Connection, kept: str) -> None:
            prints.add(connection, owner.tenant, kept, piece.fingerprints)
            if beside is not None:
                beside(connection, kept)

        kept = self._objects.keep(
            KeepRequest(
                tenant=owner.tenant,
                subject=owner.subject,
                data_class=DataClass.USER_GENERATED,
                kind=piece.kind,
                media_type=piece.media_type,
                name=piece.name,
                content=piece.content,
                derived_from=piece.parents,
                request=owner.request,
            ),
            beside=also,
        )
        undo.callback(self._objects.delete, owner.tenant, owner.subject, kept.id)
        return kept

    def keep_made(
        self, owner: Owner, receipt: ReceiptRow, uploads: Sequence[Piece], made: Sequence[Piece]
    ) -> tuple[str, ...]:
        """Ids of what was made. It derives from the uploads; the last piece binds the receipt's content to all."""
        kept = list[str]()
        with ExitStack() as undo:
            parents = tuple(self.keep(undo, owner, one).id for one in uploads)
            for number, piece in enumerate(made, 1):
                beside = bound_to(owner, receipt, tuple(kept)) if number == len(made) else None
                derived = replace(piece, parents=(*piece.parents, *parents))
                kept.append(self.keep(undo, owner, derived, beside=beside).id)
            undo.pop_all()
        return tuple(kept)


def bound_to(owner: Owner, receipt: ReceiptRow, made: tuple[str, ...]) -> Callable[[Connection, str], None]:
    """For `Objects.keep`: the receipt's content, which holds the prompt, goes with what is kept and with `made`."""
    return lambda connection, kept: bind(connection, owner.tenant, owner.subject, receipt.object, (*made, kept))
