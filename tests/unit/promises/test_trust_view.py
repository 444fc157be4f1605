"""A sentence stands as the worst of its promises does; what nobody knows is unknown."""

from __future__ import annotations

from hashlib import sha256

import pytest
from markupsafe import escape

from paper_texts import bound_text
from troth.kernel.errors import Unavailable
from troth.promises import trust, turns
from troth.promises.paper.binding import Paper
from troth.promises.paper.shipped import SHIPPED
from troth.promises.paper.splitting import sentences as split
from troth.promises.paper.store import Head
from troth.promises.trust import ShowTrust, Sources, TrustOperations
from troth.promises.trust_view import PromiseBrief, sentences
from trust_views import page_of, view

MOST_BYTES = 100_000
TEXT = "We do both.\nHello."


def brief(name: str, state: str, at: int | None, *months: str) -> PromiseBrief:
    return PromiseBrief(id=name, statement="a", kind="enforced", state=state, reason="b", checked_at=at,
                        excused_until=None, months=months)  # fmt: skip


def paper(*carries: str) -> Paper:
    return bound_text(TEXT, [{"carries": list(carries)}, {"because": "rhetoric"}])


@pytest.mark.parametrize(
    ("states", "shown"),
    [
        (("kept", "kept"), "kept"),
        (("kept", "kept with exception"), "kept with exception"),
        (("kept with exception", "not configured"), "not configured"),
        (("not configured", "unknown"), "unknown"),
        (("unknown", "not kept"), "not kept"),
    ],
)
def test_a_sentence_stands_as_the_worst_of_its_promises(states: tuple[str, str], shown: str) -> None:
    first, second = (brief(name, state, 5 + i, "kept", state)
                     for i, (name, state) in enumerate(zip(("CRY-01", "DEL-01"), states, strict=True)))  # fmt: skip
    one, other = sentences(paper("CRY-01", "DEL-01"), {"CRY-01": first, "DEL-01": second})
    assert (one.state, one.months, one.checked_at) == (shown, ("kept", shown), 5)
    assert (other.state, other.carries, other.because, other.months) == (None, (), "rhetoric", ())


def test_what_nobody_knows_of_is_unknown_and_never_looked_at() -> None:
    known = {"CRY-01": brief("CRY-01", "kept", 5, "kept")}
    one, _ = sentences(paper("CRY-01", "OWN-01"), known)
    assert (one.state, one.checked_at) == ("unknown", None)


def test_a_bar_is_never_greener_than_a_sentence_of_which_a_part_is_unknown() -> None:
    told = brief("CRY-01", "kept", 5, "kept", "not kept")
    one, _ = sentences(paper("CRY-01", "OWN-01"), {"CRY-01": told})
    assert one.months == ("unknown", "not kept")
    alone, _ = sentences(paper("OWN-01"), {"CRY-01": told})
    assert (alone.state, alone.months) == ("unknown", ())


@pytest.mark.parametrize(
    ("markdown", "text", "read"),
    [
        (True, "Keys live in **tenant_key** and `key_tree`.", "Keys live in tenant_key and key_tree."),
        (True, "2*3*4 is *24*, not _20_.", "2*3*4 is 24, not 20."),
        (True, "**All of it.", "All of it."),
        (True, "None of it.**", "None of it."),
        (False, "Write to *all* and _us_.", "Write to *all* and _us_."),
    ],
)
def test_marks_of_emphasis_go_and_letters_stay(markdown: bool, text: str, read: str) -> None:
    shown = bound_text(text, [{"because": "rhetoric"}])
    page = view("harbour").model_copy(update={"markdown": markdown, "sentences": sentences(shown, {})})
    assert f">{escape(read)}<" in page_of(page)


