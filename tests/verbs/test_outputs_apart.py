"""No verb writes where it reads: the check comes before any work, in every command."""

from __future__ import annotations

import pytest

import gcmock
from gcmock.errors import InputError


@pytest.fixture
def data(tmp_path):
    path = tmp_path / "precious.parquet"
    path.write_bytes(b"years of work")
    folder = tmp_path / "folder"
    folder.mkdir()
    (folder / "part.parquet").write_bytes(b"more of it")
    (tmp_path / "merge.toml").write_text(
        f'[[survey]]\nname = "2mass"\npath = "{path}"\n', encoding="utf-8"
    )
    return tmp_path


CALLS = {
    "build": lambda d: gcmock.build(d / "precious.parquet", d / "precious.parquet", overwrite=True),
    "build into its input": lambda d: gcmock.build(d / "folder", d / "folder" / "o.parquet"),
    "build over its input": lambda d: gcmock.build(
        d / "folder" / "part.parquet", d / "folder", overwrite=True
    ),
    "merge": lambda d: gcmock.merge(d / "merge.toml", d / "precious.parquet", overwrite=True),
    "merge over its settings": lambda d: gcmock.merge(
        d / "merge.toml", d / "merge.toml", overwrite=True
    ),
    "calibrate": lambda d: gcmock.calibrate(
        d / "precious.parquet", d / "precious.parquet", overwrite=True
    ),
    "calibrate with a figure": lambda d: gcmock.calibrate(
        d / "precious.parquet", d / "c.fits", figure=d / "precious.parquet", overwrite=True
    ),
    "solve": lambda d: gcmock.solve(d / "folder", d / "folder", overwrite=True),
    "observe": lambda d: gcmock.observe(d / "folder" / "part.parquet", d / "folder"),
    "compare": lambda d: gcmock.compare(d / "folder", d / "precious.parquet", d / "folder"),
    "export": lambda d: gcmock.export(
        d / "precious.parquet", d / "precious.parquet", overwrite=True
    ),
    "propagate": lambda d: gcmock.propagate(
        d / "precious.parquet", d / "precious.parquet", epochs=[2030.0], overwrite=True
    ),
    "report": lambda d: gcmock.report(
        d / "precious.parquet", d / "precious.parquet", overwrite=True
    ),
    "import_hats": lambda d: gcmock.import_hats(d / "folder", d / "folder", overwrite=True),
    "validate": lambda d: gcmock.validate(
        d / "precious.parquet", output=d / "precious.parquet", overwrite=True
    ),
}


@pytest.mark.parametrize("name", CALLS)
def test_what_is_read_is_never_replaced(data, name):
    with pytest.raises(InputError, match="read by this command"):
        CALLS[name](data)
    assert (data / "precious.parquet").read_bytes() == b"years of work"
    assert (data / "folder" / "part.parquet").read_bytes() == b"more of it"
    assert (data / "merge.toml").exists()
