"""`troth promises report` and the bundles it makes: looks at the promises over a period, checked without a server."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import click

_DAY = "%Y-%m-%d"
_MAX_BUNDLE = 1 << 28  # bytes


@click.command()
@click.option("--from", "start", required=True, type=click.DateTime([_DAY]), help="The first day, UTC.")
@click.option("--to", "end", required=True, type=click.DateTime([_DAY]), help="The day after the last one, UTC.")
@click.option("--out", "target", required=True, type=click.Path(dir_okay=False, path_type=Path), help="A ZIP file.")
def report(start: Any, end: Any, target: Path) -> None:
    """Fetch the report of a period from a server: every look, what was missed, and what proves it."""
    from troth.cli.client import Client
    from troth.kernel.errors import Conflict

    if target.exists():
        raise Conflict("The file exists; name a new one.", code="exists")
    wish = {"from": start.strftime(_DAY), "to": end.strftime(_DAY)}
    content = Client.from_environment().call("POST", "/v1/period-reports", wish).content
    partial = target.with_name(f"{target.name}.part")
    with open(partial, "wb", opener=_private) as file:
        file.write(content)
    partial.rename(target)
    click.echo(f"{len(content)} bytes are in {target}. Check them with: troth verify {target} --site TRUST")


def is_bundle(path: Path) -> bool:
    """True for a ZIP file."""
    with path.open("rb") as file:
        return file.read(4) == b"PK\x03\x04"


def signer_of(path: Path) -> str:
    """The name under which a bundle says that it was signed; a name proves nothing, the key does."""
    import json

    from troth.promises.period.verify import SIGNED, unpacked

    try:
        return str(json.loads(unpacked(_read(path))[SIGNED])["signatures"][0]["keyid"])
    except (ValueError, KeyError, TypeError, IndexError):
        return "given"


def checked(path: Path, trust: dict[str, Any], sample: tuple[str, int] | None, nonce: str) -> dict[str, Any]:
    """What was found in a bundle that holds, and the sample that the nonce draws. Raises `IntegrityError`."""
    from troth.audit.origins import Origins
    from troth.audit.verify import Trust
    from troth.kernel.clock import iso
    from troth.promises.period.verify import unpacked, verify_period

    key = Origins(trust["host"], trust["log_key"]).key("operator")
    held = verify_period(unpacked(_read(path)), trust["signers"], Trust(key))
    told, states = held.report, dict[str, int]()
    for one in told["promises"]:
        states[one["state"]] = states.get(one["state"], 0) + 1
    found = {
        "what": "period report: signature, log entries, links of all runs, expected looks, figures",
        "from": iso(told["period"]["start"]),
        "to": iso(told["period"]["end"]),
        "made": iso(held.made_at),
        "runs linked again": held.runs,
        "expected": told["expected"],
        "done": told["done"],
        "missed": told["missed"],
        "late": sum(one["late"] for one in told["checks"]),
        "episodes": sum(len(one["episodes"]) for one in told["checks"]),
        "changes": len(told["changes"]),
        "untold days": len(told["untold"]),
        "promises": ", ".join(f"{count} {state}" for state, count in sorted(states.items())),
        "closing root": told["root"],
        "log entries": held.entries,
        "log size": held.log.size,
        "log root": held.log.root.hex(),
    }
    return found if sample is None else {**found, "sample": _drawn(told, sample, nonce)}


def _drawn(told: dict[str, Any], sample: tuple[str, int], nonce: str) -> list[int]:
    """The sequences of the runs that were drawn, out of all runs of a check in the period."""
    from troth.kernel.errors import IntegrityError, NotFound
    from troth.promises.period.sampling import draw

    check, size = sample
    figures = next((one for one in told["checks"] if one["check"] == check), None)
    if figures is None:
        raise NotFound("The report has no check of that name; report.json names them.")
    population = sum(figures["outcomes"].values())
    if population and figures["last"] - figures["first"] + 1 != population:
        raise IntegrityError("Runs of this check are lost, so there is no whole population to draw from.", code="lost")
    return [figures["first"] + place for place in draw(bytes.fromhex(told["root"]), nonce, check, size, population)]


def _read(path: Path) -> bytes:
    from troth.kernel.errors import TooLarge

    if path.stat().st_size > _MAX_BUNDLE:
        raise TooLarge("The bundle is larger than any that Troth makes.", code="document-too-large")
    return path.read_bytes()


def _private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)
