"""`gcmock solve` and `gcmock compare`: the loop through files, references, bad input."""

from __future__ import annotations

import json
import shutil

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from catalogues import true_stars, write_catalogue

from gcmock import cli
from gcmock.astrometry.observations.folder import PARAMETERS, open_observations
from gcmock.astrometry.solver.assembly import MIN_STARS, MIN_VISITS
from gcmock.astrometry.solver.priors import load_references, moved_sources
from gcmock.astrometry.solver.problem import source_shift
from gcmock.astrometry.solver.solution import covariance_matrices, open_solution

pytestmark = pytest.mark.slow

SETTINGS = ("calibration.block_days=120", "reference.g_max=15.5")
OPTIONS = ("--visits", 150, "--set", *SETTINGS, "--primaries-max", 12.0)


def run(*arguments):
    return cli.run([str(a) for a in arguments])


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("loop")


@pytest.fixture(scope="module")
def mock(folder):
    stars = true_stars(1200, seed=3)
    stars["component"] = np.where(np.arange(1200) % 3 == 0, "bar", "nsd")
    stars["pmra"] += np.where(stars["component"] == "bar", 12.0, 0.0)
    return write_catalogue(folder / "mock.parquet", stars)


@pytest.fixture(scope="module")
def noisy(folder, mock):
    assert run("observe", mock, "-o", folder / "noisy", *OPTIONS) == 0
    return folder / "noisy"


@pytest.fixture(scope="module")
def exact(folder, mock):
    options = ("--noise-free", "--aberration", "--deflection")
    assert run("observe", mock, "-o", folder / "exact", *OPTIONS, *options) == 0
    return folder / "exact"


@pytest.fixture(scope="module")
def solution(folder, noisy):
    assert run("solve", noisy, "-o", folder / "solution") == 0
    return folder / "solution"


def truth_at(observations, epoch):
    truth = open_observations(observations).table("truth/sources.parquet")
    values = np.column_stack([truth[name] for name in PARAMETERS])
    moved = moved_sources(values, truth["radial_velocity"], epoch - truth["ref_epoch"])
    return dict(zip(truth["source_id"].tolist(), moved, strict=True))


def edited(path, change):
    """Rewrite a Parquet table; its metadata stay."""
    table = pq.read_table(path)
    columns = {
        name: table[name].to_numpy(zero_copy_only=False).copy() for name in table.column_names
    }
    changed = change(columns) or columns
    arrays = [pa.array(changed[f.name], type=f.type) for f in table.schema]
    pq.write_table(pa.Table.from_arrays(arrays, schema=table.schema), path)


@pytest.fixture
def copy(noisy, tmp_path):
    return shutil.copytree(noisy, tmp_path / "copy")


@pytest.mark.long
def test_noise_free_files_give_the_truth(exact, tmp_path):
    assert run("solve", exact, "-o", tmp_path / "s", "--reference", "exact") == 0
    found = open_solution(tmp_path / "s")
    stars = found.table("sources.parquet")
    truth = truth_at(exact, found.account["ref_epoch"])
    true = np.array([truth[i] for i in stars["source_id"].tolist()])
    error = source_shift(np.column_stack([stars[name] for name in PARAMETERS]), true)
    assert stars["primary"].any()
    assert not stars["primary"].all()
    # Secondary stars have no radial velocity; perspective acceleration is 0.001 micro-arcsec.
    assert np.abs(error).max() < 1e-5
    assert found.account["chi2_per_freedom"] < 1e-9


def test_noisy_solution_has_the_right_errors(noisy, solution):
    found = open_solution(solution)
    account, stars = found.account, found.table("sources.parquet")
    freedom = account["n_freedom"]
    assert abs(account["chi2"] / freedom - 1.0) < 4.0 * np.sqrt(2.0 / freedom)
    truth = truth_at(noisy, account["ref_epoch"])
    true = np.array([truth[i] for i in stars["source_id"].tolist()])
    error = source_shift(np.column_stack([stars[name] for name in PARAMETERS]), true)
    inverse = np.linalg.inv(covariance_matrices(stars))
    chi2 = np.einsum("ni,nij,nj->n", error, inverse, error)
    for chosen in (stars["primary"], ~stars["primary"]):
        n = 5 * chosen.sum()
        assert chosen.sum() > 100
        # Stars are correlated: more scatter than sqrt(2 / n).
        assert abs(chi2[chosen].sum() / n - 1.0) < 0.15
    assert set(np.unique(stars["used_reference"])) == {False, True}
    assert (stars["n_visits"] >= 1).all()


