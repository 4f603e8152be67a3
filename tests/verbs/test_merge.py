"""merge: tables of surveys on disk and in memory."""

from __future__ import annotations

import astropy.units as u
import pytest
from astropy.table import Table

import gcmock
from gcmock.errors import InputError
from gcmock.settings.merge import MergeConfig
from gcmock.words.bands import BANDS, magnitude_name


@pytest.fixture(scope="module")
def sky(tmp_path_factory):
    """Native tables of two surveys of a small sky."""
    folder = tmp_path_factory.mktemp("merge") / "sky"
    gcmock.simulate(
        l=(0.3, 0.34), b=(-0.22, -0.18), ks_max=14.5, seed=4, surveys=["2mass", "virac2"],
        output=folder,
    )  # fmt: skip
    return folder


@pytest.mark.long
def test_files_and_tables_give_the_same(sky, tmp_path, shown):
    files = {name: next(sky.glob(f"{name}.*")) for name in ("2mass", "virac2")}
    surveys = [{"name": name, "path": str(path)} for name, path in files.items()]
    output = tmp_path / "catalogue.parquet"
    done = gcmock.merge({"survey": surveys}, output)
    shown(done, output, done.stars["stars"])
    virac2 = Table.read(files["virac2"])
    window = {"l": [0.3, 0.34] * u.deg, "b": (-0.22, -0.18)}
    found = gcmock.merge(survey={"2mass": files["2mass"], "virac2": virac2}, window=window)
    assert len(found) == done.stars["stars"]
    assert found["ra"].unit == u.deg
    assert {magnitude_name(band) for band in BANDS} <= {*found.colnames}
    assert '"stars"' in found.meta["gcmock"]["summary"]
    model = gcmock.build(found[:5], seed=1, no_learn=True)
    assert len(model) == 5


@pytest.mark.parametrize(
    ("config", "options", "words"),
    [
        (None, {}, "no survey is given"),
        (3, {}, "config: expected a TOML file, a mapping or a MergeConfig, got int"),
        (None, {"survey": {"ukidss": "a.fits"}}, "survey"),
        (None, {"survey": {"gaia": "a.fits"}, "keep_rejected": True}, "need an output"),
        (None, {"survey": {"gaia": "a.fits"}, "windw": {}}, "did you mean 'window'"),
        (None, {"survey": {"gaia": "a.fits"}, "window": {"l": 3}}, "window.l = 3: expected two"),
        (None, {"survey": {"gaia": 3}}, "expected an astropy Table"),
        (
            {"match": {"rule": "pilot"}},
            {"survey": {"2mass": "a.fits"}},
            r"\[match\] rule = 'pilot'",
        ),
    ],
)
def test_errors(config, options, words):
    with pytest.raises(InputError, match=words):
        gcmock.merge(config, **options)


def test_settings_as_an_object():
    config = MergeConfig(survey=({"name": "2mass", "path": "no_such_file.fits"},))
    with pytest.raises(InputError, match=r"no_such_file.fits: no such file"):
        gcmock.merge(config)
