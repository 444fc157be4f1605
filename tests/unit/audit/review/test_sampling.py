from __future__ import annotations

import hashlib

from hypothesis import given
from hypothesis import strategies as st

from troth.audit.review.sampling import draw, score
from troth.audit.review.weights import Act, Weight

SEED = bytes(range(32))


def acts(*weights: int) -> list[Act]:
    return [Act(index, weight, "user.create", "usr_a", "req_a", 0) for index, weight in enumerate(weights)]


def test_the_score_is_what_the_page_says() -> None:
    assert score(SEED, 258) == hashlib.sha256(b"troth review v1\n" + SEED + b"\0\0\0\0\0\0\1\2").digest()


def test_all_that_weighs_most_and_a_sample_of_the_rest() -> None:
    found = draw(acts(*[3] * 30, *[2] * 40, *[1] * 40), SEED, 8)
    weights = [one.act.weight for one in found]
    assert (weights.count(3), weights.count(2), weights.count(1)) == (30, 8, 2)
    assert [one.sampled for one in found] == [weight != 3 for weight in weights]
    assert [one.act.index for one in found] == sorted(one.act.index for one in found)


def test_another_seed_draws_others() -> None:
    many = acts(*[2] * 200)
    first, again, other = (draw(many, seed, 10) for seed in (SEED, SEED, SEED[::-1]))
    assert first == again != other


def test_the_drawn_changes_have_the_lowest_scores() -> None:
    many = acts(*[2] * 50)
    chosen = {one.act.index for one in draw(many, SEED, 5)}
    assert chosen == set(sorted(range(50), key=lambda index: score(SEED, index))[:5])


@given(st.lists(st.sampled_from([1, 2, 3]), max_size=60), st.binary(min_size=32, max_size=32), st.integers(1, 30))
def test_the_draw_depends_on_no_order(weights: list[int], seed: bytes, sample: int) -> None:
    found = draw(acts(*weights), seed, sample)
    assert found == draw(reversed(acts(*weights)), seed, sample)
    assert len(found) <= len(weights)
    assert {one.act.index for one in found} >= {at for at, weight in enumerate(weights) if weight == Weight.HEAVIEST}
