"""The operational log writes listed fields and drops every message."""

from __future__ import annotations

import io
import json
import logging

import pytest

from troth.kernel.journal import Journal, JournalHandler

NEEDLE = "jane.doe@example.com"


def test_a_fault_names_type_and_place_only() -> None:
    stream = io.StringIO()
    try:
        raise ValueError(NEEDLE)
    except ValueError as error:
        Journal(stream).fault(error, "object.open", "req_x")
    written = json.loads(stream.getvalue())
    assert written["error"] == "ValueError"
    assert NEEDLE not in stream.getvalue()


def test_what_libraries_log_loses_its_message() -> None:
    stream = io.StringIO()
    logger = logging.Logger("library")
    logger.addHandler(JournalHandler(Journal(stream)))
    logger.error("request body %s", NEEDLE)
    assert json.loads(stream.getvalue()) == {"event": "library", "logger": "library", "level": "ERROR"}


def test_a_field_off_the_list_is_a_mistake() -> None:
    with pytest.raises(ValueError, match="email"):
        Journal(io.StringIO()).event("x", email=NEEDLE)
