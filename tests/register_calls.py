"""What tests of registers ask a server."""

from __future__ import annotations

from typing import Any

from house import House, Person


def opened(home: House, who: Person, form: str, **values: Any) -> str:
    return str(home.ok("POST", f"/v1/registers/{form}", who.headers, values=values)["id"])


def move(home: House, who: Person, place: str, name: str, **values: Any) -> Any:
    return home.call("POST", f"/v1/registers/{place}/moves/{name}", who.headers, values=values)


def code(response: Any) -> tuple[int, str]:
    return response.status_code, response.json()["code"]
