"""`troth audit reviews`: draw the acts of a review again from a copy of the log, without a server."""

from __future__ import annotations

from pathlib import Path

import click

from troth.kernel.errors import Invalid

_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
_FOLDER = click.Path(exists=True, file_okay=False, path_type=Path)
_LARGEST = 64 << 20  # bytes of a review


@click.group()
def reviews() -> None:
    """Check reviews of administrators offline."""


@reviews.command("redraw")
@click.argument("folder", type=_FOLDER)
@click.option("--review", type=_FILE, required=True, help="What 'troth review show --json' printed.")
@click.option("--key", help="The log's verifier key: the whole log is verified with it first.")
def redraw_review(folder: Path, review: Path, key: str | None) -> None:
    """Draw the acts of a review again from the log in FOLDER (as 'troth audit export' makes it), and compare."""
    from pydantic import ValidationError

    from troth.audit.log_source import folder as of_folder
    from troth.audit.review.messages import ReviewOpened
    from troth.audit.review.redraw import redraw
    from troth.audit.verify import verify_log

    if review.stat().st_size > _LARGEST:
        raise Invalid("The review's file is too large; give what 'troth review show --json' printed.", code="bad-file")
    try:
        shown = ReviewOpened.model_validate_json(review.read_bytes())
    except ValidationError:
        raise Invalid("The file is no review; give what 'troth review show --json' printed.", code="bad-file") from None
    if key is not None:
        verify_log(folder, key)
    count = redraw(of_folder(folder), shown)
    here = shown.review
    click.echo(
        f"The review of entries {here.first} to {here.last} fits the log: {count} of {here.acts} acts drawn again."
    )
    if key is None:
        click.echo("The log itself was not verified: give --key, or run 'troth audit verify'.")
