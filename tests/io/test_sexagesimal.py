"""Positions in base 60 are those of astropy."""

import numpy as np
import pytest
from astropy.coordinates import Angle
from hypothesis import given
from hypothesis import strategies as st

from gcmock.errors import InputError
from gcmock.io.sexagesimal import degrees

FORMS = ["{}{}:{:02d}:{:06.3f}", "{}{} {:02d} {:06.3f}", " {}{:02d}h{:02d}m{:06.3f}s"]


@pytest.mark.slow
@given(
    st.lists(
        st.tuples(
            st.sampled_from(["", "-", "+"]),
            st.integers(0, 23),
            st.integers(0, 59),
            st.integers(0, 59_999),
        ),
        min_size=1,
        max_size=5,
    ),
    st.sampled_from(FORMS),
    st.booleans(),
)
def test_against_astropy(rows, form, in_hours):
    texts = np.array([form.format(s, a, b, c / 1000) for s, a, b, c in rows])
    plain = [FORMS[0].format(s, a, b, c / 1000) for s, a, b, c in rows]
    expected = Angle(plain, unit="hourangle" if in_hours else "deg").deg
    found = degrees("file", "ra", texts, in_hours)
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-12)


def test_minus_zero_and_gaps():
    found = degrees("file", "dec", np.array(["-00:30:00", "", "29d00m36s"]), False)
    np.testing.assert_array_equal(found, [-0.5, np.nan, 29.01])


@pytest.mark.parametrize("text", ["17:60:00", "17:00:61", "24:00:00", "17:45", "x", "17h45"])
def test_what_is_none(text):
    with pytest.raises(InputError, match="holds"):
        degrees("file", "ra", np.array(["17:45:40", text]), True)
