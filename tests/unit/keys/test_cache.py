"""The bounded memory."""

from __future__ import annotations

from troth.keys.cache import Cache


def test_the_least_used_goes_first() -> None:
    cache: Cache[str, int] = Cache(2)
    cache.put("a", 1, cache.stamp)
    cache.put("b", 2, cache.stamp)
    assert cache.get("a") == 1
    cache.put("c", 3, cache.stamp)
    assert (cache.get("a"), cache.get("b"), cache.get("c"), len(cache)) == (1, None, 3, 2)


def test_what_was_read_before_a_clear_never_enters_after_it() -> None:
    """Otherwise a lookup that races a revocation would bring the key back."""
    cache: Cache[str, int] = Cache(2)
    stamp = cache.stamp
    cache.clear()
    cache.put("a", 1, stamp)
    assert cache.get("a") is None
