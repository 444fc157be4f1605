"""Words for operators cover what there is."""

from __future__ import annotations

from troth.keys.lifecycle import State
from troth.keys.replacement_rows import Progress
from troth.keys.roots.port import FILES, HARDWARE, KEY_SERVICE
from troth.portal import service_words


def test_every_state_class_and_progress_has_words() -> None:
    assert set(service_words.KEY_STATES) == {state.value for state in State}
    assert set(service_words.ASSURANCE) == {FILES, KEY_SERVICE, HARDWARE}
    assert set(service_words.REPLACING) == {one.value for one in Progress}
    assert service_words.place("key-roots:local") == "Roots of keys"
    assert service_words.place("attic") == "Other"
