"""`troth calendar`: what is due, by whom, overdue first; without a sub-command it is shown."""

from __future__ import annotations

import click

_DECLARED = ("show", "subscribe", "unsubscribe")


class _Grown(click.Group):
    """Commands that the operations of the calendar declare."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return sorted({*super().list_commands(ctx), *_DECLARED})

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        from troth.cli.remote import group

        return super().get_command(ctx, cmd_name) or group("calendar", "").get_command(ctx, cmd_name)


@click.group(cls=_Grown, invoke_without_command=True)
@click.pass_context
def calendar(ctx: click.Context) -> None:
    """What is due in your tenant, by whom, overdue first."""
    if ctx.invoked_subcommand is None:
        shown = ctx.command.get_command(ctx, "show") if isinstance(ctx.command, click.Group) else None
        assert shown is not None
        ctx.invoke(shown, as_json=False, out=None)
