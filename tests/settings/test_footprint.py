"""The section [footprint]: one shape at most, and what is wrong with it."""

from __future__ import annotations

import pytest

from gcmock.errors import InputError
from gcmock.settings.build import load_config


@pytest.mark.parametrize(
    ("values", "is_given"),
    [
        ({}, False),
        ({"cone": [266.4, -29.0, 0.5]}, True),
        ({"cone": ["266.4 deg", "-29 deg", "30 arcmin"]}, True),
        ({"polygon": [[266, -29], [267, -29], [267, -28]]}, True),
        ({"from_stars": True}, True),
        ({"moc": "a.fits"}, True),
    ],
)
def test_one_shape(values, is_given):
    config = load_config(None, {"footprint": values})
    assert config.footprint.is_given == is_given
    assert load_config_again(config) == config


def load_config_again(config):
    import tomllib

    return load_config(None, tomllib.loads(config.to_toml()))


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"cone": [266.4, -29.0, 0.5], "from_stars": True}, "cone and from_stars are given"),
        ({"cone": [266.4, -29.0, 0.0]}, "expected up to 90 deg"),
        ({"polygon": [[266, -29], [267, -29]]}, "polygon"),
        ({"circle": [1, 2, 3]}, "circle: unknown key"),
    ],
)
def test_what_is_wrong_is_said(values, words):
    with pytest.raises(InputError, match=words):
        load_config(None, {"footprint": values})
