from __future__ import annotations

import pytest
from starlette.requests import Request

from troth.kernel.errors import Denied
from troth.portal.guard import require_same_origin, require_visit


def post(**headers: str) -> Request:
    raw = [
        (name.replace("_", "-").encode(), value.encode()) for name, value in {"host": "troth.test", **headers}.items()
    ]
    return Request({"type": "http", "method": "POST", "headers": raw})


@pytest.mark.parametrize(
    "headers",
    [
        {"sec_fetch_site": "same-origin"},
        {"sec_fetch_site": "same-origin", "origin": "https://troth.test"},
        {"origin": "https://troth.test"},  # a browser without Fetch Metadata
    ],
)
def test_our_own_pages_may_post(headers: dict[str, str]) -> None:
    require_same_origin(post(**headers))


@pytest.mark.parametrize(
    "headers",
    [
        {"sec_fetch_site": "cross-site"},
        {"sec_fetch_site": "same-site", "origin": "https://troth.test"},  # the newer header decides
        {"sec_fetch_site": "none"},
        {"sec_fetch_site": ""},
        {"origin": "https://thief.test"},
        {"origin": "https://troth.test.thief.test"},
        {"origin": "null"},
        {"origin": ""},
        {},
    ],
)
def test_nobody_else_may(headers: dict[str, str]) -> None:
    with pytest.raises(Denied) as refusal:
        require_same_origin(post(**headers))
    assert refusal.value.code == "cross-site"


@pytest.mark.parametrize(
    "headers",
    [
        {},  # a browser without Fetch Metadata
        {"sec_fetch_site": "none", "sec_fetch_mode": "navigate", "sec_fetch_dest": "document"},
        {"sec_fetch_site": "same-origin", "sec_fetch_mode": "no-cors", "sec_fetch_dest": "image"},
        {"sec_fetch_site": "cross-site", "sec_fetch_mode": "navigate", "sec_fetch_dest": "document"},  # a link
    ],
)
def test_a_page_is_gone_to(headers: dict[str, str]) -> None:
    require_visit(post(**headers))


@pytest.mark.parametrize("site", ["cross-site", "same-site"])
@pytest.mark.parametrize(
    ("mode", "dest"),
    [
        ("navigate", "iframe"),
        ("navigate", "embed"),
        ("navigate", "object"),
        ("no-cors", "image"),
        ("no-cors", "script"),
        ("cors", "empty"),
        ("no-cors", "empty"),
        ("navigate", ""),
    ],
)
def test_no_other_site_loads_or_frames_a_page(site: str, mode: str, dest: str) -> None:
    with pytest.raises(Denied, match="itself"):
        require_visit(post(sec_fetch_site=site, sec_fetch_mode=mode, sec_fetch_dest=dest))
