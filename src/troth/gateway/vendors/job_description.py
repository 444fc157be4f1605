"""What a vendor with jobs is like, as YAML: where to submit, what to say, where to ask, what the answers mean.

The shipped ones stand in `jobs/*.yaml`. Pointers are JSON pointers (RFC 6901). A value of a body that begins with `$`
is a field of the request (prompt, width, height, seed, seconds, image, model); without one in the request it is left
out. Only fields that a description names are ever sent: no user, no metadata, nothing unknown.
"""

from __future__ import annotations

from functools import lru_cache
from importlib import resources
from typing import Annotated, Any, Literal

import yaml
from pydantic import Field, StringConstraints

from troth.gateway.vendors.papers import Code, PaperModel
from troth.kernel.errors import Unavailable

Place = Annotated[str, StringConstraints(min_length=1, max_length=200, pattern=r"^/[A-Za-z0-9_./{}?=&-]*$")]
Pointer = Annotated[str, StringConstraints(min_length=2, max_length=200, pattern=r"^(/[A-Za-z0-9_.-]+)+$")]
Host = Annotated[str, StringConstraints(max_length=120, pattern=r"^(\*\.)?[a-z0-9.-]+\.[a-z]{2,}$")]
Seconds = Annotated[float, Field(gt=0, le=3600)]


class Header(PaperModel):
    """The header that carries the key; `prefix` stands before it."""

    name: Annotated[str, StringConstraints(max_length=64, pattern=r"^[A-Za-z-]+$")]
    prefix: str = ""


class Submit(PaperModel):
    """The call that begins a job. `{model}` in `path` is the vendor's name of the model."""

    path: Place
    form: Literal["json", "multipart"]
    body: Annotated[dict[str, Any], Field(max_length=64)]
    id: Pointer


class Poll(PaperModel):
    """The call that asks how a job does; `{id}` in `path`.

    `status` points at a word that `states` explains; without it the HTTP status tells: 202 runs, 200 is done.
    """

    path: Place
    status: Pointer | None = None
    running: tuple[str, ...] = ()
    done: tuple[str, ...] = ()
    stopped: tuple[str, ...] = ()  # by the vendor's content policy
    gone: tuple[str, ...] = ()
    every: Seconds = 1.0
    seconds: Seconds = 120.0  # for the whole job


class Result(PaperModel):
    """Where what was made stands in the last answer: as a link to one of `hosts`, in base64, or as the answer itself.

    A host with `*.` stands for every name below it. The vendor's own address is always allowed.
    """

    kind: Literal["link", "base64", "body"]
    pointer: Pointer | None = None
    hosts: Annotated[tuple[Host, ...], Field(max_length=16)] = ()


class Description(PaperModel):
    """One kind of vendor."""

    name: Code
    makes: tuple[Literal["image", "video"], ...]
    key: Header
    submit: Submit
    poll: Poll
    result: Result
    headers: Annotated[dict[str, str], Field(default_factory=dict)]


@lru_cache(maxsize=16)
def shipped(name: str) -> Description:
    """A shipped description. Raises `Unavailable` (description-unknown)."""
    file = resources.files("troth.gateway.vendors").joinpath("jobs", f"{name}.yaml")
    if not file.is_file():
        raise Unavailable("There is no description of that name for vendors with jobs; the operator must correct the "
                          "record.", code="description-unknown")  # fmt: skip
    return Description.model_validate(yaml.safe_load(file.read_text(encoding="utf-8")))
