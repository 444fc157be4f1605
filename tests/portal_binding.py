"""A browser of tests: keeps cookies as a jar, binds its session as the portal's script would, and shows its key."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

from troth.identity.devices.holding import DeviceKey

SAME = {"sec-fetch-site": "same-origin"}
_SID, _BOUND = "__Host-sid", "__Host-bound"


@dataclass
class Browser:
    """A person's browser at the portal. `client` is any client of httpx; `origin` the portal as it knows itself."""

    client: Any
    origin: str
    session: str
    key: DeviceKey = field(default_factory=DeviceKey)
    bound: str | None = None  # the cookie that stands for the device
    extra: dict[str, str] = field(default_factory=lambda: {"dpop": "none"})  # the client of a house adds no proof

    @property
    def jar(self) -> dict[str, str]:
        """Its cookies. Whoever copies them has these and no key."""
        return {_SID: self.session} | ({_BOUND: self.bound} if self.bound else {})

    @property
    def cookie(self) -> dict[str, str]:
        """The same as a header."""
        return {"cookie": "; ".join(f"{name}={value}" for name, value in self.jar.items())}

    @property
    def headers(self) -> dict[str, str]:
        """What the browser sends with a page or a form of its own."""
        return self.cookie | SAME | {"accept": "text/html"} | self.extra

    def bind(self) -> Any:
        """Bind the fresh session to the key."""
        return self._answered("/device/bind", "/v1/sessions/current/binding")

    def confirm(self) -> Any:
        """Renew the cookie of the device."""
        return self._answered("/device/confirm", "/device/confirm")

    def asked(self) -> Any:
        """What there is to sign."""
        return self.client.post("/device", headers=self.headers)

    def get(self, path: str) -> Any:
        """A page."""
        return self.client.get(path, headers=self.headers, follow_redirects=False)

    def post(self, path: str, **form: str) -> Any:
        """A form."""
        return self.client.post(path, headers=self.headers, data=form, follow_redirects=False)

    def _answered(self, address: str, named: str) -> Any:
        challenge = self.asked().json().get("challenge", "none")
        proof = self.key.answer(challenge, "POST", self.origin + named)
        return self.took(self.client.post(address, headers=self.headers, data={"proof": proof}))

    def took(self, answer: Any) -> Any:
        """Keep the cookie that an answer sets."""
        for cookie in answer.headers.get_list("set-cookie"):
            if found := re.match(rf"{_BOUND}=([^;]+)", cookie):
                self.bound = found[1]
        return answer


def bound_browser(home: Any, email: str, password: str, **proof: str) -> Browser:
    """A browser at a `House` that signs in at the portal and is bound as the script does it."""
    browser = signed_in(home, email, password, **proof)
    assert browser.bind().status_code == 200
    return browser


def signed_in(home: Any, email: str, password: str, **proof: str) -> Browser:
    """The same, not bound yet. `proof`: `totp` as one types it."""
    form = {"email": email, "password": password} | proof
    answer = home.client.post("/sign-in", headers=SAME, data=form, follow_redirects=False)
    assert answer.status_code == 303, answer.text
    session = re.search(rf"{_SID}=([^;]+)", str(answer.headers.get_list("set-cookie")))
    assert session
    home.client.cookies.clear()
    return Browser(home.client, home.proving.origin, session[1])
