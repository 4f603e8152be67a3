"""Figures appear when they are complete, in the format of their suffix."""

from __future__ import annotations

import struct

import pytest
from matplotlib.figure import Figure

from gcmock.errors import InputError
from gcmock.reporting.figure_file import save_figure


def test_format_and_resolution(tmp_path):
    figure = Figure(figsize=(2.0, 1.0))
    save_figure(figure, tmp_path / "a.PNG", dpi=50)
    head = (tmp_path / "a.PNG").read_bytes()[:24]
    assert head.startswith(b"\x89PNG")
    assert struct.unpack(">II", head[16:]) == (100, 50)
    save_figure(figure, tmp_path / "a.svg")
    assert b"<svg" in (tmp_path / "a.svg").read_bytes()


def test_a_figure_that_fails_leaves_nothing(tmp_path):
    with pytest.raises(ValueError, match="abc"):
        save_figure(Figure(), tmp_path / "a.abc")
    assert list(tmp_path.iterdir()) == []
    with pytest.raises(InputError, match="absent"):
        save_figure(Figure(), tmp_path / "absent" / "a.png")