def test_files_and_account_are_complete(solution):
    found = open_solution(solution)
    account = found.account
    attitude, calibration = found.table("attitude.parquet"), found.table("calibration.parquet")
    assert len(attitude["visit"]) == account["n_visit"]
    assert len(calibration["block"]) == account["n_block"] * account["n_term"]
    assert (calibration["coefficient_error"] > 0).all()
    assert (attitude["rotation_x_error"] > 0).all()
    assert [mode["name"] for mode in account["modes"]][:3] == [
        "offset_ra",
        "offset_dec",
        "rotation",
    ]
    assert account["memory_peak_gb"] > 0
    assert account["n_reduced"] == 3 * account["n_visit"] + 17 * account["n_block"]
    schema = pq.read_schema(solution / "sources.parquet")
    assert schema.field("parallax_error").metadata[b"unit"] == b"mas"


@pytest.mark.long
def test_orders_agree_through_files(noisy, solution, tmp_path):
    assert run("solve", noisy, "-o", tmp_path / "s", "--order", "instrument") == 0
    a, b = (open_solution(p).table("sources.parquet") for p in (solution, tmp_path / "s"))
    for name in ("parallax", "pmra", "parallax_error", "pmdec_error", "ra_dec_corr"):
        np.testing.assert_allclose(a[name], b[name], rtol=1e-6, atol=1e-7)


def test_solution_without_references(noisy, tmp_path, capsys):
    arguments = ("--reference", "none", "--no-secondaries")
    assert run("solve", noisy, "-o", tmp_path / "s", *arguments) == 0
    account = open_solution(tmp_path / "s").account
    free = [mode["name"] for mode in account["modes"] if mode["error"] is None]
    assert free[:6] == ["offset_ra", "offset_dec", "rotation", "motion_ra", "motion_dec", "spin"]
    assert "scale" in free  # the distortion has linear terms
    assert "parallax" not in free
    assert account["n_secondary"] == 0
    printed = capsys.readouterr().out
    assert "start values" in printed
    assert abs(account["chi2_per_freedom"] - 1.0) < 0.1


def test_reference_file(noisy, solution, tmp_path):
    path = tmp_path / "gaia.parquet"
    shutil.copy(noisy / "reference_gaia_like.parquet", path)
    assert run("solve", noisy, "-o", tmp_path / "s", "--reference", path) == 0
    a, b = (open_solution(p).table("sources.parquet") for p in (solution, tmp_path / "s"))
    np.testing.assert_array_equal(a["parallax"], b["parallax"])


@pytest.mark.long
def test_compare(mock, solution, tmp_path, capsys):
    out = tmp_path / "c"
    assert run("compare", solution, mock, "-o", out) == 0
    printed = capsys.readouterr().out
    assert "jointly: attitude and distortion" in printed
    assert "nuclear stellar disc by" in printed
    account = json.loads((out / "comparison.json").read_text())
    joint = account["joint_chi2"]
    for name, n in (("all_unknowns", "n_unknown"), ("shared", "n_shared")):
        assert abs(joint[name] / joint[n] - 1.0) < 4.0 * np.sqrt(2.0 / joint[n])
        assert joint[f"{name.removesuffix('_unknowns')}_without_modes"] <= joint[name]
    for mode in account["common_modes"]:
        assert abs(mode["primary_stars"]) < 5.0 * mode["primary_stars_error"]
    assert all(0.8 < row["std_as_is"] < 1.2 for row in account["pulls"])
    table = pq.read_table(out / "by_magnitude.parquet").to_pydict()
    assert sum(table["n_star"]) == account["n_star"]
    np.testing.assert_allclose(table["parallax_formal"], table["parallax_robust"], rtol=0.5)
    separation = pq.read_table(out / "separation.parquet").to_pydict()
    # The bar of this catalogue moves 12 mas/yr, three standard deviations, away from the disc.
    assert min(separation["found_50"][2:]) > 0.8
    assert min(separation["purity_50"][2:]) > 0.8
    for name in ("comparison.png", "comparison.pdf", "errors.parquet", "map.parquet"):
        assert (out / name).stat().st_size > 1000
    assert run("compare", solution, mock, "-o", out) == 2  # exists
    assert run("compare", solution, mock, "-o", out, "--overwrite") == 0


def test_compare_without_the_observations(mock, solution, tmp_path, capsys):
    moved = shutil.copytree(solution, tmp_path / "s")
    account = json.loads((moved / "solution.json").read_text())
    account["observations"] = str(tmp_path / "gone")
    (moved / "solution.json").write_text(json.dumps(account))
    assert run("compare", moved, mock) == 0
    assert "jointly" not in capsys.readouterr().out


