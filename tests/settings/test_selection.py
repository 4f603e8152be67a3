"""The section ``[selection]``."""

from __future__ import annotations

import pytest

from gcmock.errors import InputError
from gcmock.settings.build import load_config
from gcmock.words.limits import parse_limits


def test_limits_are_read_and_written():
    texts = ("j-h > 2.1", "hw < 14.5 +- 0.1")
    config = load_config(None, {"selection": {"limits": texts}})
    assert config.selection.parsed == parse_limits(texts)
    assert 'limits = ["j-h > 2.1", "hw < 14.5 +- 0.1"]' in config.to_toml()
    assert load_config().selection.parsed == ()
    assert load_config().selection.find


def test_an_unreadable_limit_is_explained():
    with pytest.raises(InputError, match=r"\[selection\] limits.*'j-x > 2'.*'x' is no band"):
        load_config(None, {"selection": {"limits": ["j-x > 2"]}})
