"""`troth backup`: make, list, verify, try and restore backups on the machine that has the keys."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from troth.backup.restoring import Accepting
    from troth.backup.source import Progress

_JSON = click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
_ID = click.option("--backup", help="Id of the backup; the newest when left out.")
_STAGES = {
    "database": "database",
    "logs": "audit logs",
    "objects": "objects",
    "verify": "verifying",
    "probe": "trying what must open",
}


@click.group()
def backup() -> None:
    """Make, verify, try and restore backups."""


@backup.command()
@_JSON
def run(as_json: bool) -> None:
    """Make a backup in every place now; also while the server runs. Interrupted, the next one goes on from there."""
    from troth.backup.operations import made_view
    from troth.kernel.errors import Unavailable
    from troth.settings.load import load
    from troth.wiring import opened

    with opened(load(), must_exist=True, sequencing=False) as troth, _bars(as_json) as progress:
        made = troth.system.backups.run(progress)
    _show(made_view(made).model_dump(), as_json=as_json)
    if not made.complete:
        raise Unavailable(
            f"The backup is in {len(made.places)} of {len(made.places) + len(made.failed)} places; look at the others, "
            "then back up again.",
            code="backup-incomplete",
        )


@backup.command("list")
@_JSON
def list_backups(as_json: bool) -> None:
    """Show the backups that the places hold; also when the installation is lost."""
    from troth.backup.places import readable
    from troth.settings.load import load
    from troth.wiring.restoring import remaining

    found: dict[str, dict[str, Any]] = {}
    with remaining(load()) as left:
        for location in left.places:
            for held in readable(location, left.keys):
                one = held.manifest
                row = {"backup": one.id, "made_at": one.made_at, "objects": one.objects, "bytes": one.bytes}
                found.setdefault(one.file, {**row, "places": []})["places"].append(location.name)
    _show({"backups": [found[file] for file in sorted(found, reverse=True)]}, as_json=as_json)


@backup.command()
@_ID
@_JSON
def verify(backup: str | None, as_json: bool) -> None:
    """Read every byte of a backup in every place and compare it with what was signed."""
    from troth.backup.places import chosen
    from troth.kernel.errors import IntegrityError, TrothError
    from troth.settings.load import load
    from troth.wiring.restoring import remaining

    results: list[dict[str, Any]] = []
    with remaining(load()) as left, _bars(as_json) as progress:
        wanted = backup or max(chosen(one, left.keys, None).manifest.file for one in left.places).rpartition("-")[2]
        for location in left.places:
            try:
                found: dict[str, Any] = asdict(left.verifying.verify(location, wanted, progress))
                results.append({**found, "state": "holds"})
            except TrothError as error:
                results.append({"backup": wanted, "place": location.name, "state": error.code})
    _show({"places": results}, as_json=as_json)
    if bad := sum(one["state"] != "holds" for one in results):
        raise IntegrityError(
            f"{bad} of {len(results)} places do not hold the backup as it was signed; back up again, and look at them.",
            code="backup-broken",
        )


@backup.command()
@_JSON
def drill(as_json: bool) -> None:
    """Restore the newest backup on trial, measure it, record it and throw it away."""
    from troth.backup.operations import drill_view
    from troth.settings.load import load
    from troth.wiring import opened

    with opened(load(), must_exist=True, sequencing=False) as troth, _bars(as_json) as progress:
        done = troth.system.backups.drill(progress)
    _show(drill_view(done).model_dump(), as_json=as_json)


@backup.command()
@_ID
@click.option("--into", type=click.Path(path_type=Path), help="Restore into this folder, which must not exist.")
@click.option("--go-live", is_flag=True, help="Put the restored data in the place of the old; stop the server first.")
@click.option("--place", help="Restore from this place only, such as place-2.")
@click.option("--database-url", help="An empty PostgreSQL database to restore into; not with --go-live.")
@click.option("--database-owner-url", help="The same database as the role that owns its tables.")
@click.option(
    "--database-admin-url",
    help="With --go-live on PostgreSQL: any database of the server, as a role that may create and rename databases.",
)
@click.option(
    "--accept-lost-log",
    is_flag=True,
    help="Go on when entries that were signed are lost; the log is cut, and that can be seen by whoever kept more.",
)
@click.option(
    "--accept-lost-erasures",
    "officers",
    multiple=True,
    metavar="USER",
    help="Id of an officer who answers for going on when nobody knows what an erasure took; give it twice, for two.",
)
@click.option("--reason", default="", help="Why they do, as a token such as case-2026-17; it stands in the log.")
@click.option("--yes", is_flag=True, help="Do not ask for confirmation.")
@_JSON
def restore(as_json: bool, yes: bool, into: Path | None, go_live: bool, **wish: Any) -> None:
    """Restore a backup into quarantine; what was erased since stays erased, or nothing is restored."""
    from troth.backup.restoring import Restored
    from troth.settings.load import load
    from troth.wiring.backup import Target
    from troth.wiring.going_live import go_live as went_live
    from troth.wiring.restoring import Wish, remaining
    from troth.wiring.restoring import restore as restored

    if (into is None) is not go_live or (go_live and wish["database_url"]):
        raise click.UsageError("say --into FOLDER to restore beside, or --go-live to replace the installation.")
    settings, admin_url = load(), wish.pop("database_admin_url")
    target = Target(wish.pop("database_url"), wish.pop("database_owner_url"))
    asked = Wish(wish["backup"], wish["place"], _accepting(wish))
    if go_live and not yes:
        click.confirm("This replaces the data of this installation. Go on?", abort=True, err=True)
    aside: dict[str, object] = {}
    left_over: tuple[str, ...] = ()
    done: Restored
    with _bars(as_json) as progress:
        if into is not None:
            with remaining(settings, target) as left:
                done = restored(left, into, asked, progress)
        else:
            live = went_live(settings, asked, progress, admin_url=admin_url)
            done, aside = live.restored, {"aside": live.aside, "database_aside": live.database}
            left_over = live.left
    shown = {name: str(place) for name, place in aside.items() if place}
    _show(_summary(done) | shown | ({"left_over": list(left_over)} if left_over else {}), as_json=as_json)


def _accepting(wish: dict[str, Any]) -> Accepting:
    from troth.backup.lost_ledger import Accepted
    from troth.backup.restoring import Accepting

    officers = tuple(wish["officers"])
    return Accepting(wish["accept_lost_log"], Accepted(officers, wish["reason"]) if officers else None)


def _summary(done: Any) -> dict[str, Any]:
    return {
        "backup": done.verified.backup,
        "place": done.verified.place,
        "rows": done.rows,
        "objects": done.objects,
        "bytes": done.bytes,
        "forgotten_people": len(done.replayed.people),
        "erased_keys_refused": done.probed.units,
        "erased_objects_refused": done.probed.erased,
        "live_objects_opened": done.probed.live,
        "live_objects": done.probed.of_live,
        "lost_log_entries": done.behind,
        "erasures_found_again": list(done.replayed.amends.again),
        "erasures_unknown": list(done.replayed.amends.unknown),
        "objects_shut_for_them": done.replayed.amends.shut,
    }


@contextmanager
def _bars(silent: bool) -> Iterator[Progress]:
    """A progress bar for each stage on standard error; none where nobody watches."""
    from troth.backup.source import quiet

    if silent or not sys.stderr.isatty():
        yield quiet
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    columns = TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn()
    with Progress(*columns, console=Console(stderr=True)) as shown:
        tasks: dict[str, Any] = {}

        def progress(stage: str, done: int, total: int) -> None:
            if stage not in tasks:
                tasks[stage] = shown.add_task(_STAGES.get(stage, stage))
            shown.update(tasks[stage], completed=done, total=total)

        yield progress


def _show(value: dict[str, Any], *, as_json: bool) -> None:
    from troth.cli.showing import show

    if as_json:
        click.echo(json.dumps(value, indent=2))
    else:
        show(value)
