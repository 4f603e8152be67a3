"""info: the texts of the command."""

from __future__ import annotations

import pytest

import gcmock
from gcmock.errors import InputError


def test_info():
    text = gcmock.info("config")
    assert text.startswith("[model]")
    assert repr(text) == text
    assert text._repr_html_().startswith("<pre>[model]")
    assert "gcmock info laws" in gcmock.info()


def test_unknown_topic():
    with pytest.raises(InputError, match="info: no topic 'law'; known: config"):
        gcmock.info("law")
