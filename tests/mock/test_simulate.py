"""Stars from the model alone: counts, distributions, limits, determinism, the mock survey."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
from scipy.stats import ks_2samp, kstest

from gcmock.errors import InputError, OutsideModelError
from gcmock.io.metadata import read_metadata
from gcmock.io.observed import read_observed
from gcmock.mock.simulate import simulate, simulate_to_file
from gcmock.mock.survey import survey
from gcmock.model import Model, load_model
from gcmock.settings.build import Config, load_config
from gcmock.words.columns import TRUTH_COLUMNS
from gcmock.words.components import COMPONENTS

FIELDS = {"T1": (0.30, -0.25), "T2": (-0.75, 0.40), "T3": (0.0, -0.15), "T4": (-1.2, -0.5),
          "T5": (0.55, 0.2)}  # fmt: skip
FIELD_DEG = 0.05


def make_config(**settings: object) -> Config:
    values = {"populations.name": "koshimoto2021", "extinction.residual_scatter_mag": 0.0}
    return load_config(None, values | settings)


@pytest.fixture(scope="module")
def genstars_model() -> Model:
    return load_model(config=make_config())


@pytest.fixture(scope="module")
def model() -> Model:
    return load_model()


@pytest.fixture(scope="module")
def stars(model: Model) -> dict[str, np.ndarray]:
    return simulate(model, (-0.06, 0.06), (0.5, 0.6), ks_max=15.0, seed=3)


def test_columns_and_limits(stars: dict[str, np.ndarray]) -> None:
    assert list(stars) == [column.name for column in TRUTH_COLUMNS]
    assert {len(values) for values in stars.values()} == {len(stars["l"])}
    assert stars["phot_ks_mag"].max() < 15.0
    assert stars["l"].min() >= -0.06
    assert stars["l"].max() < 0.06
    assert stars["b"].min() >= 0.5
    assert stars["b"].max() < 0.6
    assert stars["source_id"].dtype == np.int64
    assert np.unique(stars["source_id"]).size == stars["source_id"].size
    assert (stars["a_ks"] >= 0.0).all()
    for column in TRUTH_COLUMNS:
        if column.dtype[0] != "U":
            assert np.isfinite(stars[column.name]).all(), column.name
    np.testing.assert_allclose(stars["parallax"], 1000.0 / stars["distance_pc"])


def test_one_star_is_consistent(model: Model, stars: dict[str, np.ndarray]) -> None:
    np.testing.assert_allclose(
        stars["phot_hw_mag"], model.relations["hw"].mag(stars["phot_j_mag"], stars["phot_h_mag"])
    )
    x, y, z = model.galaxy.position(stars["l"], stars["b"], stars["distance_pc"])
    np.testing.assert_allclose(np.array([x, y, z]), [stars[f"{a}_pc"] for a in "xyz"])
    velocity = np.column_stack([stars[f"v{a}"] for a in "xyz"])
    seen = model.galaxy.observables(stars["l"], stars["b"], stars["distance_pc"], velocity)
    np.testing.assert_allclose(
        np.hypot(stars["pmra"], stars["pmdec"]), np.hypot(seen.pm_l_cosb, seen.pm_b)
    )


@pytest.mark.slow
@pytest.mark.parametrize("map_value", ["subcell", "subcell_mean"])
def test_counts_are_those_expected(map_value: str) -> None:
    """By component and magnitude, with the scatter of the reddening, in a window off the cells."""
    config = make_config(
        **{"extinction.map_value": map_value, "extinction.residual_scatter_mag": 0.2}
    )
    model = load_model(config=config)
    stars = simulate(model, (0.4, 0.6), (-0.3, -0.1), ks_max=15.0, seed=5)
    centre = (np.arange(8) + 0.5) * 0.025
    l_deg, b_deg = (a.ravel() for a in np.meshgrid(0.4 + centre, -0.3 + centre))
    edges = np.array([-np.inf, 12.0, 13.0, 14.0, 15.0])
    expected = model.expected_counts(
        l_deg, b_deg, "ks", edges, 0.025**2, subcells=map_value == "subcell"
    ).sum(axis=0)
    found = np.array(
        [np.histogram(stars["phot_ks_mag"][stars["component"] == c], edges)[0] for c in COMPONENTS]
    )
    enough = expected > 10.0
    pull = (found - expected)[enough] / np.sqrt(expected[enough])
    assert np.abs(pull).max() < 4.0
    assert abs((pull**2).sum() - pull.size) < 4.0 * np.sqrt(2.0 * pull.size)
    assert abs(found.sum() - expected.sum()) < 3.5 * np.sqrt(expected.sum())


def test_distributions_of_genstars(genstars_model: Model, shared_dir: Path) -> None:
    table = pq.read_table(shared_dir / "reference" / "stars_subcell.parquet")
    field = np.array(table["field"].to_pylist())
    for name, (l0, b0) in FIELDS.items():
        stars = simulate(genstars_model, (l0, l0 + FIELD_DEG), (b0, b0 + FIELD_DEG), seed=2)
        kept = stars["phot_ks_mag"] > 6.0
        for column in ("phot_ks_mag", "phot_j_mag", "phot_h_mag", "distance_pc", "a_ks"):
            ours, theirs = stars[column][kept], table[column].to_numpy()[field == name]
            if column == "distance_pc":
                # genstars draws on a grid of 25 pc, which widens the nuclear cluster (5.9 pc).
                ours, theirs = (np.round(values / 50.0) for values in (ours, theirs))
            assert ks_2samp(ours, theirs).pvalue > 1e-3, (name, column)


def test_counts_of_genstars(genstars_model: Model, shared_dir: Path) -> None:
    """By component and field: within 2 % and the Poisson scatter of both lists."""
    table = pq.read_table(shared_dir / "reference" / "stars_subcell.parquet").to_pydict()
    field, component = np.array(table["field"]), np.array(table["component"])
    n_ours = n_theirs = 0
    for name, (l0, b0) in FIELDS.items():
        stars = simulate(genstars_model, (l0, l0 + FIELD_DEG), (b0, b0 + FIELD_DEG), seed=2)
        # genstars starts at Ks = 6, and counts the nuclear cluster with the nuclear disc.
        kept = stars["component"][stars["phot_ks_mag"] > 6.0]
        ours = Counter(np.where(kept == "nsc", "nsd", kept).tolist())
        theirs = Counter(component[field == name].tolist())
        assert ours.keys() == theirs.keys()
        for group, n in theirs.items():
            allowed = 4.0 * np.sqrt(n + ours[group]) + 0.02 * n
            assert abs(ours[group] - n) < allowed, (name, group)
        n_ours, n_theirs = n_ours + ours.total(), n_theirs + theirs.total()
    assert abs(n_ours - n_theirs) < 3.0 * np.sqrt(n_ours + n_theirs) + 0.02 * n_theirs


@pytest.mark.slow
def test_workers_and_windows_do_not_matter(model: Model, stars: dict[str, np.ndarray]) -> None:
    again = simulate(model, (-0.06, 0.06), (0.5, 0.6), ks_max=15.0, seed=3, workers=3)
    for name, values in stars.items():
        np.testing.assert_array_equal(values, again[name], err_msg=name)
    part = simulate(model, (359.99, 0.03), (0.55, 0.58), ks_max=15.0, seed=3)
    inside = (stars["l"] >= -0.01) & (stars["l"] < 0.03)
    inside &= (stars["b"] >= 0.55) & (stars["b"] < 0.58)
    order, theirs = np.argsort(part["source_id"]), np.argsort(stars["source_id"][inside])
    for name in ("source_id", "distance_pc", "pmra"):
        np.testing.assert_array_equal(part[name][order], stars[name][inside][theirs])
    other = simulate(model, (-0.06, 0.06), (0.5, 0.6), ks_max=15.0, seed=4)
    assert not np.isin(other["distance_pc"], stars["distance_pc"]).any()


def test_positions_are_uniform(stars: dict[str, np.ndarray]) -> None:
    """Inside the map's sub-cells, in l and sin b."""
    assert kstest((stars["l"] / 0.005) % 1.0, "uniform").pvalue > 1e-3
    assert kstest((stars["b"] / 0.005) % 1.0, "uniform").pvalue > 1e-3


