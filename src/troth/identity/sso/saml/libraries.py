"""lxml and signxml, which only the extra `sso` installs: imported when the first message comes."""

from __future__ import annotations

import logging
from typing import Any

from troth.kernel.errors import Unavailable


def etree() -> Any:
    """`lxml.etree`. Raises `Unavailable` (`extra-missing`)."""
    try:
        from lxml import etree as module  # type: ignore[import-untyped]  # noqa: PLC0415
    except ImportError as error:
        raise _missing() from error
    return module


def signxml() -> Any:
    """The package `signxml`. Raises `Unavailable` (`extra-missing`)."""
    try:
        import signxml as module  # noqa: PLC0415
    except ImportError as error:
        raise _missing() from error
    # It logs what it canonicalizes, which is names and addresses, when somebody turns debugging on.
    logging.getLogger("signxml").setLevel(logging.WARNING)
    return module


def _missing() -> Unavailable:
    return Unavailable("Single sign-on needs an extra: pip install 'troth[sso]'.", code="extra-missing")
