"""Adding units: callers that wait at the same time share one write, as in a database's group commit."""

from __future__ import annotations

import os
from collections import Counter, deque
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from troth.kernel.errors import Invalid, TrothError, Unavailable
from troth.keys.btree import insert
from troth.keys.leaf import SECRET_BYTES
from troth.keys.lifecycle import State, Use, require_use
from troth.keys.pages import Ref
from troth.keys.reading import Change, Opened
from troth.keys.state import TreeState
from troth.keys.store import changed
from troth.keys.unit_rows import UnitRow, gone, new_row
from troth.keys.units import UNIT_ID_BYTES, Owner, UnitKey, UnitRequest, address, derive

_MAX_GROUP = 512  # callers in one write
_MAX_TEXT = 64


@dataclass(slots=True, eq=False)
class _Planned:
    """A unit that exists (`secret` None) or is about to be made."""

    row: UnitRow
    secret: bytes | None = field(default=None, repr=False)
    replaces: UnitRow | None = None
    place: bytes = b""

    def __post_init__(self) -> None:
        self.place = address(self.row.tenant, self.row.subject, self.row.id)

    @classmethod
    def fresh(cls, request: UnitRequest, replaces: UnitRow | None = None) -> _Planned:
        """A new id and secret; the next generation of what it replaces."""
        generation = replaces.generation + 1 if replaces else 1
        row = new_row(os.urandom(UNIT_ID_BYTES), request, generation)
        return cls(row, os.urandom(SECRET_BYTES), replaces)

    def redraw(self) -> None:
        """Another id for the same unit."""
        self.row = replace(self.row, id=os.urandom(UNIT_ID_BYTES))
        self.__post_init__()


@dataclass(slots=True, eq=False)
class _Waiting:
    requests: Sequence[UnitRequest]
    keys: list[UnitKey] = field(default_factory=list)
    refusal: TrothError | None = None
    done: bool = False


class Adding:
    """Gets or creates units; durable in the database and in every domain on return."""

    def __init__(self, state: TreeState) -> None:
        self._state = state
        self._queue: deque[_Waiting] = deque()

    def units(self, requests: Sequence[UnitRequest]) -> list[UnitKey]:
        """A key per request, all or none. Raises `Gone` for an erased owner, `Invalid`, `Unavailable`."""
        for request in requests:
            _require_valid(request)
        waiting = _Waiting(requests)
        self._queue.append(waiting)
        with self._state.lock:
            while not waiting.done:
                self._run([self._queue.popleft() for _ in range(min(len(self._queue), _MAX_GROUP))])
        if waiting.refusal is not None:
            raise waiting.refusal
        return waiting.keys

    def _run(self, group: list[_Waiting]) -> None:
        try:
            self._state.settled(lambda: self._add(group))
        except TrothError as error:
            for waiting in group:
                waiting.refusal = waiting.refusal or error
        finally:
            for waiting in group:  # also when the thread that leads is interrupted: nobody waits for ever
                if len(waiting.keys) != len(waiting.requests):
                    waiting.refusal = waiting.refusal or _unwritten()
                waiting.done = True

    def _add(self, group: list[_Waiting]) -> None:
        rows, store = self._state.rows, self._state.store
        requests = [request for waiting in group for request in waiting.requests]
        owners = {(one.tenant, one.subject) for one in requests}
        with store.read() as connection:
            barred = _Barred(
                self._state.scopes.erased_among(connection, owners), self._state.suspensions.owners(connection, owners)
            )
            known = rows.by_names(connection, [request.name for request in requests if request.name])
        admitted = [waiting for waiting in group if barred.admits(waiting, known)]
        oldest = self._state.epochs.now() - self._state.periods.unit_ms
        due = {name: row for name, row in known.items() if row.stale or row.created_at < oldest}
        names = {name: _Planned(row) for name, row in known.items() if name not in due}
        plans = [[_plan(names, due, request) for request in waiting.requests] for waiting in admitted]
        fresh = [one for plan in plans for one in plan if one.secret]
        if fresh:
            self._create(list(dict.fromkeys(fresh)))
        for waiting, plan in zip(admitted, plans, strict=True):
            waiting.keys = [self._key(one) for one in plan]

    def _create(self, fresh: list[_Planned]) -> None:
        state = self._state
        epoch = state.epochs.current()
        change = Change(state.reader, state.store.jurisdiction)
        _insert(change, epoch.root, fresh)
        writes = state.stored(change, epoch.manifest.epoch)
        counts = Counter((one.row.tenant, one.row.subject) for one in fresh)
        with state.store.write(epoch.manifest.epoch) as connection:
            if state.scopes.erased_among(connection, counts):
                raise changed()
            state.store.drop_pages(connection, change.dropped())
            state.store.write_pages(connection, writes.values())
            state.rows.replace(connection, [one.replaces for one in fresh if one.replaces], state.epochs.now())
            state.rows.add(
                connection, [one.row for one in fresh], state.store.change_in(connection), state.epochs.now()
            )
            state.scopes.count(connection, counts, state.epochs.now())
        for ref, write in writes.items():
            state.reader.remember(ref, Opened(change.page(ref), write.stored))
        state.copies.remove(change.replaced())

    def _key(self, planned: _Planned) -> UnitKey:
        row = planned.row
        if planned.secret is None:
            return self._state.unit_key(row)
        return derive(planned.secret, row.id, row.generation, row.binding)


