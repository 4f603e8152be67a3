"""The page as a file: what is in it, and that it needs nothing else."""

from __future__ import annotations

import base64
import json
import re
import zlib
from html.parser import HTMLParser
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from astropy.table import Table
from matplotlib.figure import Figure

from gcmock import cli
from gcmock.mock.build import build
from gcmock.reporting import plots
from gcmock.reporting.page.content import Numbers, PageSection, Text
from gcmock.reporting.page.write import write_report
from gcmock.words.components import COLOURS, GROUPS, LABELS

pytestmark = pytest.mark.slow


class Outline(HTMLParser):
    """Elements of a page in their order."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))

    def all(self, *tags):
        return [(tag, attributes) for tag, attributes in self.elements if tag in tags]


@pytest.fixture(scope="module")
def page(report_page) -> Path:
    return report_page


@pytest.fixture(scope="module")
def outline(page) -> Outline:
    return Outline(page.read_text(encoding="utf-8"))


def test_needs_nothing_else(page, outline):
    text = page.read_text(encoding="utf-8")
    for _, attributes in outline.all("img", "script", "link", "a", "iframe", "source"):
        for name in ("src", "href"):
            value = attributes.get(name)
            assert value is None or value.startswith(("data:", "#")), value
    assert "default-src 'none'" in text
    assert not re.search(r"url\(\s*['\"]?(?!data:)|@import", text.split("</style>")[0])
    assert page.stat().st_size < 5e6


def test_says_everything(outline, page):
    text = page.read_text(encoding="utf-8")
    for words in (
        "Where to trust it",
        "Limits of the model",
        "Probability of the nuclear stellar disc",
        "Proper motions of bar and nuclear disc",
        "Extinction map of the model",
        "Counts in Hw",
        "UNEXPLAINED",
        "Against the truth",
        "How it was made",
        "residual_scatter_mag = 0.02",
        "input sha256",
    ):
        assert words in text


def test_is_accessible(outline):
    assert outline.all("html")[0][1]["lang"] == "en"
    levels = [int(tag[1]) for tag, _ in outline.all("h1", "h2", "h3")]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(b - a <= 1 for a, b in pairwise(levels))
    for _, attributes in outline.all("img"):
        assert len(attributes["alt"]) > 20
        assert attributes["width"]
        assert attributes["height"]
    ids = [attributes["id"] for _, attributes in outline.elements if "id" in attributes]
    assert len(ids) == len(set(ids))
    anchors = [a["href"][1:] for _, a in outline.all("a")]
    assert set(anchors) <= set(ids)
    for _, attributes in outline.all("section"):
        assert attributes["aria-labelledby"] in ids
    assert all("scope" in attributes for _, attributes in outline.all("th"))


def test_stars_of_the_view(page, report_files):
    text = page.read_text(encoding="utf-8")
    packed = re.search(r'id="stars-columns">([^<]*)<', text)[1]
    stars = json.loads(zlib.decompress(base64.b64decode(packed)))
    assert len(set(stars["id"])) == 60
    assert stars["what"] == "observed"
    np.testing.assert_allclose(np.sum(stars["p"], axis=1), 1.0, atol=2e-3)
    groups = stars["groups"]
    assert [group["name"] for group in groups] == list(GROUPS)
    assert [group["name"] for group in groups if group["is_nuclear"]] == ["nsd", "nsc"]
    assert {group["label"]: group["colour"] for group in groups} == {
        LABELS[name]: COLOURS[name] for name in GROUPS
    }
    for name in GROUPS:
        assert f'<th scope="col">{LABELS[name]}</th>' in text
    packed = re.search(r'id="stars-posteriors">([^<]*)<', text)[1]
    densities = np.frombuffer(zlib.decompress(base64.b64decode(packed)), np.uint8)
    densities = densities.reshape(60, 4, len(stars["edges"]) - 1)
    assert (densities.max(axis=(1, 2)) == 255).all()
    # The most probable group has most of the area under its curve.
    area = (densities / 255.0) ** 2 @ np.diff(stars["edges"])
    p = np.array(stars["p"])
    fraction = area / area.sum(axis=1, keepdims=True)
    np.testing.assert_allclose(fraction, p, atol=0.05)


def test_figures_as_files(page):
    names = {path.name for path in (page.parent / "figures").iterdir()}
    assert {"nsd_probability.png", "nsd_probability.pdf", "rotation_near.png"} <= names
    assert (page.parent / "figures" / "evidence_map.pdf").read_bytes().startswith(b"%PDF")


@pytest.mark.long
def test_same_catalogue_same_page(page, report_files, tmp_path):
    again = tmp_path / "report.html"
    write_report(
        report_files.mock,
        again,
        input=report_files.stars,
        truth=report_files.truth,
        n_sample=60,
    )
    assert again.read_bytes() == page.read_bytes()


@pytest.mark.long
def test_catalogue_alone_and_more_sections(report_files, tmp_path):
    output = tmp_path / "report.html"
    extra = PageSection(
        "checks", "Checks", (Text("All <well>."), Numbers("Numbers", ("a",), [("1",)]))
    )
    done = write_report(report_files.mock, output, n_sample=5, more=[extra])
    text = output.read_text(encoding="utf-8")
    assert (done.n_star, done.n_row, done.n_sample, done.n_posterior) == (400, 800, 5, 0)
    assert "All &lt;well&gt;." in text
    assert "with --input the curves are shown" in text
    assert text.index('id="checks"') < text.index('id="made"')


@pytest.mark.long
def test_folder_as_catalogue(report_files, tmp_path):
    folder = tmp_path / "mock"
    arguments = ["build", report_files.stars, "-o", folder, "--seed", 5, "--no-learn"]
    assert cli.run(list(map(str, arguments))) == 0
    output = tmp_path / "report.html"
    assert cli.run(["report", str(folder), "-o", str(output), "--sample", "0"]) == 0
    text = output.read_text(encoding="utf-8")
    assert "Settings (TOML)" in text
    assert "Single stars" not in text


@pytest.mark.long
def test_a_handful_of_stars(tmp_path):
    """Far apart, with one band or none: every figure copes."""
    stars, mock = tmp_path / "stars.ecsv", tmp_path / "mock.fits"
    table = Table({"l": [0.3, 0.31, 355.0], "b": [-0.2, -0.21, 3.0]})
    table["phot_ks_mag"] = [11.0, 12.0, np.nan]
    table.write(stars)
    build(stars, mock, workers=1)
    done = write_report(mock, tmp_path / "report.html", input=stars)
    assert (done.n_star, done.n_posterior) == (3, 3)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["{stars}", "-o", "{new}"], "no mock catalogue: it lacks"),
        (["{mock}", "-o", "{folder}/report.pdf"], "a name that ends in .html"),
        (["{mock}", "-o", "{folder}/none/report.html"], "does not exist"),
        (["{mock}", "-o", "{old}"], "exists already"),
        (["{mock}", "-o", "{new}", "--truth", "{stars}"], "no table of true stars"),
        (["{mock}", "-o", "{new}", "--sample", "-3"], "expected a whole number from 0 to"),
        (["{folder}/nothing.parquet", "-o", "{new}"], "no such file"),
    ],
)
def test_bad_input(report_files, tmp_path, capsys, arguments, words):
    old = tmp_path / "old.html"
    old.write_text("mine")
    places = {"stars": report_files.stars, "mock": report_files.mock, "folder": tmp_path}
    places |= {"old": old, "new": tmp_path / "new.html"}
    assert cli.run(["report", *(text.format(**places) for text in arguments)]) == 2
    error = capsys.readouterr().err
    assert words in error
    assert "Traceback" not in error
    assert old.read_text() == "mine"
    assert [path.name for path in tmp_path.iterdir()] == ["old.html"]


WITH_MODEL = {"evidence_map", "extinction_change", "extinction_learned", "extinction_used"}


@pytest.mark.parametrize(
    "name",
    [
        name
        for name in plots.__all__
        if name not in {"RC", "count_catalogue", "reliability"} and not name.startswith("residual")
    ],
)
def test_plots_take_an_axis(name, report_files, mock_tally, small_model):
    axis = Figure().add_subplot()
    arguments = [small_model] if name in WITH_MODEL else []
    getattr(plots, name)(axis, mock_tally, *arguments)
    assert axis.get_xlabel()
    assert axis.has_data()


@pytest.fixture(scope="module")
def mock_tally(report_files):
    return plots.count_catalogue(report_files.mock)


@pytest.fixture(scope="module")
def small_model():
    from gcmock.model import load_model

    return load_model()
