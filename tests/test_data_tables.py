"""The shipped tables are complete, small, and follow from their source."""

from __future__ import annotations

import hashlib
import importlib.util
import os
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import numpy as np
import pyarrow.parquet as pq
import pytest

from gcmock.data import path

DATA = path("checksums.sha256").parent
BUILDER = Path(__file__).parents[1] / "tools" / "build_tables.py"
MAX_BYTES = 10_000_000


@pytest.fixture(scope="module")
def builder() -> ModuleType:
    pytest.importorskip("pandas", reason="the table builder needs the extra [tables]")
    spec = importlib.util.spec_from_file_location("build_tables", BUILDER)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["build_tables"] = module
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def input_dir(builder: ModuleType) -> Iterator[Path]:
    """Input files of genulens: GCMOCK_GENULENS (a wheel or a folder) or the installed package."""
    given = os.environ.get("GCMOCK_GENULENS")
    try:
        with builder.open_input_files(Path(given) if given else None) as folder:
            yield folder
    except FileNotFoundError as missing:
        if given:
            raise
        pytest.skip(f"GCMOCK_GENULENS is not set and {missing}")


def data_files() -> list[Path]:
    return [f for f in DATA.rglob("*") if f.suffix in {".csv", ".npz", ".parquet", ".toml"}]


def test_checksums() -> None:
    lines = (DATA / "checksums.sha256").read_text().splitlines()
    listed = dict(reversed(line.split("  ")) for line in lines)
    assert {file.relative_to(DATA).as_posix() for file in data_files()} == set(listed)
    for name, digest in listed.items():
        assert hashlib.sha256((DATA / name).read_bytes()).hexdigest() == digest, name


def test_the_package_stays_small() -> None:
    assert sum(file.stat().st_size for file in DATA.rglob("*") if file.is_file()) < MAX_BYTES


def test_the_readme_describes_every_file() -> None:
    readme = (DATA / "README.md").read_text()
    for file in data_files():
        assert f"`{file.name}`" in readme, file.name


def test_a_missing_source_is_reported(builder: ModuleType, tmp_path: Path) -> None:
    with (
        pytest.raises(FileNotFoundError, match="EJK_G12_S20_LR"),
        builder.open_input_files(tmp_path),
    ):
        pass


@pytest.mark.slow
@pytest.mark.parametrize("name", ["isochrones_parsec", "isochrones_genstars"])
def test_rebuilt_isochrones(
    builder: ModuleType, input_dir: Path, tmp_path: Path, name: str
) -> None:
    rebuilt = pq.read_table(builder.BUILDERS[name](input_dir, tmp_path))
    assert rebuilt.equals(pq.read_table(DATA / f"{name}.parquet"))


@pytest.mark.slow
def test_rebuilt_extinction_map(builder: ModuleType, input_dir: Path, tmp_path: Path) -> None:
    with (
        np.load(builder.build_extinction_map(input_dir, tmp_path)) as rebuilt,
        np.load(DATA / "extinction_map.npz") as shipped,
    ):
        assert set(rebuilt) == set(shipped)
        for key in shipped:
            np.testing.assert_array_equal(rebuilt[key], shipped[key])


def test_rebuilt_populations(builder: ModuleType, tmp_path: Path) -> None:
    table = DATA / "isochrones_parsec.parquet"
    (tmp_path / table.name).write_bytes(table.read_bytes())
    rebuilt = builder.build_populations(tmp_path, tmp_path)
    assert tomllib.loads(rebuilt.read_text()) == tomllib.loads(
        (DATA / "populations.toml").read_text()
    )
