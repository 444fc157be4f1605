"""A browser without a screen: follows redirects, fills forms, keeps cookies, and stops where it would come home."""

from __future__ import annotations

import re
from dataclasses import dataclass
from html import unescape
from urllib.parse import parse_qs, urljoin, urlsplit

import httpx2

HOME = "https://troth.example.org/"
_FORM = re.compile(r"<form\b[^>]*>.*?</form>", re.DOTALL | re.IGNORECASE)
_INPUT = re.compile(r"<(?:input|button)\b[^>]*>", re.IGNORECASE)
_ATTRIBUTE = re.compile(r"""([a-zA-Z-]+)\s*=\s*(?:"([^"]*)"|'([^']*)')""")


@dataclass
class Browser:
    """One person's browser at a provider."""

    client: httpx2.Client
    at: str = ""

    def open(self, url: str) -> httpx2.Response:
        """Go to an address and wherever that leads, but not to `HOME`."""
        return self._follow(self.client.get(url), url)

    def submit(self, page: httpx2.Response, *, pressed: str = "", **typed: str) -> httpx2.Response:
        """Fill in the first form that has all these fields, and send it; `pressed` is a button outside of it."""
        for form in _FORM.findall(page.text):
            fields = {
                found["name"]: unescape(found.get("value", ""))
                for found in (_attributes(one) for one in _INPUT.findall(form))
                if "name" in found
            }
            if typed.keys() <= fields.keys():
                head = _attributes(form.partition(">")[0])
                to = urljoin(self.at, unescape(head.get("action", "") or self.at))
                button = {pressed: "yes"} if pressed else {}
                return self._follow(self.client.post(to, data={**fields, **typed, **button}), to)
        raise AssertionError(f"no form with {sorted(typed)} on the page at {self.at}")

    def _follow(self, answer: httpx2.Response, url: str) -> httpx2.Response:
        for _ in range(20):
            self.at = url
            if not answer.is_redirect:
                return answer
            url = urljoin(url, answer.headers["location"])
            if url.startswith(HOME):
                self.at = url
                return answer
            answer = self.client.get(url)
        raise AssertionError("redirected without end")

    @property
    def brought_back(self) -> dict[str, str]:
        """What stands in the address that leads home."""
        assert self.at.startswith(HOME), self.at
        return {name: value[0] for name, value in parse_qs(urlsplit(self.at).query).items()}


def _attributes(tag: str) -> dict[str, str]:
    return {name.lower(): double or single for name, double, single in _ATTRIBUTE.findall(tag)}
