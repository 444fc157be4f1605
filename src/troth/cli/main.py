"""`troth`: a lazy group, so that help answers at once (budget: 0.15 s of CPU)."""

from __future__ import annotations

import os
import sys
from importlib import import_module

import click

from troth import __version__

# command -> (module:attribute, one line of help). Modules are imported only when their command runs.
_LOCAL = {
    "adopt": ("troth.cli.placement:adopt", "Mark places that do not say where they lie."),
    "audit": ("troth.cli.audit:audit", "Check a transparency log offline."),
    "backup": ("troth.cli.backup:backup", "Make, verify, try and restore backups."),
    "demo": ("troth.cli.demo:demo", "Do the main job on real input and explain it."),
    "init": ("troth.cli.serve:init", "Make the data folder, the keys and the first operator."),
    "promises": ("troth.cli.promises:promises", "Show each promise beside its evidence."),
    "redact": ("troth.cli.redact:redact", "Make text and data sets safe for training."),
    "serve": ("troth.cli.serve:serve", "Run the API, the portal and the trust page."),
    "tenant-move": ("troth.cli.moving:tenant_move", "Take a tenant to another jurisdiction."),
    "verify": ("troth.cli.verify:verify", "Check a certificate, manifest or proof offline."),
}
# noun -> help; their sub-commands come from the operation registry and speak to a server.
_REMOTE = {
    "account": "Your own account.",
    "activity": "Your own entries in the audit log.",
    "certificate": "Erasure certificates.",
    "consent": "What you agreed to.",
    "data": "Export what is kept about you.",
    "erasure": "Be forgotten, or forget a person on request.",
    "file": "Files you gave, for use with models.",
    "hold": "Legal holds (privacy officers only).",
    "key": "API keys.",
    "keys": "The keys of the service and the domains that hold their roots (operators only).",
    "log": "The audit log of your tenant.",
    "model": "Models you can use.",
    "objection": "Uses of your data that you say no to.",
    "offboarding": "Erase a whole tenant (two operators).",
    "operator": "Operators of the service (operators only).",
    "object": "What is kept for you.",
    "placement": "Where data is, counted.",
    "processing": "Restrict the use of your data, and permit it again.",
    "receipt": "What was sent to whom.",
    "request": "Your rights: ask, and see the clock; for officers the desk.",
    "restriction": "Restrict the use of a person's data (privacy officers only).",
    "retention": "How long what is kept.",
    "role": "Roles of people in your tenant.",
    "session": "Sign in and out.",
    "statement": "What you say about data that cannot be changed.",
    "tenant": "Tenants (operators only).",
    "totp": "The second factor.",
    "user": "People of your tenant.",
    "vendor": "Vendors and their terms (operators only).",
}


class LazyGroup(click.Group):
    """A group that knows names and help lines, and imports a command when it is asked for."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - the signature is click's
        return sorted(_LOCAL | _REMOTE)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        if cmd_name in _LOCAL:
            module, _, attribute = _LOCAL[cmd_name][0].partition(":")
            command = getattr(import_module(module), attribute)
            assert isinstance(command, click.Command)
            return command
        if cmd_name in _REMOTE:
            group = import_module("troth.cli.remote").group(cmd_name, _REMOTE[cmd_name])
            assert isinstance(group, click.Command)
            return group
        return None

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        with formatter.section("On this machine"):
            formatter.write_dl([(name, text) for name, (_, text) in sorted(_LOCAL.items())])
        with formatter.section("On a server (TROTH_URL, TROTH_API_KEY or TROTH_SESSION, TROTH_CA)"):
            formatter.write_dl(sorted(_REMOTE.items()))


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="troth")
def troth() -> None:
    """Keeps the promises of an AI company's security and privacy white paper, and proves it.

    protect, redact, erase, attest.
    """


def main() -> None:
    """Entry point. A refusal prints one sentence and exits with 1; nothing internal is shown.

    Exit codes: 0 done, 1 refused or failed, 2 wrong use, 130 stopped by Ctrl-C (128 + SIGINT, as shells have it).
    """
    try:
        # Not click's own mode: that one turns Ctrl-C into exit code 1.
        code = troth.main(standalone_mode=False)
        sys.exit(code if isinstance(code, int) else 0)
    except BrokenPipeError:  # the reader of a pipe has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(1)
    except (KeyboardInterrupt, click.Abort):
        click.echo("troth: stopped", err=True)
        sys.exit(130)
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except Exception as error:
        _explain(error)
        sys.exit(1)


def _explain(error: Exception) -> None:
    advice, code = getattr(error, "advice", None), getattr(error, "code", None)
    if isinstance(error, ImportError) and error.name and not error.name.startswith("troth"):
        advice = (
            f"This needs the package '{error.name.partition('.')[0]}'; install it with: pip install 'troth[server]'."
        )
        code = "missing-extra"
    if isinstance(error, OSError):
        advice = "Troth cannot use a file or folder; check owner, permissions and space of the data and keys folders."
        code = "no-access"
    if type(error).__name__ in ("ArgumentError", "NoSuchModuleError"):
        advice, code = "The database URL is not usable: only sqlite and postgresql+psycopg are known.", "bad-setting"
    if advice is None:
        from troth.kernel.journal import Journal

        Journal().fault(error, "cli", "none")
        advice, code = "Something unexpected happened; the line above says where.", "internal"
    click.echo(f"troth: {advice} [{code}]", err=True)
