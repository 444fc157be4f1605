from __future__ import annotations

import pytest

from troth.kernel.caller import Authentication, Caller, anonymous
from troth.portal.navigation import entries, may_erase_others, sections, start
from worlds import person

OPERATOR = Caller("usr_o", "operator", roles=frozenset({"operator"}), authentication=Authentication("password+totp", 2))


def doors(caller: Caller | None) -> list[str]:
    return [address for address, _ in entries(caller)]


@pytest.mark.parametrize(
    ("caller", "first"),
    [
        (anonymous(), "/trust"),
        (person("member"), "/data"),
        (person("auditor"), "/data"),
        (person(), "/account"),
        (person("owner", assurance=1), "/welcome"),
        (OPERATOR, "/tenants"),
    ],
)
def test_everybody_starts_somewhere_useful(caller: Caller, first: str) -> None:
    assert start(caller) == first
    assert doors(caller)[0] == first


def test_strangers_see_public_doors_only() -> None:
    assert doors(None) == doors(anonymous()) == ["/trust", "/verify", "/sign-in"]


def test_roles_add_up() -> None:
    both = doors(person("auditor", "privacy-officer"))
    assert "/log" in both
    assert {"/desk", "/my-requests"} <= set(both)
    assert "/desk" not in doors(person("member", "admin", "auditor"))
    assert "/people" not in both
    assert "/keys" not in both


def test_who_erases_others() -> None:
    assert [may_erase_others(person(role)) for role in ("owner", "privacy-officer", "admin")] == [True, True, False]


def test_an_owners_doors_stand_in_few_sections_and_each_once() -> None:
    for caller in (person("owner"), OPERATOR):
        assert len(sections(caller)) <= 5
        assert len(doors(caller)) == len(set(doors(caller))) >= 10
        assert max(len(one.entries) for one in sections(caller)) <= 6