def test_progress(model: Model) -> None:
    seen: list[tuple[int, int]] = []
    simulate(
        model, (1.0, 1.1), (1.0, 1.12), ks_max=12.0, progress=lambda done, n: seen.append((done, n))
    )
    assert seen[-1] == (20, 20)
    assert [done for done, _ in seen] == sorted(done for done, _ in seen)


def test_outside_is_its_own_error_and_limit_is_checked(model: Model) -> None:
    with pytest.raises(OutsideModelError):
        simulate(model, (20.0, 21.0), (0.0, 0.1))
    with pytest.raises(InputError, match="ks_max"):
        simulate(model, (0.0, 0.1), (0.0, 0.1), ks_max=np.nan)


def test_survey_with_another_detection_probability(
    model: Model, stars: dict[str, np.ndarray], tmp_path: Path
) -> None:
    def west_only(l_deg: np.ndarray, b_deg: np.ndarray, mag: np.ndarray) -> np.ndarray:
        assert b_deg.shape == l_deg.shape
        fraction = np.where(l_deg < 0.0, 1.0, 0.0)[:, None] * np.array([0.5, 1.0, 1.0])
        return fraction * (mag < 14.0)

    seen = survey(stars, detection=west_only)
    expected = (stars["l"] < 0.0) & (stars["phot_ks_mag"] < 14.0)
    assert seen["source_id"].tolist() == stars["source_id"][expected].tolist()
    bright = stars["phot_j_mag"][expected] < 14.0
    fraction = np.isfinite(seen["phot_j_mag"][bright]).mean()
    assert fraction == pytest.approx(0.5, abs=4 * 0.5 / np.sqrt(bright.sum()))
    output = tmp_path / "survey.parquet"
    window = (-0.06, 0.06), (0.5, 0.6)
    n_rows = simulate_to_file(
        output, *window, model.config, ks_max=15.0, seed=3, survey=True,
        detection=("a map", west_only),
    )  # fmt: skip
    assert n_rows == expected.sum()
    assert read_metadata(output)["completeness"] == "a map"


