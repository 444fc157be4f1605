"""Many threads parse at once, and none takes another's depth for its own."""

from __future__ import annotations

import ast
import sys
from concurrent.futures import ThreadPoolExecutor

from troth.kernel.python_trees import parsed

TEXT = "\n".join(f"x{at} = (((({at} + 1) * 2) - [a, [b, [c, [d]]]][0]))" for at in range(400))


def test_threads_that_parse_at_once_all_get_their_tree() -> None:
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        with ThreadPoolExecutor(8) as threads:
            made = list(threads.map(lambda _: len(parsed(TEXT).body), range(40)))
    finally:
        sys.setswitchinterval(before)
    assert made == [400] * 40


def test_a_condition_is_an_expression() -> None:
    assert isinstance(parsed("a > 1", "eval").body, ast.Compare)
