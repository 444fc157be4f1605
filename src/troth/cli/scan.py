"""`troth scan`: the bill of materials of this installation, and what advisories say about it."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from troth.governance.prepared.scan import Scan

_FILE = click.Path(dir_okay=False, path_type=Path)
_EXITS = {"clean": 0, "found": 1, "error": 2}


@click.command()
@click.option("--advisories", type=_FILE, help="OSV advisories: a zip, a JSON list, or one JSON object a line.")
@click.option("--source", default="", help="Where the file comes from, as the register of scans shall name it.")
@click.option("--sbom", type=_FILE, help="Write the bill of materials (CycloneDX 1.6) to this file.")
@click.option("--json", "as_json", is_flag=True, help="Print what the register of scans takes, as JSON.")
def scan(advisories: Path | None, source: str, sbom: Path | None, *, as_json: bool) -> None:
    """Look at every installed package. Exit with 1 for findings, with 2 when the look proves nothing.

    It asks no network: fetch the advisories yourself, for example all.zip of PyPI from osv.dev.
    """
    import time

    from troth.governance.prepared import sbom as bills
    from troth.governance.prepared.scan import scan as looked
    from troth.kernel.errors import TrothError

    now = int(time.time() * 1000)
    environment = bills.installed()
    bill = bills.bill(environment.components, now)
    if sbom is not None:
        sbom.write_text(json.dumps(bill, indent=2) + "\n")
        click.echo(f"{len(environment.components)} packages: {sbom}", err=as_json)
    if advisories is None:
        if sbom is None:
            raise click.UsageError("Name a file of --advisories, or one for the --sbom, or both.")
        return
    try:
        known = _known(advisories, source or advisories.name)
    except TrothError as error:  # no source is no all-clear: never 0, and not what findings exit with
        click.echo(f"error: {error}", err=True)
        sys.exit(_EXITS["error"])
    found = looked(environment, known, now)
    if as_json:
        click.echo(json.dumps(_record(found, bills.digest(bill)), indent=2))
    else:
        _say(found)
    sys.exit(_EXITS[found.state])


def _known(path: Path, source: str) -> Any:
    from troth.governance.prepared.advisories import LARGEST, read
    from troth.kernel.errors import NotFound, TooLarge

    try:
        if path.stat().st_size > LARGEST:
            raise TooLarge("The file of advisories is larger than 256 MB.", code="advisories-too-large")
        content = path.read_bytes()
    except OSError as error:
        raise NotFound("The file of advisories cannot be read.", code="no-advisories") from error
    return read(content, source)


def _record(found: Scan, bill: str) -> dict[str, Any]:
    """Values of a record in the register `scans`, and beside them what was seen."""
    from datetime import UTC, datetime

    def day(at: int) -> str:
        return datetime.fromtimestamp(at / 1000, UTC).date().isoformat()

    values = {
        "tool": "troth scan",
        "target": "dependencies",
        "scanned_on": day(found.at),
        "source": found.source,
        "advisories_on": day(found.as_of),
        "components": found.components,
        "skipped": len(found.skipped),
        "found": len(found.found),
        "bill": bill,
    }
    seen = [{"package": one.component, "version": one.version, "advisory": one.advisory, "fixed": one.fixed}
            for one in found.found]  # fmt: skip
    return {"state": found.state, "wrong": list(found.wrong), "skipped": list(found.skipped), "values": values,
            "found": seen}  # fmt: skip


def _say(found: Scan) -> None:
    from troth.kernel.clock import iso

    for one in found.found:
        fixed = f", mended in {one.fixed}" if one.fixed else ""
        click.echo(f"{click.style(one.advisory, fg='red', bold=True)}  {one.component} {one.version}{fixed}")
    looked = f"{found.components} packages, {found.advisories} advisories of {found.source} as of {iso(found.as_of)}"
    click.echo(f"{found.state}: {looked}")
    for name in found.wrong:
        click.echo(f"  proves nothing: {name}", err=True)
    if found.skipped:
        click.echo(f"  not looked at: {', '.join(found.skipped[:20])}", err=True)
