from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from gcmock.cli.app import run

pytestmark = pytest.mark.long

pytest.importorskip("lsdb")

WINDOW = ("0.30", "0.38", "-0.30", "-0.22")
FILES = {"2mass": "2mass.csv", "virac2": "virac2.fits", "gaia": "gaia.csv"}


def as_hats(path, folder, name, margin):
    """Write a native table as a HATS collection with several partitions, with LSDB."""
    import lsdb
    from astropy.table import Table

    frame = Table.read(path).to_pandas()
    for column in frame.columns:
        if frame[column].dtype == object:
            frame[column] = [x.decode() if isinstance(x, bytes) else str(x) for x in frame[column]]
    dec = "de" if "de" in frame else "dec"
    catalogue = lsdb.from_dataframe(
        frame,
        catalog_name=name,
        ra_column="ra",
        dec_column=dec,
        lowest_order=8,
        highest_order=10,
        partition_rows=4000,
        margin_threshold=margin,
    )
    catalogue.write_catalog(folder / name)


@pytest.fixture(scope="module")
def surveys(tmp_path_factory):
    folder = tmp_path_factory.mktemp("hats") / "sky"
    words = ["simulate", "--surveys", ",".join(FILES), "-o", str(folder)]
    words += ["--l", *WINDOW[:2], "--b", *WINDOW[2:], "--ks-max", "16.5", "--seed", "4"]
    assert run(words) == 0
    for name, file in FILES.items():
        as_hats(folder / file, folder, name, 31.0)
    return folder


def write_config(folder, paths, extra=""):
    l0, l1, b0, b1 = WINDOW
    lines = [f"[window]\nl = [{l0}, {l1}]\nb = [{b0}, {b1}]\n[run]\nworkers = 2"]
    lines += [f'[[survey]]\nname = "{name}"\npath = "{path}"' for name, path in paths.items()]
    path = folder / "merge.toml"
    path.write_text("\n".join([*lines, extra]), encoding="utf-8")
    return path


def read(folder):
    parts = sorted(folder.glob("part-*.parquet"))
    table = pa.concat_tables([pq.read_table(part, partitioning=None) for part in parts])
    stars = {name: table.column(name).to_numpy() for name in table.column_names}
    order = np.argsort(stars["source_id"])
    return {name: values[order] for name, values in stars.items()}


def test_partitions_give_the_same_numbers_as_one_table(surveys, tmp_path):
    hats = write_config(surveys, {name: name for name in FILES})
    words = ["merge", str(hats), "-o", str(tmp_path / "hats"), "--scheduler", "local"]
    assert run(words) == 0
    plain = write_config(surveys, FILES)
    assert run(["merge", str(plain), "-o", str(tmp_path / "plain")]) == 0
    assert len(list((tmp_path / "hats").glob("part-*.parquet"))) > 3
    one, other = read(tmp_path / "hats"), read(tmp_path / "plain")
    assert len(one["ra"]) > 3000
    for name in one:
        np.testing.assert_array_equal(one[name], other[name], err_msg=name)
    summaries = [(tmp_path / f / "_summary.json").read_text() for f in ("hats", "plain")]
    assert summaries[0] == summaries[1]


def test_a_catalogue_without_margin_is_refused(surveys, tmp_path, capsys):
    as_hats(surveys / FILES["2mass"], tmp_path, "narrow", 5.0)
    path = write_config(surveys, {"2mass": tmp_path / "narrow"})
    words = ["merge", str(path), "-o", str(tmp_path / "out"), "--scheduler", "local"]
    assert run(words) == 2
    assert "a margin of 5 arcsec" in capsys.readouterr().err
    inner = next(
        p.parent
        for p in (tmp_path / "narrow").rglob("hats.properties")
        if "margin" not in str(p.parent.name)
    )
    path = write_config(surveys, {"2mass": inner})
    assert run(words) == 2
    error = capsys.readouterr().err
    assert "has no margin" in error
    assert "30 arcsec" in error
    assert not (tmp_path / "out").exists()


def test_a_plain_table_is_refused(surveys, tmp_path, capsys):
    path = write_config(surveys, {"2mass": FILES["2mass"]})
    words = ["merge", str(path), "-o", str(tmp_path / "out"), "--scheduler", "local"]
    assert run(words) == 2
    assert "not a HATS catalogue" in capsys.readouterr().err
