"""`troth redact policy`: what a policy decides, and what is wrong with one."""

from __future__ import annotations

import json
from pathlib import Path

import click

_SHIPPED = "training, vendor, or a policy file in YAML."


@click.group()
def policy() -> None:
    """Look at redaction policies: what they decide, and what is wrong with them."""


@policy.command()
@click.argument("policy_path", metavar="POLICY", type=click.Path(path_type=Path))
@click.option("--json", "as_json", is_flag=True, help="Findings as a JSON list of code, where and says.")
def lint(policy_path: Path, as_json: bool) -> None:
    """Name everything that is missing, contradictory or unknown in POLICY; exits with 1 when something is.

    POLICY is training, vendor, or a file in YAML. Detectors that POLICY brings along are loaded and tried.
    """
    from troth.redact.policy import SHIPPED, parse_policy, read_policy, shipped_text
    from troth.redact.policy import lint as findings_of

    text = shipped_text(str(policy_path)) if str(policy_path) in SHIPPED else read_policy(policy_path)
    findings = [one.as_json() for one in findings_of(text)]
    if not findings:
        findings = _broken(parse_policy(text))
    if as_json:
        click.echo(json.dumps(findings))
    else:
        for finding in [str(one["says"]) for one in findings] or ["The policy decides on every category."]:
            click.echo(finding)
    if findings:
        raise SystemExit(1)


def _broken(policy: object) -> list[dict[str, object]]:
    """Detectors of the policy that cannot be loaded."""
    from troth.kernel.errors import Unavailable
    from troth.redact.custom import Custom
    from troth.redact.decisions import Policy

    assert isinstance(policy, Policy)
    found: list[dict[str, object]] = []
    for one in policy.detectors:
        try:
            Custom(one)
        except Unavailable as error:
            found.append({"code": "invalid", "where": f"detectors.{one.name}", "says": error.advice})
    return found


@policy.command()
@click.argument("policy_path", metavar="POLICY", default="training", type=click.Path(path_type=Path))
@click.option("--yaml", "as_yaml", is_flag=True, help="The text of a shipped policy, to start one's own from.")
def show(policy_path: Path, as_yaml: bool) -> None:
    """Show what POLICY (training when nothing is named) does with each category, and why it keeps what it keeps."""
    from troth.redact.detect import CATEGORIES, KINDS
    from troth.redact.policy import SHIPPED, load_policy, shipped, shipped_text

    name = str(policy_path)
    if as_yaml:
        click.echo(shipped_text(name), nl=False)
        return
    loaded = shipped(name) if name in SHIPPED else load_policy(policy_path)
    click.echo(f"{loaded.name} {loaded.version}, SHA-256 {loaded.digest()}")
    for category, decision in loaded.decisions.items():
        reason = f"  ({decision.reason})" if decision.reason else ""
        click.echo(f"  {CATEGORIES[category].title:<66} {decision.action}{reason}")
        for kind, own in loaded.kinds.items():
            if KINDS[kind].category == category:
                click.echo(f"    {kind:<64} {own.action}")
    for one in loaded.detectors:
        click.echo(f"  {'detector ' + one.name:<66} {loaded.action(one.find_kind)}")
    if loaded.allow:
        click.echo(f"  {len(loaded.allow)} entries of an allow-list stay")
