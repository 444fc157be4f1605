"""Boxes hold before and after they are found, and two places of one face become one area."""

from troth.redact.pictures.geometry import Box
from troth.redact.video.following import HOLD, Seen


def test_a_face_is_covered_before_it_is_found_and_after_it_was_last() -> None:
    seen, face = Seen(), Box(10, 10, 50, 50)
    for number in range(0, 60, 3):
        seen.faces.append((number, [face] if number == 30 else []))
    assert [n for n in range(60) if seen.boxes(n, 3)] == list(range(30 - HOLD, 30 + HOLD + 1))


def test_both_places_of_a_face_that_moves_are_in_one_box() -> None:
    seen = Seen()
    seen.faces.extend([(0, [Box(0, 0, 40, 40)]), (3, [Box(20, 0, 60, 40)])])
    (box,) = seen.boxes(1, 3)
    assert (box.left, box.right) == (0, 60)


def test_what_nobody_asks_for_any_more_is_forgotten() -> None:
    seen = Seen()
    for number in range(0, 300, 3):
        seen.faces.append((number, []))
        seen.words.append((number, []))
        seen.forget(number)
    assert len(seen.faces) < 8
    assert len(seen.words) < 8
