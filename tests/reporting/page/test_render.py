"""Pictures as bytes and files."""

from __future__ import annotations

import base64

import matplotlib as mpl
import pytest

from gcmock.reporting.page.content import Picture
from gcmock.reporting.page.render import data_uri, encode, figure_of, pixels_of, write_files
from gcmock.reporting.plots.style import RC


def drawn(axis):
    axis.plot([0.0, 1.0], [2.0, 3.0])
    axis.set(xlabel="x", ylabel="y")


@pytest.fixture(scope="module")
def picture():
    return Picture("line", "A line", "A straight line.", drawn, size=(2.0, 1.5))


def test_picture_is_drawn_on_an_axis_of_its_size(picture):
    figure = figure_of(picture)
    (axis,) = figure.axes
    assert axis.lines[0].get_ydata().tolist() == [2.0, 3.0]
    assert tuple(figure.get_size_inches()) == (2.0, 1.5)


@pytest.mark.slow
def test_formats_in_the_order_asked(picture):
    png, pdf, svg = encode(picture, "png", "pdf", "svg")
    assert png.startswith(b"\x89PNG")
    assert pdf.startswith(b"%PDF")
    assert b"<svg" in svg


@pytest.mark.slow
def test_equal_pictures_give_equal_files(picture):
    first = encode(picture, "svg", "pdf")
    assert encode(picture, "svg", "pdf") == first
    assert b"<dc:date>" not in first[0]
    assert b"/CreationDate" not in first[1]


def test_settings_of_the_user_do_not_show(picture):
    plain = encode(picture, "svg")
    with mpl.rc_context({"font.size": 30.0, "axes.edgecolor": "red"}):
        assert encode(picture, "svg") == plain
        assert mpl.rcParams["font.size"] == 30.0
    assert mpl.rcParams["font.size"] != 30.0
    assert RC["font.size"] == 10.0


def test_size_is_that_of_the_view_box():
    # 72 points are an inch, and an inch has 96 pixels.
    assert pixels_of(b'<svg viewBox="0 0 144.0 36.5" x="">') == (192, 49)
    with pytest.raises(ValueError, match="does not say how large"):
        pixels_of(b"<svg>")


def test_content_travels_in_the_address():
    uri = data_uri(b"<svg/>")
    head, body = uri.split(",")
    assert head == "data:image/svg+xml;base64"
    assert base64.b64decode(body) == b"<svg/>"
    assert data_uri(b"", "image/png").startswith("data:image/png;base64,")


@pytest.mark.slow
def test_files_bear_the_name_of_the_picture(picture, tmp_path):
    paths = write_files(picture, tmp_path)
    assert [path.name for path in paths] == ["line.png", "line.pdf"]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["line.pdf", "line.png"]
    assert paths[0].read_bytes().startswith(b"\x89PNG")
    assert paths[1].read_bytes().startswith(b"%PDF")
