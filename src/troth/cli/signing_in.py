"""`troth sign-in` and `troth sign-out`: a code is shown here and approved in a browser (RFC 8628).

What comes back needs the key that was made here for it (RFC 9449): a copied token opens nothing.
"""

from __future__ import annotations

import os
import sys
import time
import webbrowser
from contextlib import suppress
from typing import Any

import click

from troth.cli import kept
from troth.cli.client import CLIENT_ID, Client, Refused
from troth.kernel.errors import Unavailable

DEVICE_GRANT = "urn:ietf:params:oauth:grant-type:device_code"
_KEY_LETTERS = 12  # of the key's thumbprint, as the page shows them


@click.command("sign-in")
@click.option("--device", is_flag=True, help="Approve on another device: no browser is opened here.")
def sign_in(device: bool) -> None:
    """Sign in to the server of TROTH_URL by approving a code in a browser."""
    client = _server().newcomer()
    assert client.holder is not None
    begun = client.form("/oauth/device_authorization", {"client_id": CLIENT_ID})
    minutes = begun["expires_in"] // 60
    click.echo(f"Open  {begun['verification_uri']}\nType  {begun['user_code']}\n")
    click.echo(f"The page must show a key that begins with {client.holder.thumbprint[:_KEY_LETTERS]}.", err=True)
    click.echo(f"Waiting for you to approve it there, for {minutes} minutes.", err=True)
    if not device and sys.stdin.isatty():
        with suppress(webbrowser.Error):
            webbrowser.open(begun["verification_uri"])
    given = _awaited(client, begun)
    kept.keep(client.url, client.to_keep(given["access_token"], given.get("refresh_token")))
    click.echo(f"Signed in at {client.url} for at most {given['expires_in'] // 3600} hours; kept in {kept.place()}")


@click.command("sign-out")
def sign_out() -> None:
    """End the session on the server of TROTH_URL and forget it here."""
    client = _server()
    mine = kept.load(client.url)
    if mine is None:
        raise click.ClickException("Nobody is signed in here; nothing was done.")
    holder = client.holding(mine)
    kept.keep(client.url, None)
    try:
        holder.call("DELETE", "/v1/sessions/current")
    except Refused:
        click.echo("Signed out; the session was over already.")
    except Unavailable as error:
        advice = "Forgotten here, but the server was not reached: the session there ends by itself, or on your page."
        raise click.ClickException(advice) from error
    else:
        click.echo("Signed out.")


def _server() -> Client:
    """The server of TROTH_URL, whoever is signed in there."""
    here = os.environ
    return Client(here.get("TROTH_URL", "https://localhost:8443"), None, here.get("TROTH_CA"), here.get("TROTH_DEVICE"))


def _awaited(client: Client, begun: dict[str, Any]) -> dict[str, Any]:
    """Ask until somebody decided. Raises the server's refusal."""
    seconds, asked = begun["interval"], {"grant_type": DEVICE_GRANT, "device_code": begun["device_code"]}
    while True:
        time.sleep(seconds)
        try:
            return client.form("/oauth/token", {**asked, "client_id": CLIENT_ID})
        except Refused as error:
            if error.code not in ("authorization-pending", "slow-down"):
                raise _explained(error) from error
            seconds += 5 * (error.code == "slow-down")  # RFC 8628 section 3.5
        if sys.stderr.isatty():
            click.echo(".", nl=False, err=True)


def _explained(error: Refused) -> Refused:
    said = {
        "access-denied": "The sign-in was denied in the browser; nothing was done.",
        "expired-token": "The code is over; run the command again.",
    }
    return Refused(said.get(error.code, error.advice), code=error.code)