def _insert(change: Change, root: Ref, fresh: list[_Planned]) -> None:
    """Put secrets into the draft; one whose 4 bytes of id its owner uses already gets another id."""
    placed: dict[bytes, _Planned] = {}
    pending = fresh
    while pending:
        entries: dict[bytes, bytes] = {}
        for one in pending:
            while one.place in placed:
                one.redraw()
            placed[one.place] = one
            entries[one.place] = one.secret or b""
        change.draft.taken.clear()
        insert(change.draft, root, entries)
        pending = [placed[place] for place in change.draft.taken]


def _plan(names: dict[str, _Planned], due: dict[str, UnitRow], request: UnitRequest) -> _Planned:
    """The unit of a request; one that several ask for by name is made once."""
    if request.name is None:
        return _Planned.fresh(request)
    if request.name not in names:
        names[request.name] = _Planned.fresh(request, due.get(request.name))
    return names[request.name]


@dataclass(frozen=True, slots=True)
class _Barred:
    """Owners for whom nothing is protected: erased, or suspended for now."""

    erased: set[Owner]
    suspended: set[Owner]

    def admits(self, waiting: _Waiting, known: dict[str, UnitRow]) -> bool:
        """False for a caller that gets a refusal."""
        try:
            for request in waiting.requests:
                self._require(request, known.get(request.name or ""))
        except TrothError as refusal:
            waiting.refusal = refusal
        return waiting.refusal is None

    def _require(self, request: UnitRequest, row: UnitRow | None) -> None:
        owner = (request.tenant, request.subject)
        if owner in self.erased:
            raise gone()
        if owner in self.suspended and not (request.is_account or request.succeeds):
            require_use(State.SUSPENDED, Use.PRODUCT)
        if row is not None:  # content of a suspended owner moves, and stays as suspended as it was
            row.require(Use.PRIVACY if request.succeeds else Use.PRODUCT)


def _require_valid(request: UnitRequest) -> None:
    texts = (request.tenant, request.subject, "own" if request.period is None else request.period)
    if not all(0 < len(text) <= _MAX_TEXT for text in texts):
        raise Invalid("Tenant, subject and period of a key unit have 1 to 64 characters.", code="bad-unit-request")


def _unwritten() -> Unavailable:
    return Unavailable("The key tree could not be written; nothing was done.", code="key-tables")
