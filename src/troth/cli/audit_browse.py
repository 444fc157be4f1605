"""`troth audit tail|search|show|prove|export`: read the log of your tenant on a server, or the operators' log."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click

from troth.cli.client import Client
from troth.cli.showing import readable, show_members
from troth.kernel.errors import Invalid

_PAGE = 200
_FOLLOW_SECONDS = 5.0  # each look is an operation, and so two entries of the log itself
_OWN_READS = ("audit.list", "activity.list")  # what following the log adds to it
_AGO = re.compile(r"(\d{1,4})([smhd])\Z")
_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86_400}
_CHECKPOINT_SECONDS = 1.5
Filters = dict[str, Any]


class _Moment(click.ParamType[int]):
    """`2h`, `3d` (ago), or an ISO 8601 time, UTC unless it says otherwise; gives epoch milliseconds."""

    name = "time"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        if ago := _AGO.match(value):
            return int((time.time() - int(ago[1]) * _UNITS[ago[2]]) * 1000)
        try:
            moment = datetime.fromisoformat(value)
        except ValueError:
            self.fail("give a time such as 2h, 3d or 2026-11-22T12:00", param, ctx)
        moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
        return int(moment.timestamp() * 1000)


def filters(command: Callable[..., None]) -> Callable[..., None]:
    """Options that choose entries."""
    outcomes = click.Choice(["pending", "done", "refused", "failed"])
    options = (
        click.option("--operation", help="An operation, such as object.open."),
        click.option("--outcome", type=outcomes, help="How it ended."),
        click.option("--actor", help="Who did it, by id."),
        click.option("--subject", help="About whom, by id."),
        click.option("--object", "naming", help="Entries that name this id: an object, a person, a key."),
        click.option("--since", type=_Moment(), help="From this time on: 2h, 3d, 2026-11-22T12:00."),
        click.option("--until", type=_Moment(), help="Before this time."),
    )
    for option in reversed(options):
        command = option(command)
    return command


_OWN = click.option("--own", is_flag=True, help="Only what was done by you or about you; needs no auditor's role.")
_JSON = click.option("--json", "as_json", is_flag=True, help="One JSON object a line.")


@click.command()
@click.option("-n", "count", type=click.IntRange(1, 10_000), default=20, show_default=True, help="How many entries.")
@click.option("-f", "--follow", is_flag=True, help="Go on with new entries, until Ctrl-C.")
@_OWN
@_JSON
@filters
def tail(count: int, follow: bool, own: bool, as_json: bool, **chosen: Any) -> None:
    """The newest entries, oldest first."""
    client, wanted = Client.from_environment(), _given(chosen, own)
    newest = _newest(client, wanted, own, count)
    _print(newest[::-1], as_json)
    last = newest[0]["index"] if newest else -1
    while follow:
        time.sleep(_FOLLOW_SECONDS)
        fresh = _newest(client, {**wanted, "after": last} if last >= 0 else wanted, own, _PAGE * 50)
        last = fresh[0]["index"] if fresh else last
        shown = [one for one in fresh[::-1] if "operation" in wanted or one["operation"] not in _OWN_READS]
        _print(shown, as_json)


@click.command()
@click.option("--limit", type=click.IntRange(1, 100_000), default=100, show_default=True, help="Stop after so many.")
@_OWN
@_JSON
@filters
def search(limit: int, own: bool, as_json: bool, **chosen: Any) -> None:
    """Entries that match, newest first."""
    found = 0
    for page in _pages(Client.from_environment(), _given(chosen, own), own):
        _print(page[: limit - found], as_json)
        found += len(page[: limit - found])
        if found >= limit:
            click.echo(f"stopped after {limit}; give --limit or narrower filters", err=True)
            return
    click.echo(f"{found} entries", err=True)


@click.command()
@click.argument("index", type=click.IntRange(0))
@click.option("--reason", help="Why you open the personal details; it is kept, sealed, and the person can see that.")
@_OWN
@_JSON
def show(index: int, reason: str | None, own: bool, as_json: bool) -> None:
    """One entry: what it says, its proof checked here, and with --reason (or --own) what lies sealed beside it."""
    client = Client.from_environment()
    proven = _proven(client, index, own)
    leaf = json.loads(proven["leaf"])
    shown = {"index": index, **leaf, "proof": _checked(proven), "details": _details(client, index, reason, own)}
    if as_json:
        click.echo(json.dumps(shown))
        return
    details = shown.pop("details")
    show_members(shown)
    show_members({f"details.{name}": value for name, value in details.items()})


@click.command()
@click.argument("index", type=click.IntRange(0))
@click.option("--out", type=click.Path(file_okay=False, path_type=Path), default=Path(), help="Folder for both files.")
@_OWN
def prove(index: int, out: Path, own: bool) -> None:
    """Write the entry and its C2SP .tlog-proof, to be checked offline by anybody."""
    proven = _proven(Client.from_environment(), index, own)
    held = _checked(proven)
    out.mkdir(parents=True, exist_ok=True)
    proof, leaf = out / f"entry-{index}.tlog-proof", out / f"entry-{index}.json"
    proof.write_text(proven["proof"], encoding="utf-8")
    leaf.write_bytes(proven["leaf"].encode())
    click.echo(f"{proof} and {leaf}: {held}")
    click.echo(f"troth audit verify-proof {proof} --leaf {leaf} --key '{proven['key']}'")
    click.echo("The key is what the server says; take it from a source of your own when it matters.")


def _given(chosen: Filters, own: bool) -> Filters:
    wanted = {name: value for name, value in chosen.items() if value is not None}
    if own and wanted.keys() & {"actor", "subject"}:
        raise Invalid("With --own all entries are yours; leave --actor and --subject out.", code="bad-filter")
    return wanted


def _pages(client: Client, wanted: Filters, own: bool) -> Iterator[list[dict[str, Any]]]:
    """Pages, newest first, to the beginning of the log."""
    path, before = "/v1/activity/own" if own else "/v1/activity", None
    while True:
        asked = {**wanted, "limit": _PAGE} | ({} if before is None else {"before": before})
        page = client.call("GET", path, asked).json()
        yield page["entries"]
        before = page["next"]
        if before is None:
            return


def _newest(client: Client, wanted: Filters, own: bool, count: int) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    for page in _pages(client, wanted, own):
        found += page
        if len(found) >= count:
            break
    return found[:count]


def _print(entries: list[dict[str, Any]], as_json: bool) -> None:
    for one in entries:
        click.echo(json.dumps(one) if as_json else _line(one))


def _line(one: dict[str, Any]) -> str:
    facts = " ".join(f"{name}={readable(name, value)}" for name, value in one["facts"].items())
    code = f" {one['code']}" if one["code"] else ""
    when = readable("time", one["time"])
    ended = f"{one['operation']} {one['phase']}: {one['outcome']}{code}"
    return f"{one['index']:>8}  {when}  {one['actor']:<30}  {ended}  {facts}"


def _proven(client: Client, index: int, own: bool) -> dict[str, Any]:
    """Entry, proof and key; the newest entries wait a moment for their checkpoint."""
    from troth.cli.client import Refused

    path = f"/v1/activity/own/{index}/proof" if own else f"/v1/activity/{index}/proof"
    try:
        answer: dict[str, Any] = client.call("GET", path).json()
    except Refused as error:
        if error.code != "unavailable":
            raise
        time.sleep(_CHECKPOINT_SECONDS)
        answer = client.call("GET", path).json()
    return answer


def _checked(proven: dict[str, Any]) -> str:
    """What the proof shows, checked on this machine. Raises `IntegrityError`."""
    from troth.audit.verify import verify_proof

    index = verify_proof(proven["proof"], proven["leaf"].encode(), proven["key"])
    return f"holds at index {index} under {proven['key'].partition('+')[0]}"


def _details(client: Client, index: int, reason: str | None, own: bool) -> dict[str, Any]:
    if own:
        found = client.call("GET", f"/v1/activity/own/{index}/details").json()
    elif reason:
        found = client.call("POST", f"/v1/activity/{index}/details", {"reason": reason}).json()
    else:
        return {"state": "sealed; open them with --reason"}
    return {"state": found["state"], **found["details"]}


COMMANDS = (tail, search, show, prove)
