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
    "audit": ("troth.cli.audit:audit", "Read a transparency log, or check one offline."),
    "backup": ("troth.cli.backup:backup", "Make, verify, try and restore backups."),
    "demo": ("troth.cli.demo:demo", "Do the main job on real input and explain it."),
    "gate": ("troth.cli.gate:gate", "Whether a release may go out, by its data map and assessments."),
    "scan": (
        "troth.cli.scan:scan",
        "Look for known vulnerabilities in what is installed; bill of materials.",
    ),
    "init": ("troth.cli.serve:init", "Make the data folder, the keys and the first operator."),
    "promises": ("troth.cli.promises:promises", "Show each promise beside its evidence."),
    "redact": ("troth.cli.redact:redact", "Make text and data sets safe for training."),
    "serve": ("troth.cli.serve:serve", "Run the API, the portal and the trust page."),
    "sign-in": ("troth.cli.signing_in:sign_in", "Sign in to a server by approving a code in a browser."),
    "sign-out": ("troth.cli.signing_in:sign_out", "End that session, there and here."),
    "tenant-move": ("troth.cli.moving:tenant_move", "Take a tenant to another jurisdiction."),
    "verify": ("troth.cli.verify:verify", "Check a certificate, manifest or proof offline."),
    "witness": ("troth.cli.witness:witness", "Cosign the checkpoints of logs that only grow."),
}
# noun -> help; their sub-commands come from the operation registry and speak to a server.
_REMOTE = {
    "access": "Who has which role, why and until when.",
    "access-review": "Reviews of who has what.",
    "account": "Your own account.",
    "activity": "Your own entries in the audit log.",
    "authority": "Who signs the certificates of devices.",
    "budget": "Budgets of money of your tenant, its people and keys.",
    "auditor": "Who may read the log of your tenant, for a time (administrators only).",
    "calendar": "What is due in your tenant, by whom, overdue first.",
    "certificate": "Erasure certificates.",
    "check": "Which checks run how often; confirm changed ones (operators only).",
    "consent": "What you agreed to.",
    "custody": "What the log says of one object, from ingest to erasure.",
    "custom-role": "Roles that your tenant makes itself (owners only).",
    "data": "Export what is kept about you.",
    "decision": "Who decided what, and why.",
    "device": "Devices with certificates: enrol this machine, and see and revoke all.",
    "depiction": "What shows you, and whether it does.",
    "elevation": "A further role for some hours, given by a second person.",
    "emergency": "Emergency access: alone, with a passkey, and loud.",
    "erasure": "Be forgotten, or forget a person on request.",
    "file": "Files you gave, for use with models.",
    "house": "The tenant whose registers count for the promises (operators only).",
    "hold": "Legal holds (privacy officers only).",
    "data-map": "What is kept of people, why and for how long: of this version, and of a server.",
    "key": "API keys.",
    "limit": "Limits of what requests may use.",
    "keys": "The keys of the service and the domains that hold their roots (operators only).",
    "log": "The audit log of your tenant.",
    "model": "Models you can use.",
    "objection": "Uses of your data that you say no to.",
    "offboarding": "Erase a whole tenant (two operators).",
    "operator": "Operators of the service (operators only).",
    "moderation-case": "What was refused or flagged: the queue, decisions, your own cases and appeals.",
    "moderation-policy": "What is refused, reviewed and flagged in your tenant.",
    "move": "Where a tenant moves to (two operators).",
    "object": "What is kept for you.",
    "paper": "The published text, sentence by sentence: on this machine, and its versions on a server.",
    "passkey": "Passkeys, made and used in a browser.",
    "placement": "Where data is, counted.",
    "processing": "Restrict the use of your data, and permit it again.",
    "preserved": "Evidence of illegal imagery under legal hold (two people).",
    "receipt": "What was sent to whom.",
    "register": "What people must do and prove: forms (on this machine) and records.",
    "redaction": "What vendors may not see of your tenant's prompts.",
    "request": "Your rights: ask, and see the clock; for officers the desk.",
    "restriction": "Restrict the use of a person's data (privacy officers only).",
    "retention": "How long what is kept.",
    "review": "Reviews of what administrators did.",
    "provenance": "Whether a picture comes from the server, and how that is known.",
    "provisioning": "Tokens by which your identity provider creates and shuts out people (SCIM 2.0).",
    "sso": "Single sign-on through your identity provider.",
    "response": "Responses that were kept for you.",
    "role": "Roles of people in your tenant.",
    "saml": "Single sign-on through a SAML 2.0 identity provider.",
    "service": "Service accounts of your tenant (administrators only).",
    "session": "Sign in and out.",
    "sub-processor": "Who processes data for the service, where, and from when.",
    "status": "How available the service was.",
    "privacy-statement": "What people are told of their data, made of the data map (publishing: two operators).",
    "statement": "What you say about data that cannot be changed.",
    "takedown": "Hashes of pictures that are taken down (two operators).",
    "tenant": "Tenants (operators only).",
    "text": "Take personal data out of a text; nothing of it is kept.",
    "totp": "The second factor.",
    "usage": "What requests used, and what it cost.",
    "user": "People of your tenant.",
    "room": "Auditor's rooms: open one, look into it, ask and answer.",
    "routing": "Which vendors your tenant's requests may go to.",
    "vendor": "Vendors and their terms (operators only).",
    "webhook": "Where your tenant is told of what is due.",
    "video": "Your videos and how far they are.",
}

# Nouns whose group has commands of this machine too.
_GROWN = {
    "calendar": "troth.cli.calendar:calendar",
    "data-map": "troth.cli.data_map:data_map",
    "device": "troth.cli.device:device",
    "house": "troth.cli.house:house",
    "paper": "troth.cli.paper:paper",
    "provenance": "troth.cli.provenance:provenance",
    "register": "troth.cli.register:register",
    "room": "troth.cli.room:room",
    "privacy-statement": "troth.cli.privacy_statement:privacy_statement",
}


class LazyGroup(click.Group):
    """A group that knows names and help lines, and imports a command when it is asked for."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - the signature is click's
        return sorted(_LOCAL | _REMOTE)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        place = _GROWN.get(cmd_name) or _LOCAL.get(cmd_name, ("",))[0]
        if place:
            module, _, attribute = place.partition(":")
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
        with formatter.section("On a server (TROTH_URL, TROTH_API_KEY or TROTH_SESSION, TROTH_CA, TROTH_DEVICE)"):
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
    # Before numpy is imported, by whatever command: on products this small, more threads only wait for each other.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    # What other packages plug into pydantic would see every value; looking for it reads the facts of every package.
    os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "__all__")
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
