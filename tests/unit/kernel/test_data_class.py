"""Three classes of data."""

from __future__ import annotations

import pytest

from troth.kernel.data_class import DataClass, strictest


@pytest.mark.parametrize("data_class", list(DataClass))
def test_the_header_byte_names_the_class(data_class: DataClass) -> None:
    assert DataClass.from_code(data_class.code) is data_class


def test_an_unknown_byte_is_refused() -> None:
    with pytest.raises(ValueError, match="9"):
        DataClass.from_code(9)


def test_a_derived_object_takes_the_strictest_class() -> None:
    assert strictest([DataClass.SYSTEM, DataClass.USER_GENERATED, DataClass.ACCOUNT]) is DataClass.USER_GENERATED
