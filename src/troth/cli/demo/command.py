"""The demonstration from beginning to end."""

from __future__ import annotations

import secrets
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from troth.cli.demo.narration import Narration
    from troth.cli.demo.stage import Person, Stage


@click.command()
@click.option(
    "--folder",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path("var/demo"),
    show_default=True,
    help="Where the demonstration works; what an earlier one left there is removed.",
)
def demo(folder: Path) -> None:
    """Do the main job on real input, on a running server, and explain it."""
    from troth.cli.demo.narration import Narration
    from troth.cli.demo.stage import fresh_stage, running

    say = Narration()
    stage = fresh_stage(folder.resolve())
    say.chapter("1 · people", "A server starts (TLS 1.3 only); an operator makes two tenants; people settle in.")
    with running(stage) as credentials:
        _play(say, stage, credentials)
    say.end(
        [
            f"look at      {stage.shown}",
            "             poster.png, edited.png, training-set/report.html, certificate.json, promises.json",
            "then         make serve    the same system, staying up: API, portal, trust page",
            "             README.md     what each part is for",
        ]
    )


def _play(say: Narration, stage: Stage, credentials: dict[str, str]) -> None:
    from troth.cli.demo import attest, erase, needles, protect, training
    from troth.cli.demo.stage import api_key, sign_in

    operator = sign_in(stage, credentials["e-mail"], credentials["password"], credentials["TOTP secret"])
    owner = _tenant(say, stage, operator, "Aurora Studio", "owner@aurora.example.org")
    other = _tenant(say, stage, operator, "Borealis Press", "owner@borealis.example.org")
    maria = _member(say, stage, owner)
    kept = protect.protect(say, stage, maria, api_key(stage, maria, "generate", "own-data"))
    other_key = api_key(stage, other, "generate", "own-data")
    others_picture = _picture(stage, other_key)
    protect.strangers_get_nothing(say, stage, other_key, kept.picture)
    data_set = training.redact(say, stage)
    erasure = erase.erase(say, stage, maria, kept.picture, (other_key, others_picture))
    certificate = erase.certificate_of(say, stage, owner, erasure)
    hits = needles.found(kept.needles, [stage.data, stage.journal, stage.root / "backup"])
    say.expect(not hits, f"after the erasure, too, no needle is in any file, backup included {hits or ''}")
    attest.attest(say, stage, owner, operator, {"certificate": certificate, "data set": data_set})


def _tenant(say: Narration, stage: Stage, operator: str, name: str, email: str) -> Person:
    from troth.cli.demo.stage import settle_in

    wish = {"name": name, "jurisdiction": "eu", "owner_email": email, "owner_name": "Owner"}
    made = stage.client(operator).call("POST", "/v1/tenants", wish).json()
    owner = settle_in(stage, email, made["password"], _password())
    say.tell("tenant", f"{name}, its owner signed in with a second factor")
    return owner


def _member(say: Narration, stage: Stage, owner: Person) -> Person:
    from troth.cli.demo.protect import EMAIL, NAME
    from troth.cli.demo.stage import settle_in

    wish = {"email": EMAIL, "display_name": NAME, "roles": ["member"]}
    made = stage.client(owner.session).call("POST", "/v1/users", wish).json()
    maria = settle_in(stage, EMAIL, made["password"], _password())
    say.tell("person", f"{NAME} of Aurora Studio, with a second factor and an API key that ends tomorrow")
    return maria


def _picture(stage: Stage, key: str) -> str:
    from troth.cli.demo.protect import openai_client

    made = openai_client(stage, key).images.generate(model="troth-studio-1", prompt="a quiet harbour at dawn")
    receipt = stage.client(key).call("GET", f"/v1/receipts/{made._request_id}").json()
    return str(receipt["objects"][0])


def _password() -> str:
    return f"demo-{secrets.token_urlsafe(18)}"