@pytest.mark.long
@pytest.mark.parametrize("kind", ["huber", "agis"])
def test_robust_solution_of_outliers(mock, tmp_path, kind):
    options = (*OPTIONS[:2], "--set", *SETTINGS, "outliers.fraction=0.02", *OPTIONS[-2:])
    assert run("observe", mock, "-o", tmp_path / "o", *options) == 0
    pulls = {}
    for robust in ("none", kind):
        output = tmp_path / robust
        assert run("solve", tmp_path / "o", "-o", output, "--robust", robust) == 0
        found = open_solution(output)
        stars = found.table("sources.parquet")
        truth = truth_at(tmp_path / "o", found.account["ref_epoch"])
        true = np.array([truth[i] for i in stars["source_id"].tolist()])
        errors = np.column_stack([stars[f"{name}_error"] for name in PARAMETERS])
        pull = source_shift(np.column_stack([stars[name] for name in PARAMETERS]), true) / errors
        pulls[robust] = pull[~stars["used_reference"]].std()
    assert pulls["none"] > 2.0
    assert pulls[kind] < 1.3


# ---- bad input: named, and nothing is left behind -------------------------------------------


def refused(capsys, tmp_path, arguments, *words):
    before = sorted(p.name for p in tmp_path.iterdir())
    assert run(*arguments) == 2
    error = capsys.readouterr().err
    assert error.startswith("gcmock: error: ")
    assert "Traceback" not in error
    assert [word for word in words if word not in error] == []
    assert sorted(p.name for p in tmp_path.iterdir()) == before


@pytest.mark.parametrize(
    "name",
    ["visits.parquet", "sources.parquet", "mission.toml", "provenance.json", "observations",
     "reference_gaia_like.parquet"],
)  # fmt: skip
def test_missing_file(copy, tmp_path, capsys, name):
    path = copy / name
    shutil.rmtree(path) if path.is_dir() else path.unlink()
    refused(capsys, tmp_path, ("solve", copy, "-o", tmp_path / "s"), name)


def test_no_references(copy, tmp_path, capsys):
    edited(copy / "reference_gaia_like.parquet", lambda t: {k: v[:0] for k, v in t.items()})
    refused(capsys, tmp_path, ("solve", copy, "-o", tmp_path / "s"), "no rows")


def test_references_that_are_not_observed(copy, tmp_path, capsys):
    def strangers(table):
        table["source_id"] += 10**12

    edited(copy / "reference_gaia_like.parquet", strangers)
    words = ("no primary star", "--reference none")
    refused(capsys, tmp_path, ("solve", copy, "-o", tmp_path / "s"), *words)


def test_references_that_are_no_covariance(copy, tmp_path, capsys):
    def broken(table):
        table["ra_dec_corr"][3] = 1.5

    edited(copy / "reference_gaia_like.parquet", broken)
    refused(capsys, tmp_path, ("solve", copy, "-o", tmp_path / "s"), "ra_dec_corr = 1.5 in row 3")


def parts(folder):
    return sorted((folder / "observations").iterdir())


def test_star_seen_once(copy, tmp_path, capsys):
    references = set(pq.read_table(copy / "reference_gaia_like.parquet")["source_id"].to_pylist())
    seen = np.concatenate([pq.read_table(p)["source_id"].to_numpy() for p in parts(copy)])
    ids, counts = np.unique(seen, return_counts=True)
    star = next(i for i, n in zip(ids, counts) if n > MIN_VISITS and i not in references)

    def once(table):
        rows = np.flatnonzero(table["source_id"] == star)
        keep = np.setdiff1d(np.arange(len(table["visit"])), rows[1:])
        return {name: values[keep] for name, values in table.items()}

    for path in parts(copy):
        edited(path, once)
    assert run("solve", copy, "-o", tmp_path / "s") == 0
    solved = open_solution(tmp_path / "s")
    assert star not in solved.table("sources.parquet")["source_id"]
    assert any(f"fewer than {MIN_VISITS} visits" in r for r in solved.account["remarks"])
    assert "fewer than" in capsys.readouterr().out


def test_visit_with_two_stars(copy, tmp_path, capsys):
    primary = pq.read_table(copy / "sources.parquet").to_pandas()
    ids = primary["source_id"][primary["primary"]].to_numpy()

    def two(table):
        rows = np.flatnonzero((table["visit"] == 7) & np.isin(table["source_id"], ids))
        keep = np.setdiff1d(np.arange(len(table["visit"])), rows[2:])
        return {name: values[keep] for name, values in table.items()}

    for path in parts(copy):
        edited(path, two)
    assert run("solve", copy, "-o", tmp_path / "s") == 0
    solved = open_solution(tmp_path / "s")
    assert 7 not in solved.table("attitude.parquet")["visit"]
    remark = next(r for r in solved.account["remarks"] if "visits with fewer" in r)
    assert f"fewer than {MIN_STARS} primary stars" in remark
    assert "visit 7" in remark


