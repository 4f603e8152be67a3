"""Nothing that is read, and nothing that others wrote, is ever replaced."""

from __future__ import annotations

import os

import pytest
from astropy.table import Table

from gcmock.errors import InputError
from gcmock.io.ownership import (
    check_apart,
    check_replaceable,
    foreign_files,
    is_log,
    is_own_file,
    write_account,
)
from gcmock.io.writers.writer import open_writer
from gcmock.words.columns import SOURCE_ID


@pytest.mark.parametrize("suffix", [".parquet", ".fits", ".vot", ".ecsv"])
def test_tables_of_gcmock_are_known_as_its_own(tmp_path, suffix):
    own = tmp_path / f"own{suffix}"
    with open_writer(own, [SOURCE_ID], {"gcmock_version": "0", "seed": "1"}) as writer:
        writer.write({"source_id": [1, 2, 3]})
    assert is_own_file(own)
    check_replaceable(own, overwrite=True)
    with pytest.raises(InputError, match="--overwrite"):
        check_replaceable(own, overwrite=False)


@pytest.mark.parametrize("suffix", [".parquet", ".fits", ".vot", ".ecsv", ".csv", ".txt"])
def test_tables_of_others_are_not_replaced(tmp_path, suffix):
    path = tmp_path / f"mine{suffix}"
    if suffix == ".txt":
        path.write_text("my thesis on gcmock", encoding="utf-8")
    else:
        Table({"source_id": [1]}).write(path, format="votable" if suffix == ".vot" else None)
    assert not is_own_file(path)
    with pytest.raises(InputError, match="not written by gcmock"):
        check_replaceable(path, overwrite=True)


def test_folders(tmp_path):
    folder = tmp_path / "product"
    folder.mkdir()
    check_replaceable(folder, overwrite=False)
    (folder / "2mass.csv").write_text("ra,dec\n", encoding="utf-8")
    write_account(folder)
    check_replaceable(folder, overwrite=True)
    (folder / "figures").mkdir()
    check_replaceable(folder, overwrite=True)
    (folder / "figures" / "mine.png").write_bytes(b"\x89PNG mine")
    assert [p.name for p in foreign_files(folder)] == ["mine.png"]
    with pytest.raises(InputError, match=r"figures/mine\.png"):
        check_replaceable(folder, overwrite=True)


def test_links_are_nobodys(tmp_path):
    precious = tmp_path / "precious.txt"
    precious.write_text("data", encoding="utf-8")
    folder = tmp_path / "product"
    folder.mkdir()
    write_account(folder)
    (folder / "data").symlink_to(precious)
    with pytest.raises(InputError, match="did not write"):
        check_replaceable(folder, overwrite=True)
    dangling = tmp_path / "dangling.parquet"
    dangling.symlink_to(tmp_path / "nowhere.parquet")
    with pytest.raises(InputError, match="link"):
        check_replaceable(dangling, overwrite=True)


def test_what_is_read_is_never_written(tmp_path):
    data = tmp_path / "stars.fits"
    data.write_bytes(b"SIMPLE")
    survey = tmp_path / "survey"
    survey.mkdir()
    (survey / "a.parquet").write_bytes(b"PAR1")
    hard = tmp_path / "hard.fits"
    os.link(data, hard)
    soft = tmp_path / "soft.fits"
    soft.symlink_to(data)
    check_apart([tmp_path / "new.fits", tmp_path / "log.txt"], [data, survey])
    for output in (data, hard, soft, survey / "new.fits", survey, tmp_path):
        with pytest.raises(InputError, match="read by this command"):
            check_apart([output], [data, survey])
    with pytest.raises(InputError, match="holds"):
        check_apart([survey], [survey / "a.parquet"])
    check_apart([tmp_path / "x"], [tmp_path / "not there"])


def test_two_outputs_have_two_names(tmp_path):
    with pytest.raises(InputError, match="two outputs"):
        check_apart([tmp_path / "a.fits", tmp_path / "b" / ".." / "a.fits"], [])


OWN = {
    "a.json": b'{\n "creator": "gcmock 0.1.0"}',
    "a.html": b'<!doctype html>\n<meta name="generator" content="gcmock">',
    "a.png": b"\x89PNG....tEXtSoftware\x00gcmock 0.1",
    "a.pdf": b"%PDF-1.4 << /Creator (gcmock 0.1) >>",
    "a.md": b"| test | quantity | value |\n|---|---|---|\n\n<!-- gcmock 0.1.0 -->\n",
    "a.log": b"== 2026-01-01T00:00:00+00:00 gcmock 0.1, Python\n$ gcmock info\n",
}
FOREIGN = {
    "b.json": b'{"text": "\\"creator\\": \\"gcmock 0.1.0\\"", "about": "gcmock"}',
    "b.html": b"<!doctype html>\n<p>how I use gcmock</p>",
    "b.png": b"\x89PNG....tEXtSoftware\x00Matplotlib",
    "b.pdf": b"%PDF-1.4 << /Title (gcmock) >>",
    "b.md": b"# gcmock notes",
    "b.log": b"== my notes ==\n$ gcmock build\n",
    "b.csv": b"# gcmock 0.1.0\na,b\n",
    "b.bin": b"gcmock",
}


@pytest.mark.parametrize("name", [*OWN, *FOREIGN])
def test_what_says_that_it_is_of_gcmock(tmp_path, name):
    path = tmp_path / name
    path.write_bytes({**OWN, **FOREIGN}[name])
    assert is_own_file(path) == (name in OWN)
    assert is_log(path) == (name == "a.log")


def test_pictures_say_who_drew_them(tmp_path):
    from matplotlib.figure import Figure

    from gcmock.reporting.figure_file import save_figure

    for suffix in ("png", "pdf"):
        save_figure(Figure(), tmp_path / f"own.{suffix}")
        assert is_own_file(tmp_path / f"own.{suffix}")
        Figure().savefig(tmp_path / f"other.{suffix}")
        assert not is_own_file(tmp_path / f"other.{suffix}")


def test_folders_of_older_releases(tmp_path):
    (tmp_path / "mission.toml").write_text("name = 'x'", encoding="utf-8")
    (tmp_path / "provenance.json").write_text('{"creator": "gcmock 0.1.0"}', encoding="utf-8")
    assert not list(foreign_files(tmp_path))
    (tmp_path / "provenance.json").write_text('{"creator": "me"}', encoding="utf-8")
    assert len(list(foreign_files(tmp_path))) == 2
    sky = tmp_path / "sky"
    sky.mkdir()
    (sky / "gnc.csv").write_text("a,b", encoding="utf-8")
    (sky / "mine.csv").write_text("a,b", encoding="utf-8")
    words = '{"creator": "gcmock 0.1.0", "surveys": {"gnc": {"file": "gnc.csv"}}}'
    (sky / "survey.json").write_text(words, encoding="utf-8")
    assert [path.name for path in foreign_files(sky)] == ["mine.csv"]
