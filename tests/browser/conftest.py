from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

from browser.portal_world import CHROMIUM, FLAGS, Console, Visit, Visitor, World, founded, furnished, serving
from troth.cli.demo.stage import fresh_stage


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if item.path.parent.name == "browser":
            item.add_marker(pytest.mark.browser)


@pytest.fixture(scope="session")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    stage = fresh_stage(tmp_path_factory.mktemp("portal"))
    with serving(stage) as credentials:
        yield founded(stage, credentials)


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    assert CHROMIUM, "Chromium is missing; `scripts/system-packages test` installs it"
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield opened
        opened.close()


@pytest.fixture(scope="session")
def olga(world: World) -> Visitor:
    """Somebody of whom everything is kept; tests look and change nothing."""
    return furnished(world)


@pytest.fixture
def visit(world: World, browser: Browser) -> Iterator[Visit]:
    """Opens pages for a person, a session token or nobody. A page that complains in its console fails the test."""
    contexts: list[BrowserContext] = []
    console = Console()

    def open_page(who: Visitor | str | None = None, *, quiet: bool = True, **options: Any) -> Page:
        options = {"reduced_motion": "reduce"} | options  # colours are judged, not transitions
        options.setdefault("viewport", {"width": 1200, "height": 850})
        context = browser.new_context(ignore_https_errors=True, base_url=world.stage.address, **options)
        contexts.append(context)
        if who is not None:
            shape = {"url": world.stage.address, "secure": True, "httpOnly": True, "sameSite": "Lax"}
            jar = [shape | {"name": name, "value": value} for name, value in world.portal(who).items()]
            context.add_cookies(jar)  # type: ignore[arg-type]
        context.set_default_timeout(15_000)
        page = context.new_page()
        if quiet:
            page.on("console", console.hear)
            page.on("pageerror", console.fail)
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert console.complaints == []
