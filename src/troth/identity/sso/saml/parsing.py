"""Bytes of a stranger to an XML tree: no DTD, no entities, no comments, no instructions, and limits on everything.

In well-formed XML a `<` outside of comments, CDATA and instructions always begins a tag, so looking at the bytes finds
each of them before a parser runs; what cannot be said twice cannot be read in two ways (CVE-2025-25291, 2025-29775).
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Sequence
from typing import Any

from troth.identity.sso.saml.libraries import etree
from troth.identity.sso.saml.refusal import Reason, SamlRefused

MAX_BYTES = 1 << 18
MAX_DEPTH = 24
MAX_ELEMENTS = 4000
MAX_ATTRIBUTES = 16
_MARKS = (
    (b"<!DOCTYPE", Reason.DOCTYPE),
    (b"<!ENTITY", Reason.DOCTYPE),
    (b"<!--", Reason.COMMENT),
    (b"<!", Reason.CDATA),
    (b"<?", Reason.INSTRUCTION),
)
_UTF_8 = re.compile(rb"""\sencoding\s*=\s*["']utf-8["']""", re.IGNORECASE)


def decoded(field: str) -> bytes:
    """The bytes of the form field `SAMLResponse` (Bindings 3.5.4). Raises `SamlRefused`."""
    if len(field) > 2 * MAX_BYTES:
        raise SamlRefused(Reason.TOO_LARGE)
    try:
        return base64.b64decode("".join(field.split()), validate=True)
    except (binascii.Error, ValueError) as error:
        raise SamlRefused(Reason.MALFORMED) from error


def parse(document: bytes, *, comments: bool = False) -> Any:
    """The root element. `comments`: there may be some (in metadata, which an administrator brings); they are dropped.

    Raises `SamlRefused`.
    """
    check_bytes(document, _MARKS[:2] if comments else _MARKS)
    lxml = etree()
    try:
        root = lxml.fromstring(document, parser(dropping=comments))
    except lxml.XMLSyntaxError as error:
        raise SamlRefused(Reason.MALFORMED) from error
    information = root.getroottree().docinfo
    if information.doctype or information.internalDTD is not None:
        raise SamlRefused(Reason.DOCTYPE)
    _check_tree(root)
    return root


def parser(*, dropping: bool = False) -> Any:
    """A parser that reaches for nothing; signxml is given the same one."""
    return etree().XMLParser(
        resolve_entities=False,
        load_dtd=False,
        dtd_validation=False,
        attribute_defaults=False,
        no_network=True,
        huge_tree=False,
        recover=False,
        collect_ids=False,
        remove_comments=dropping,
        remove_pis=dropping,
        strip_cdata=False,
    )


def check_bytes(document: bytes, marks: Sequence[tuple[bytes, Reason]] = _MARKS) -> None:
    """Refuses what the bytes alone tell. Raises `SamlRefused`."""
    if len(document) > MAX_BYTES:
        raise SamlRefused(Reason.TOO_LARGE)
    try:
        document.decode("utf-8", "strict")
    except UnicodeDecodeError as error:
        raise SamlRefused(Reason.ENCODING) from error
    declaration, rest = _declaration(document)
    if b"encoding" in declaration and not _UTF_8.search(declaration):
        raise SamlRefused(Reason.ENCODING)
    for mark, reason in marks:
        if mark in rest:
            raise SamlRefused(reason)


def _declaration(document: bytes) -> tuple[bytes, bytes]:
    if not document.startswith(b"<?xml "):
        return b"", document
    declaration, _, rest = document.partition(b"?>")
    return declaration, rest


def _check_tree(root: Any) -> None:
    depth = count = 0
    for event, element in etree().iterwalk(root, events=("start", "end")):
        depth += 1 if event == "start" else -1
        if event == "end":
            continue
        count += 1
        if depth > MAX_DEPTH:
            raise SamlRefused(Reason.TOO_DEEP)
        if count > MAX_ELEMENTS or len(element.attrib) > MAX_ATTRIBUTES or len(element.nsmap) > MAX_ATTRIBUTES:
            raise SamlRefused(Reason.TOO_MANY)