def test_to_file(tmp_path: Path) -> None:
    config = make_config()
    output = tmp_path / "sky.parquet"
    window = ((0.3, 0.34), (0.3, 0.34))
    n = simulate_to_file(output, *window, config, ks_max=13.0, seed=7)
    table = pq.read_table(output)
    expected = simulate(load_model(config=config), *window, ks_max=13.0, seed=7)
    assert table.num_rows == n == expected["l"].size
    np.testing.assert_array_equal(table["distance_pc"].to_numpy(), expected["distance_pc"])
    metadata = read_metadata(output)
    assert metadata["seed"] == "7"
    assert "koshimoto2021" in metadata["config"]
    with pytest.raises(InputError, match="exists already"):
        simulate_to_file(output, *window, config, ks_max=13.0)


@pytest.mark.parametrize("suffix", [".parquet", ".fits", ".ecsv", ".vot"])
def test_survey_to_file(tmp_path: Path, suffix: str) -> None:
    output = tmp_path / f"survey{suffix}"
    config = make_config()
    n = simulate_to_file(
        output, (0.3, 0.32), (0.3, 0.32), config, ks_max=14.0, survey=True, workers=2
    )
    catalogue = read_observed(output, config)
    assert catalogue.n_rows == n > 10
    (observed,) = catalogue.chunks()
    assert np.isfinite(observed.mag[:, 2]).all()
    assert (tmp_path / f"survey_truth{suffix}").exists()


@pytest.mark.long
@pytest.mark.parametrize("workers", [1, 2])
def test_survey_to_folder(tmp_path: Path, workers: int) -> None:
    """Partitions of fixed size with the rows of the file, in an order that does not jump."""
    config = make_config(**{"run.partition_size": 100})
    window = ((0.3, 0.4), (0.3, 0.4))
    kinds = {"ks_max": 13.5, "seed": 4, "survey": True, "workers": workers}
    n = simulate_to_file(tmp_path / "sky", *window, config, **kinds)
    simulate_to_file(tmp_path / "sky.parquet", *window, config, **kinds)
    assert n > 200
    for name in ("sky", "sky_truth"):
        found, expected = (
            pq.read_table(tmp_path / name),
            pq.read_table(tmp_path / f"{name}.parquet"),
        )
        for column in expected.column_names:
            np.testing.assert_array_equal(found[column].to_numpy(), expected[column].to_numpy())
        parts = sorted((tmp_path / name).glob("part-*.parquet"))
        sizes = [pq.ParquetFile(part).metadata.num_rows for part in parts]
        assert sizes[:-1] == [100] * (len(sizes) - 1)
        assert sum(sizes) == expected.num_rows
    truth = pq.read_table(tmp_path / "sky_truth")
    cell = np.floor(truth["l"].to_numpy() / 0.025) * 1000 + np.floor(truth["b"].to_numpy() / 0.025)
    assert (np.diff(cell) >= 0).all()
    catalogue = read_observed(tmp_path / "sky", config)
    assert catalogue.n_rows == n
    with pytest.raises(InputError, match="exists already"):
        simulate_to_file(tmp_path / "sky", *window, config, **kinds)
    simulate_to_file(tmp_path / "sky", *window, config, **kinds | {"seed": 5}, overwrite=True)
    assert read_metadata(tmp_path / "sky" / "part-00000.parquet")["seed"] == "5"


def test_foreign_folders_are_not_replaced(tmp_path: Path) -> None:
    (tmp_path / "sky").mkdir()
    (tmp_path / "sky" / "thesis.tex").write_text("precious")
    with pytest.raises(InputError, match="gcmock did not write"):
        simulate_to_file(
            tmp_path / "sky", (0.3, 0.32), (0.3, 0.32), make_config(), ks_max=13.0, overwrite=True
        )
    assert (tmp_path / "sky" / "thesis.tex").exists()


@pytest.mark.parametrize("name", ["a.fits", "a"])
def test_failed_run_leaves_nothing(tmp_path: Path, name: str) -> None:
    def stop(done: int, total: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        simulate_to_file(
            tmp_path / name, (0.3, 0.32), (0.3, 0.32), make_config(), ks_max=13.0, progress=stop
        )
    assert list(tmp_path.iterdir()) == []
