"""After a restore: the rows of runs and tallies, made again out of the log, which has all that they say.

Backups leave runs out; the log that a restore brings up to today tells of each, and its link holds what is made of it:
what does not come to the link that the log has is left out, and is then a hole as before.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import islice, product
from typing import Any

from sqlalchemy import Connection, delete, insert, select

from troth.kernel.scope import SYSTEM
from troth.kernel.signer import Signer
from troth.promises.check import Result
from troth.promises.run_log import RUN, TALLY
from troth.promises.runs import Run, as_text, statement
from troth.promises.store import Head, Signed, check_day, check_head, check_run, check_tally, row_of
from troth.storage.database import Database
from troth.vault.dsse import IN_TOTO, signature_over

_BATCH = 1000
_CLOCKS = ("", "off", "back")
_UNSIGNED = Signed("", b"")
_SIGNS = tuple(f'"op":"{name}"'.encode() for name in (RUN, TALLY))


def rebuild(database: Database, signer: Signer, leaves: Sequence[bytes], systems: Collection[str]) -> int:
    """Replace the runs of a restored database by those that the operator's log tells of; how many there are.

    `leaves`: the entries of that log, in order. `systems`: what versions of the software called themselves, for entries
    of before they named it. The newest run of each check is signed again: the links before it hang on that one.
    """
    named, tallies = dict.fromkeys(systems), list[dict[str, Any]]()
    for one in _told(
        leaves, _SIGNS
    ):  # read twice: a year of runs is a million of them, and as objects six times larger
        named |= {str(one["facts"]["system"]): None} if "system" in one["facts"] else {}
        tallies += [one] if one["op"] == TALLY else []
    heads: dict[str, Head] = {}
    newest: dict[str, Run] = {}
    count = 0
    with database.write(SYSTEM) as connection:
        for table in (check_run, check_head, check_day):
            connection.execute(delete(table))
        runs = _placed(_told(leaves, _SIGNS[:1]), tuple(named), heads, newest)
        while some := list(islice(runs, _BATCH)):
            connection.execute(insert(check_run), [row_of(run, _UNSIGNED) for run in some])
            count += len(some)
        for check, run in newest.items():
            signature = signature_over(statement(run), IN_TOTO, signer)
            mine = check_run.update().where(check_run.c.check_id == check, check_run.c.sequence == run.sequence)
            connection.execute(mine.values(signer=signer.name, signature=signature))
            head = heads[check]
            values = {"sequence": head.sequence, "link": head.link, "slot": head.slot, "at": head.at}
            connection.execute(insert(check_head).values(check_id=check, **values))
        _tallies(connection, tallies)
    return count


def _placed(
    told: Iterable[dict[str, Any]], systems: Sequence[str], heads: dict[str, Head], newest: dict[str, Run]
) -> Iterator[Run]:
    """Runs that come to their links, each place of a chain once and each slot once: the first that was told."""
    places: set[tuple[str, int]] = set()
    slots: set[tuple[str, int]] = set()
    for one in told:
        run = _run(one, systems)
        if run is None or (run.check, run.sequence) in places or (run.check, run.slot or 0) in slots:
            continue
        places.add((run.check, run.sequence))
        before = heads.get(run.check)
        if run.slot is not None:
            slots.add((run.check, run.slot))
        if before is None or run.sequence > before.sequence:
            filled = run.slot if run.slot is not None else before.slot if before else None
            heads[run.check], newest[run.check] = Head(run.sequence, run.link, filled, run.at), run
        yield run


def _told(leaves: Iterable[bytes], signs: Collection[bytes]) -> Iterator[dict[str, Any]]:
    """What the log tells, one at a time."""
    return (one for leaf in leaves if any(sign in leaf for sign in signs) and (one := _event(leaf)))


def _event(leaf: bytes) -> dict[str, Any]:
    members: dict[str, Any] = json.loads(leaf)
    known = members.get("op") in (RUN, TALLY) and members.get("phase") == "event"
    return members if known and isinstance(members.get("facts"), dict) else {}


def _run(members: dict[str, Any], systems: Sequence[str]) -> Run | None:
    facts = members["facts"]
    try:
        run = Run(
            facts["checks"], members["time"], Result(members["code"]), Result(facts["state"]), facts["population"],
            facts["count"], facts["digest"], members["request"], facts["sequence"], facts.get("slot"),
            facts.get("previous", ""), facts.get("counts", {}), facts["version"], facts.get("system", ""),
            facts.get("clock", ""),
        )  # fmt: skip
        link = facts["link"]
    except (KeyError, ValueError):  # a call, or a run of before the chain
        return None
    if run.link == link:
        return run
    known = () if run.system else product(systems, _CLOCKS)
    guesses = (replace(run, system=system, clock=clock) for system, clock in known)
    return next((one for one in guesses if one.link == link), None)


def _tallies(connection: Connection, told: Sequence[dict[str, Any]]) -> None:
    """Those that were written after the backup."""
    known = set(connection.scalars(select(check_tally.c.day)))
    for one in told:
        facts = one["facts"]
        if facts["period"] not in known:
            known.add(facts["period"])
            values = {"day": facts["period"], "root": facts["root"], "counts": as_text(facts["counts"])}
            connection.execute(insert(check_tally).values(**values, request=one["request"], at=one["time"]))