def test_singular_block(copy, tmp_path):
    """A block whose visits see four stars each cannot determine 17 terms."""
    visits = pq.read_table(copy / "visits.parquet").to_pandas()
    inside = visits["visit"][visits["block"] == 1].to_numpy()

    def few(table):
        keep = np.ones(len(table["visit"]), bool)
        for visit in inside:
            rows = np.flatnonzero(table["visit"] == visit)
            keep[rows] = False
            if visit == inside[0]:
                keep[rows[:: max(len(rows) // 9, 1)]] = True
        return {name: values[keep] for name, values in table.items()}

    for path in parts(copy):
        edited(path, few)
    assert run("solve", copy, "-o", tmp_path / "s") == 0
    solved = open_solution(tmp_path / "s")
    assert 1 not in solved.table("calibration.parquet")["block"]
    assert any(
        ("calibration blocks whose stars do not determine" in r and "block 1" in r)
        or "visits with fewer" in r
        for r in solved.account["remarks"]
    )


def test_bad_errors_are_named(copy, tmp_path, capsys):
    def zero(table):
        table["x_error"][5] = 0.0

    edited(parts(copy)[0], zero)
    refused(capsys, tmp_path, ("solve", copy, "-o", tmp_path / "s"), "x_error", "source_id")


def test_nothing_left(copy, tmp_path, capsys):
    refused(
        capsys, tmp_path, ("solve", copy, "-o", tmp_path / "s", "--primary-limit", 10.05), "left"
    )


def test_memory_limit(noisy, tmp_path, capsys):
    arguments = ("solve", noisy, "-o", tmp_path / "s", "--memory-limit", 0.1)
    refused(capsys, tmp_path, arguments, "GB", "--primary-limit", "--no-secondaries")


def test_output_exists(noisy, solution, tmp_path, capsys):
    refused(capsys, tmp_path, ("solve", noisy, "-o", solution), "exists already")
    refused(capsys, tmp_path, ("solve", noisy, "-o", noisy, "--overwrite"), "read by this command")


def test_mock_without_parallax(solution, tmp_path, capsys):
    path = write_catalogue(tmp_path / "m.parquet", true_stars(1200, seed=3), "parallax")
    refused(capsys, tmp_path, ("compare", solution, path), "parallax", "true astrometry")


def test_another_mock(solution, tmp_path, capsys):
    path = write_catalogue(tmp_path / "m.parquet", true_stars(30, seed=8))
    refused(capsys, tmp_path, ("compare", solution, path), "lacks", "source_id")


def test_not_a_solution(mock, noisy, tmp_path, capsys):
    refused(capsys, tmp_path, ("compare", noisy, mock), "is not a solution", "gcmock solve")


def test_interrupt_leaves_nothing(noisy, tmp_path, monkeypatch, capsys):
    def interrupted(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr("gcmock.astrometry.solver.solve.solve_secondaries", interrupted)
    assert run("solve", noisy, "-o", tmp_path / "s") == 130
    assert list(tmp_path.iterdir()) == []
    assert "interrupted" in capsys.readouterr().err


# ---- references and plans ------------------------------------------------------------------


def test_exact_references_are_the_stars_that_gaia_sees(noisy):
    folder = open_observations(noisy)
    listed = folder.table("reference_gaia_like.parquet")["source_id"]
    found = load_references("exact", folder, 2033.5)
    np.testing.assert_array_equal(np.sort(listed), found.source_id)


@pytest.mark.long
def test_the_iterative_solver_writes_the_same_files(folder, noisy, solution, capsys):
    output = folder / "iterative"
    assert run("solve", noisy, "-o", output, "--solver", "iterative") == 0
    assert "solver iterative" in capsys.readouterr().out
    direct, iterative = open_solution(solution), open_solution(output)
    assert iterative.account["solver"] == "iterative"
    assert direct.account["solver"] == "direct"
    a, b = direct.stars(), iterative.stars()
    for name in ("source_id", "n_visits", "primary", "used_reference", "phot_hw_mag"):
        np.testing.assert_array_equal(a[name], b[name])
    for name in PARAMETERS[2:]:
        assert np.abs((a[name] - b[name]) / a[f"{name}_error"]).max() < 1e-4
    primary = a["primary"]
    for name in PARAMETERS:
        ratio = b[f"{name}_error"][primary] / a[f"{name}_error"][primary]
        assert (
            np.abs(ratio - 1.0).max()
            < 1.5 * iterative.account["iterative"]["covariance_accuracy"]["largest"] + 1e-3
        )
    np.testing.assert_allclose(a["chi2"], b["chi2"], rtol=1e-3)
    for name in ("attitude.parquet", "calibration.parquet"):
        assert set(direct.table(name)) == set(iterative.table(name))
    assert iterative.account["remarks"] == direct.account["remarks"]
    assert iterative.account["n_freedom"] == direct.account["n_freedom"]