def test_the_page_says_where_data_goes_and_which_certificate_is_not_on_record() -> None:
    shown = bound_text("Certified to ISO 27001.", [{"because": "heading"}])
    html = page_of(view("harbour").model_copy(update={"sentences": sentences(shown, {}), "regions": ("eu-1", "us-2")}))
    assert "no certificate for this is on record today" in html
    assert "Now they get it in eu-1, us-2." in html
    assert "Now nobody gets any." in page_of(view(None).model_copy(update={"regions": ()}))


def test_a_sentence_whose_words_changed_says_nothing() -> None:
    bound = paper("CRY-01")
    changed = Paper(bound.binding, split(TEXT.replace("both", "neither")), sha256(b"other").hexdigest())
    one, _ = sentences(changed, {"CRY-01": brief("CRY-01", "kept", 5)})
    assert (one.state, one.carries) == (None, ())


@pytest.mark.parametrize("name", [*SHIPPED, None])
def test_a_page_with_a_year_of_history_is_small_and_has_no_script(name: str | None) -> None:
    shown = view(name)
    html = page_of(shown)
    assert len(html.encode()) < MOST_BYTES
    assert "<script" not in html
    bars = [one for one in shown.sentences or shown.promises if one.months]
    assert html.count('<svg class="year"') == len(bars) > 20
    assert max(one.count("<path") for one in html.split("<svg")) <= 3
    assert html.count("12 months: ") == len(bars)
    if name == "harbour":
        assert "**" not in html, "marks of Markdown are no words"


def test_who_comes_while_a_view_is_made_waits_for_a_moment_only(monkeypatch: pytest.MonkeyPatch) -> None:
    page = TrustOperations(Sources(*[None] * 4, "", ""))  # type: ignore[arg-type]
    monkeypatch.setattr(turns, "PATIENCE", 0.01)
    monkeypatch.setattr(page, "_changes", lambda: "feed")
    with page._kept.viewing:
        with pytest.raises(Unavailable) as refused:
            page.show(None, ShowTrust())  # type: ignore[arg-type]
        assert page.changes(None, ShowTrust()) == "feed", "the feed has a lock of its own"  # type: ignore[arg-type]
    assert refused.value.code == "history-busy"


def test_while_others_compare_versions_nobody_says_that_one_takes_nothing_back() -> None:
    """The page is shown, and waits for its turn once."""
    asked = []

    class Busy:
        opened = staticmethod(lambda _head: None)

        @staticmethod
        def changes(_old: Head, new: Head) -> None:
            asked.append(new.number)
            raise Unavailable("Busy.", code="history-busy")

    heads = [Head(number, "made-up", str(number), "0" * 64, "usr_a", 1, "usr_b", 1, at, None, None)
             for number, at in ((1, 1), (2, 50), (3, 60))]  # fmt: skip
    page = TrustOperations(Sources(Busy(), *[None] * 3, "", ""))  # type: ignore[arg-type]
    told = tuple(page._announced(heads[0], heads, 10))
    assert [(one.number, one.compared, one.takes) for one in told] == [(2, False, ()), (3, False, ())]
    assert asked == [2]
    html = page_of(view("harbour").model_copy(update={"announced": told}))
    assert html.count("is not compared yet") == 2
    assert "takes nothing back" not in html
    html = page_of(view("harbour").model_copy(update={"announced": (told[0].model_copy(update={"compared": True}),)}))
    assert "takes nothing back" in html


def test_a_view_that_takes_long_is_made_once_for_all_who_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its age counts from its end: else each of a crowd that waits behind one another makes it again."""
    made, now = list[str](), [0.0]
    page = TrustOperations(Sources(*[None] * 4, "", ""))  # type: ignore[arg-type]
    monkeypatch.setattr(trust.time, "monotonic", lambda: now[0])

    def slow(what: str) -> str:
        made.append(what)
        now[0] += 3600
        return what

    monkeypatch.setattr(page, "_view", lambda: slow("view"))
    monkeypatch.setattr(page, "_changes", lambda: slow("feed"))
    for ask in (page.show, page.changes):
        for _ in range(3):
            ask(None, ShowTrust())  # type: ignore[arg-type]
    assert made == ["view", "feed"]
