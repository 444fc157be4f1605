"""Somebody with a browser that runs no scripts, on the pages of a house."""

from __future__ import annotations

from typing import Any

from house import House, Person

FORM = {"sec-fetch-site": "same-origin"}


class Visit:
    """`who`: a person, or the headers of a session."""

    def __init__(self, home: House, who: Person | dict[str, str]) -> None:
        headers = who if isinstance(who, dict) else who.headers
        self.home = home
        self.cookie = {"cookie": f"__Host-sid={headers['authorization'].removeprefix('Bearer ')}"}

    def see(self, path: str) -> str:
        """A page that must be there."""
        response = self.home.client.get(path, headers=self.cookie | {"accept": "text/html"})
        assert response.status_code == 200, (path, response.status_code)
        return str(response.text)

    def send(self, path: str, *, files: Any = None, **fields: str) -> Any:
        """Post a form; where it leads is not followed."""
        kind = {} if files else {"content-type": "application/x-www-form-urlencoded"}  # also of a form without fields
        headers = self.cookie | FORM | kind | {"accept": "text/html"}
        return self.home.client.post(path, headers=headers, data=fields, files=files, follow_redirects=False)
