"""Versions of Python packages in their order (PEP 440). Pure."""

from __future__ import annotations

import re
from typing import Final

from troth.kernel.errors import Invalid

# PEP 440, Appendix B, without what is only spelling; at most 200 characters are looked at.
_FORM: Final = re.compile(
    r"v?(?:(?P<epoch>[0-9]{1,9})!)?(?P<release>[0-9]{1,18}(?:\.[0-9]{1,18}){0,20})"
    r"(?:[-_.]?(?P<pre>alpha|a|beta|b|preview|pre|c|rc)[-_.]?(?P<pre_number>[0-9]{0,18}))?"
    r"(?:-(?P<post_bare>[0-9]{1,18})|(?P<post>[-_.]?(?:post|rev|r)[-_.]?(?P<post_number>[0-9]{0,18})))?"
    r"(?P<dev>[-_.]?dev[-_.]?(?P<dev_number>[0-9]{0,18}))?"
    r"(?:\+(?P<local>[a-z0-9]+(?:[-_.][a-z0-9]+){0,20}))?"
)
_PRE: Final = {"alpha": "a", "beta": "b", "preview": "rc", "pre": "rc", "c": "rc"}
_FIRST: Final = (-1, "", 0)  # a development release without more comes before every other of its number
_LAST: Final = (1, "", 0)  # what is no pre-release comes after all of them

Key = tuple[
    int, tuple[int, ...], tuple[int, str, int], tuple[int, int], tuple[int, int], tuple[tuple[int, int, str], ...]
]


def key(version: str) -> Key:
    """What sorts as the version does; equal versions have equal keys. Raises Invalid(bad-version)."""
    found = _FORM.fullmatch(version.strip().lower()) if len(version) <= 200 else None
    if found is None:
        raise Invalid("This is no version of a Python package (PEP 440).", code="bad-version")
    release = [int(one) for one in found["release"].split(".")]
    while len(release) > 1 and release[-1] == 0:
        release.pop()
    post = found["post_bare"] or found["post_number"] if found["post_bare"] or found["post"] else None
    dev = found["dev"] is not None
    if found["pre"]:
        pre = (0, _PRE.get(found["pre"], found["pre"]), int(found["pre_number"] or 0))
    else:
        pre = _FIRST if dev and post is None else _LAST
    return (
        int(found["epoch"] or 0),
        tuple(release),
        pre,
        (0, 0) if post is None else (1, int(post or 0)),
        (0, int(found["dev_number"] or 0)) if dev else (1, 0),
        tuple(_local(one) for one in re.split(r"[-_.]", found["local"])) if found["local"] else (),
    )


def _local(part: str) -> tuple[int, int, str]:
    return (1, int(part), "") if part.isdigit() else (0, 0, part)


def normal(name: str) -> str:
    """The name of a package as it is compared (PEP 503)."""
    return re.sub(r"[-_.]+", "-", name).lower()
