"""People sign in through real identity providers with a real browser: by redirects, and by a post from another site."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

import troth
from browser.portal_world import Visit, Visitor, World, accessible, through
from conformance.identity.provider_processes import free_port, started
from saml_providers import SimpleSamlPhp, simplesamlphp

ROOT = Path(troth.__file__).parents[2]
NODE = ROOT / "tests" / "conformance" / "identity" / "provider.mjs"


@pytest.fixture
def owner(world: World) -> Visitor:
    """A fresh one: changing connections needs a proof of the last minutes, and a session that no other page has."""
    return world.person("owner", name="Odo")


@pytest.fixture(scope="module")
def saml(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SimpleSamlPhp]:
    with simplesamlphp(tmp_path_factory.mktemp("simplesamlphp")) as running:
        yield running


def verified(world: World, connection: str, domain: str) -> None:
    wish = {"connection_id": connection, "domain": domain}
    world.client(world.operator).call("POST", "/v1/sso/domains", wish)


def came_in(page: Page, email: str) -> None:
    """The browser holds a session of the person; a second look needs no provider."""
    (session,) = [one for one in page.context.cookies() if one["name"] == "__Host-sid"]
    assert (session["httpOnly"], session["secure"]) == (True, True)
    page.goto("/account")
    expect(page.get_by_role("main")).to_contain_text(email)


def test_openid_connect_from_the_owners_page_to_a_session(world: World, owner: Visitor, visit: Visit) -> None:
    """The owner connects by the page, without scripts; a person types their address and comes back signed in."""
    port = free_port()
    issuer = f"http://127.0.0.1:{port}"
    page = visit(owner.session, java_script_enabled=False)
    page.goto("/account")
    through(page, "Single sign-on")
    page.get_by_text("Connect a provider by OpenID Connect").click()
    form = page.locator("form", has=page.get_by_label("Issuer"))
    given = {
        "Name": "Node <i>provider</i>",
        "E-mail domains of your people": "acme.example.org",
        "Claim or attribute with groups": "groups",
        "Roles of groups": "x = member",
        "What a person must have": "email_verified = true",
        "Issuer": issuer,
        "Client id": "troth",
        "Client secret": "a secret of the client",
    }
    for label, value in given.items():
        form.get_by_label(label, exact=True).fill(value)
    form.get_by_label("A sign-in there proves").select_option("2")
    form.get_by_label("Make accounts at the first sign-in, in verified domains").check()
    form.get_by_role("button", name="Connect").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Node <i>provider</i>")
    connection = page.url.rpartition("/")[2]
    redirect = f"{world.stage.address}/sign-in/sso/{connection}/callback"
    command = ("node", NODE, ROOT / ".venv/idp-npm", issuer, str(port), redirect, f"{issuer}/none")
    with started(*command, ready="ready"):
        page.get_by_role("button", name="Ask the provider now").click()
        expect(page.get_by_role("status")).to_contain_text("The provider answers.")
        verified(world, connection, "acme.example.org")
        theirs = visit(quiet=False)  # the provider's own pages complain of a missing icon
        theirs.goto("/sign-in/sso")
        theirs.get_by_label("E-mail address").fill("ada@acme.example.org")
        theirs.get_by_role("button", name="Go on").click()
        theirs.get_by_role("link", name="Continue there").click()
        theirs.locator("input[name=login]").fill("ada")
        theirs.locator("input[name=password]").fill("any")
        theirs.locator("button[type=submit]").click()
        theirs.locator("button[type=submit]").click()  # to consent
        theirs.wait_for_url(f"{world.stage.address}/**")
        came_in(theirs, "ada@acme.example.org")
        stranger = visit(quiet=False)  # the answer of one browser opens nothing in another one
        stranger.goto(f"/sign-in/sso/{connection}/callback?state=forged&code=forged")
        assert "__Host-sid" not in {one["name"] for one in stranger.context.cookies()}
    page.goto("/single-sign-on")
    expect(page.get_by_role("main")).to_contain_text("ada@acme.example.org")


def test_saml_keeps_its_cookie_over_the_post_from_another_site(
    world: World, owner: Visitor, visit: Visit, saml: SimpleSamlPhp, tmp_path: Path
) -> None:
    """The provider's page on another site posts to us: the cookie with SameSite=None comes along, no other does."""
    metadata = tmp_path / "metadata.xml"
    metadata.write_text(saml.metadata())
    page = visit(owner.session)
    page.goto("/single-sign-on")
    page.get_by_text("Connect a provider by SAML 2.0").click()
    form = page.locator("form", has=page.get_by_label("Attribute that never changes"))
    form.get_by_label("Name", exact=True).fill("Simple")
    form.get_by_label("E-mail domains of your people").fill("customer.example")
    form.get_by_label("The provider's metadata, as a file").set_input_files(metadata)
    form.get_by_label("Attribute with the e-mail address").fill("mail")
    form.get_by_label("A sign-in there proves").select_option("2")
    form.get_by_label("Make accounts at the first sign-in, in verified domains").check()
    form.get_by_role("button", name="Connect").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Simple")
    accessible(page)
    page.goto("/single-sign-on")
    accessible(page)
    page.go_back()
    connection = page.url.rpartition("/")[2]
    saml.know(world.client().call("GET", f"/v1/sso/saml/{connection}/metadata").content)
    verified(world, connection, "customer.example")
    theirs = visit(quiet=False)
    posts: list[Any] = []
    theirs.on("request", lambda one: posts.append(one) if one.method == "POST" else None)
    theirs.goto(f"/sign-in/saml/{connection}")  # typed: it leads on at once
    theirs.wait_for_url(f"{world.stage.address}/**")
    (post,) = [one for one in posts if one.url.endswith("/acs")]
    sent = post.all_headers()
    assert sent["sec-fetch-site"] == "cross-site"
    assert "__Host-saml=" in sent["cookie"]
    came_in(theirs, "ada@customer.example")
    theirs.goto("/account")  # signed in: a post from another site brings no session
    theirs.goto(f"/sign-in/saml/{connection}")
    theirs.wait_for_url(f"{world.stage.address}/**")
    again = [one for one in posts if one.url.endswith("/acs")][-1].all_headers()
    assert "__Host-sid" not in again["cookie"]
