"""Lists are wrapped in one way: a member in the plural of what it holds (docs/explanation/formats.md)."""

from __future__ import annotations

import inspect
from importlib import import_module
from typing import Any, get_origin

from pydantic import BaseModel

from troth.cli.remote import _OWNERS
from troth.kernel.operation import declarations

# OpenAI's own shapes.
_OPENAI = frozenset({"model.list", "file.list", "image.generate", "image.edit", "embedding.create", "video.list",
                     "moderation.classify"})  # fmt: skip
_PAGING = frozenset({"next", "after", "current"})
# Also: how many are due, whose domain, where, figures of the queue.
_MORE = frozenset({"review.list", "authority.list", "provisioning.list", "moderation-case.list"})


def _answers() -> dict[str, type[BaseModel]]:
    found = {}
    for place in _OWNERS:
        module, _, name = place.partition(":")
        owner = getattr(import_module(module), name)
        for attribute, declaration in declarations(owner):
            answer = inspect.signature(getattr(owner, attribute), eval_str=True).return_annotation
            if isinstance(answer, type) and issubclass(answer, BaseModel) and declaration.name not in _OPENAI:
                found[declaration.name] = answer
    return found


def _lists(answer: type[BaseModel]) -> dict[str, Any]:
    """The members that are lists; `data` of another type is a file in base64."""
    return {one: field for one, field in answer.model_fields.items() if get_origin(field.annotation) in (list, tuple)}


def test_lists_are_named_for_what_they_hold() -> None:
    answers = _answers()
    assert len(answers) > 60
    badly = {"data", "items", "results", "list", "rows"}
    assert [name for name, answer in answers.items() if badly & _lists(answer).keys()] == []


def test_a_page_is_one_list_and_where_it_goes_on() -> None:
    pages = {name: answer for name, answer in _answers().items() if name.endswith(".list") and name not in _MORE}
    assert len(pages) > 15
    for name, answer in pages.items():
        lists = list(_lists(answer))
        if name != "keys.list":  # how the keys stand, not a list of them
            assert len(lists) == 1, name
            assert lists[0].endswith("s") or lists[0] == "evidence", name  # which has no plural
            assert answer.model_fields.keys() - set(lists) <= _PAGING, name
