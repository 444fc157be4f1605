"""`troth audit`: check a transparency log on this machine without a server's code, or read one on a server."""

from __future__ import annotations

import click

from troth.cli.audit_browse import COMMANDS
from troth.cli.audit_bundle import bundle, verify_bundle
from troth.cli.audit_export import export
from troth.cli.audit_replay import replay
from troth.cli.audit_reviews import reviews
from troth.cli.audit_verify import verify, verify_proof


@click.group()
def audit() -> None:
    """Read a transparency log on a server, or check one offline."""


audit.add_command(replay)
audit.add_command(verify)
audit.add_command(verify_proof)
audit.add_command(bundle)
audit.add_command(verify_bundle)
audit.add_command(export)
audit.add_command(reviews)
for _command in COMMANDS:
    audit.add_command(_command)
