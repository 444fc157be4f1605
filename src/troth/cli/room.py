"""`troth room`: what an auditor reads and asks in a room, and what the house does with rooms and questions."""

from __future__ import annotations

import json
from typing import Any

import click

_ROOMS, _QUESTIONS = "/v1/registers/rooms", "/v1/registers/room-questions"
_AS_JSON = click.option("--json", "as_json", is_flag=True, help="Print the answer as JSON.")
_DAY = click.DateTime(["%Y-%m-%d"])
_DECLARED = ("mine", "enter", "runs", "proof", "records", "sample", "report", "ask")  # by the operations of the room


class _Grown(click.Group):
    """Commands that stand here, and those that the operations of rooms declare."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return sorted({*super().list_commands(ctx), *_DECLARED})

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        found = super().get_command(ctx, cmd_name)
        if found is not None:
            return found
        from troth.cli.remote import group

        return group("room", "").get_command(ctx, cmd_name)


@click.group(cls=_Grown)
def room() -> None:
    """Auditor's rooms: open one, look into it, ask and answer."""


@room.command("open")
@click.argument("auditor")
@click.option("--name", required=True, help="What the audit is called.")
@click.option(
    "--promise", "promises", multiple=True, required=True, help="A promise to open, such as CRY-01; again for more."
)
@click.option("--register", "registers", multiple=True, help="A register to open; again for more.")
@click.option("--from", "first", type=_DAY, required=True, help="First day of the period.")
@click.option("--to", "last", type=_DAY, required=True, help="Last day of the period.")
@click.option("--until", type=_DAY, required=True, help="Last day of access.")
@click.option("--bundle", is_flag=True, help="The report of the whole period may go along; it tells of all checks.")
@_AS_JSON
def open_room(auditor: str, *, as_json: bool, **wanted: Any) -> None:
    """Open a room for the account AUDITOR (owners and administrators). It ends by itself."""
    values = {
        "name": wanted["name"],
        "auditor": auditor,
        "of_promises": list(wanted["promises"]),
        "of_registers": list(wanted["registers"]),
        "period_from": f"{wanted['first']:%Y-%m-%d}",
        "period_to": f"{wanted['last']:%Y-%m-%d}",
        "until": f"{wanted['until']:%Y-%m-%d}",
        "bundle": wanted["bundle"],
    }
    _ask("POST", _ROOMS, {"values": values}, as_json=as_json)


@room.command("list")
@_AS_JSON
def list_rooms(as_json: bool) -> None:
    """List the rooms of your tenant; auditors list their own with `mine`."""
    _ask("GET", _ROOMS, as_json=as_json)


@room.command("show")
@click.argument("room_id")
@_AS_JSON
def show_room(room_id: str, as_json: bool) -> None:
    """Show a room as it was opened; auditors enter it with `enter`."""
    _ask("GET", f"{_ROOMS}/{_named(room_id)}", as_json=as_json)


@room.command("close")
@click.argument("room_id")
@click.option("--reason", required=True, help="Why it ends before its time.")
@_AS_JSON
def close_room(room_id: str, reason: str, as_json: bool) -> None:
    """Close a room before its time."""
    _ask("POST", f"{_ROOMS}/{_named(room_id)}/moves/close", {"values": {"reason": reason}}, as_json=as_json)


@room.command("questions")
@click.option("--state", type=click.Choice(["asked", "answered"]), help="Only those in this state.")
@_AS_JSON
def questions(state: str | None, as_json: bool) -> None:
    """List what auditors asked and found."""
    _ask("GET", _QUESTIONS, {"state": state} if state else {}, as_json=as_json)


@room.command()
@click.argument("question_id")
@click.argument("text")
@click.option("--action", "actions", multiple=True, help="A record of `lessons` that a finding led to; again for more.")
@_AS_JSON
def answer(question_id: str, text: str, actions: tuple[str, ...], as_json: bool) -> None:
    """Answer a question. A finding is answered with the action that it led to."""
    values: dict[str, Any] = {"answer": text} | ({"actions": list(actions)} if actions else {})
    _ask("POST", f"{_QUESTIONS}/{_named(question_id)}/moves/answer", {"values": values}, as_json=as_json)


def _ask(method: str, path: str, values: dict[str, Any] | None = None, *, as_json: bool) -> None:
    from troth.cli.client import Client
    from troth.cli.showing import show

    answer = Client.from_environment().call(method, path, values).json()
    if as_json:
        click.echo(json.dumps(answer, indent=2))
    else:
        show(answer)


def _named(text: str) -> str:
    from troth.kernel.errors import Invalid

    if not text.replace("_", "").isalnum() or not text.isascii() or len(text) > 64:
        raise Invalid("The id of a room or question holds letters, digits and _.", code="bad-id")
    return text
