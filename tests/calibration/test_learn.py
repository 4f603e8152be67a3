"""The learning stage of a build: its file, its words, and when it is taken as it is."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pytest
from astropy.io import fits
from astropy.table import Table
from calibrations import calibration

from gcmock.calibration import learn as module
from gcmock.calibration.found_limits import FoundLimit
from gcmock.calibration.learn import in_words, learn, learn_table, name_beside
from gcmock.calibration.measurements import usual_measurements
from gcmock.calibration.parallaxes import GIVEN_ZERO_POINT_PRIOR
from gcmock.calibration.weights import usual_weights
from gcmock.dust.extinction_map import ExtinctionMap
from gcmock.errors import InputError, NothingToLearnError
from gcmock.learned import MAP_SCATTER_MAG, load_learned
from gcmock.settings.build import load_config
from gcmock.words.components import COMPONENTS
from gcmock.words.limits import parse_limit


@pytest.fixture
def calls(monkeypatch):
    """Learning that takes no time; what it was asked."""
    asked = []

    def calibrate(catalogue, config, options, *, progress=None):
        asked.append((catalogue, config, options))
        return dataclasses.replace(calibration(), config=config)

    monkeypatch.setattr(module, "calibrate", calibrate)
    return asked


@pytest.fixture
def stars(tmp_path: Path) -> Path:
    path = tmp_path / "stars.fits"
    path.write_text("a list")
    return path


def test_the_file_lies_beside_the_output() -> None:
    assert name_beside(Path("a/mock.parquet")) == Path("a/mock_learned.fits")
    assert name_beside(Path("a/mock.v2.fits")) == Path("a/mock.v2_learned.fits")
    assert name_beside(Path("a/mock")) == Path("a/mock_learned.fits")


@pytest.mark.slow
def test_what_is_learned_becomes_a_setting(calls, stars, tmp_path) -> None:
    given = load_config(
        None, {"learn.stars_per_cell": 40, "learn.law": "one", "learn.numbers": False}
    )
    config, remark = learn(stars, tmp_path / "mock.parquet", given)
    file = tmp_path / "mock_learned.fits"
    assert config.learn.file == str(file.resolve())
    assert given.learn.file == ""
    assert config.model_copy(update={"learn": given.learn}) == given
    assert calls[0][0] == stars
    asked = calls[0][2]
    assert (asked.stars_per_cell, asked.law, asked.fractions, asked.errors) == (
        40, "one", False, True,
    )  # fmt: skip
    assert load_learned(file).cell.tolist() == [33, 34, 44]
    assert remark.startswith("learned from 6 stars: reddening 1.040 of the map in 2 cells")


@pytest.mark.slow
def test_an_earlier_run_is_taken_as_it_is(calls, stars, tmp_path) -> None:
    """Of the same list with the same settings, whatever workers and chunks."""
    output = tmp_path / "mock.parquet"
    learn(stars, output, load_config())
    before = (tmp_path / "mock_learned.fits").read_bytes()
    other = load_config(None, {"run.workers": 2, "run.chunk_size": 1000, "run.realisations": 7})
    config, remark = learn(stars, output, other)
    assert len(calls) == 1
    assert "of an earlier run" in remark
    assert config.learn.file == str((tmp_path / "mock_learned.fits").resolve())
    assert (tmp_path / "mock_learned.fits").read_bytes() == before


@pytest.mark.slow
@pytest.mark.parametrize("what", ["list", "settings", "garbage"])
def test_that_of_another_run_is_refused(calls, stars, tmp_path, what) -> None:
    output, config = tmp_path / "mock.parquet", load_config()
    learn(stars, output, config)
    if what == "list":
        stars.write_text("another list")
    elif what == "settings":
        config = load_config(None, {"run.seed": 5})
    else:
        (tmp_path / "mock_learned.fits").write_text("mine")
    with pytest.raises(InputError, match=r"exists already, .*another list or with other settings"):
        learn(stars, output, config)
    assert len(calls) == 1
    if what == "garbage":
        # What gcmock did not write is never replaced.
        with pytest.raises(InputError, match="was not written by gcmock"):
            learn(stars, output, config, overwrite=True)
        return
    learn(stars, output, config, overwrite=True)
    assert len(calls) == 2
    assert load_learned(tmp_path / "mock_learned.fits").cell.size == 3


def test_same_list_same_bytes(calls, stars, tmp_path) -> None:
    for name in ("one", "other"):
        learn(stars, tmp_path / f"{name}.parquet", load_config())
    one, other = ((tmp_path / f"{name}_learned.fits").read_bytes() for name in ("one", "other"))
    assert one == other


@pytest.mark.slow
def test_a_list_that_teaches_nothing(monkeypatch, stars, tmp_path) -> None:
    def nothing(*given, **more):
        raise NothingToLearnError("stars.fits: 10 stars with Ks and J or H: expected at least 30")

    monkeypatch.setattr(module, "calibrate", nothing)
    monkeypatch.setattr(module, "find_limit", lambda *given: None)
    output = tmp_path / "mock.parquet"
    config, remark = learn(stars, output, load_config())
    assert remark.startswith("nothing was learned from the list (10 stars with Ks and J or H: ")
    assert "0.1 mag" in remark
    file = tmp_path / "mock_learned.fits"
    assert "10 stars" in fits.getheader(file)["GCMOCK"]
    assert load_learned(file).cell.size == 0
    assert config.learn.file == str(file.resolve())
    # And again: nothing is as good as something.
    assert "of an earlier run" in learn(stars, output, load_config())[1]
    found, same = learn_table(stars, load_config())
    assert found.cell.size == 0
    assert same == remark


def test_a_limit_that_shows_is_said_and_stored(monkeypatch, stars, tmp_path) -> None:
    def nothing(*given, **more):
        raise NothingToLearnError("stars.fits: has hw", zero_point_removed=True)

    asked = []
    limit = parse_limit("j-h > 2.2 +- 0.1")
    monkeypatch.setattr(module, "calibrate", nothing)
    monkeypatch.setattr(module, "find_limit", lambda *g: asked.append(g) or FoundLimit(limit, 12.0))
    config, remark = learn(stars, tmp_path / "mock.parquet", load_config())
    assert "taken as j-h > 2.2 +- 0.1 (ln L +12)" in remark
    assert load_learned(config.learn.file).limits == (limit,)
    assert load_learned(config.learn.file).zero_point_mas == GIVEN_ZERO_POINT_PRIOR[0]
    # Not where a limit in colour is given, or none is wanted.
    for settings in ({"limits": ["j-h > 2.1"]}, {"find": False}):
        given = load_config(None, {"selection": settings})
        assert learn_table(stars, given)[0].limits == ()
    assert len(asked) == 1


def test_in_memory(calls, stars) -> None:
    found, remark = learn_table(stars, load_config())
    assert found.cell.tolist() == [33, 34, 44]
    assert remark == in_words(calibration())


def test_words_say_what_was_found() -> None:
    weights = usual_weights()._replace(n_star=900)
    measured = usual_measurements()._replace(error_scale=np.full(3, 1.27))
    words = in_words(calibration(weights=weights, measurements=measured))
    assert "nuclear over bar stars 1.00 +- 0.00 of the model" in words
    assert "errors x 1.27" in words
    assert "5.5 % of the measurements not clean" in words
    assert "A_Ks/E(J-Ks) 0." in words
    assert "nuclear" not in in_words(calibration())


@pytest.mark.parametrize(("n", "said"), [(9.0, True), (11.0, False)])
def test_a_choice_of_stars_is_told(n, said) -> None:
    found = calibration()
    expected = np.full(found.n_observed.size, 100.0)
    chosen = dataclasses.replace(
        found, n_observed=np.full(found.n_observed.size, n), n_expected=expected
    )
    assert ("if they are a random part of them" in in_words(chosen)) == said


def made(tmp_path: Path, n: int, colours: bool) -> Path:
    rng = np.random.default_rng(1)
    table = Table({"l": 0.76 + 0.01 * rng.random(n), "b": -0.34 + 0.01 * rng.random(n)})
    table["phot_ks_mag"] = rng.uniform(11.0, 13.0, n)
    if colours:
        table["phot_h_mag"] = table["phot_ks_mag"] + 1.0
    table.write(tmp_path / "few.parquet")
    return tmp_path / "few.parquet"


@pytest.mark.parametrize(
    ("n", "colours", "reason"),
    [(10, True, "10 stars have Ks and J or H: expected at least 30"), (400, False, "has ks")],
)
def test_lists_that_are_too_short_or_have_no_colours(tmp_path, n, colours, reason) -> None:
    """Really read: the reason is said, and the prior is what is learned."""
    found, remark = learn_table(made(tmp_path, n, colours), load_config())
    assert remark.startswith("nothing was learned from the list (")
    assert reason in remark
    assert found.cell.size == 0
    assert found.weights[: len(COMPONENTS)].tolist() == [1.0] * len(COMPONENTS)
    place = np.array([0.76]), np.array([-0.34])
    e_jks, tau = found.reddening(ExtinctionMap.load(), *place, np.full(1, 2.0), np.zeros(1))
    assert e_jks[0] == 2.0
    assert tau[0] == pytest.approx(np.hypot(MAP_SCATTER_MAG, 0.1))


def test_another_table_of_the_same_file_is_another_list(calls, stars, tmp_path) -> None:
    learn(Path(f"{stars}[1]"), tmp_path / "mock.parquet", load_config())
    assert (
        "of an earlier run"
        in learn(Path(f"{stars}[1]"), tmp_path / "mock.parquet", load_config())[1]
    )
    for other in (stars, Path(f"{stars}[2]")):
        with pytest.raises(InputError, match="was learned from another list"):
            learn(other, tmp_path / "mock.parquet", load_config())
