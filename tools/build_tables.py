"""Build the data tables that ship with gcmock.

``python tools/build_tables.py [--source DIR|WHEEL] [--output DIR] [--only NAME]``

The input is the folder ``input_files`` of the PyPI package genulens 2.0.0a4 (GPL-3.0-only): by
default that of the installed distribution (extra ``tables`` of gcmock), otherwise a folder or a
wheel file. Nothing is downloaded. The hand-written tables (``*.toml`` with a citation per value)
are left alone; ``checksums.sha256`` covers them too.
"""

from __future__ import annotations

import argparse
import hashlib
import importlib.util
import math
import sys
import tempfile
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib.metadata import PackageNotFoundError, files
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

TOOLS = Path(__file__).resolve().parent
DATA = TOOLS.parent / "src" / "gcmock" / "data"

PARSEC = "source_photometry/parsec_cmd/metallicity_grid/normalized/all_{}_parsec.dat"
GENSTARS = "source_photometry/prime_hybrid/isoemp_{}.dat"
REDDENING = "EJK_G12_S20_LR.dat"

DEAD_KS_MAG = 20.0
"""M_Ks of the faintest living star is 10.3; dead stars are at about 30."""

MASS_DIGIT = 6e-8
"""Single-precision step of the masses in the PARSEC files [Msun]."""

JHK = ("phot_j_mag", "phot_h_mag", "phot_ks_mag")
ROMAN = ("phot_f087_mag", "phot_f146_mag", "phot_f213_mag")

# gcmock name: (name in the genstars files, age [Gyr], [M/H] that genstars assigns).
GENSTARS_POPULATIONS = {
    "thin1": ("thin1", 0.10, 0.01),
    "thin2": ("thin2", 0.60, 0.00),
    "thin3": ("thin3", 1.50, -0.02),
    "thin4": ("thin4", 2.50, -0.03),
    "thin5": ("thin5", 4.05, -0.05),
    "thin6": ("thin6", 6.05, -0.09),
    "thin7": ("thin7", 8.65, -0.12),
    "thick": ("thick2", 12.0, -0.78),
    "bar": ("bar", 9.0, 0.00),
    "nsd": ("NSD", 7.0, 0.10),
}
GENSTARS_MIN_MASS = 0.08
"""Below, the magnitudes are of brown dwarfs with J-Ks down to -17 [Msun]."""

# Source prior of genulens 2.0.0a4: fractions of born stars.
THIN_SFR_GYR = 7.0
THIN_OLDEST_GYR = 10.0
THIN_AGES_GYR = {
    "thin1": (0.05, 0.10, 0.15),
    "thin2": (0.15, 0.5864, 1.0),
    "thin3": (1.0, 1.5164, 2.0),
    "thin4": (2.0, 2.5169, 3.0),
    "thin5": (3.0, 4.0684, 5.0),
    "thin6": (5.0, 6.0693, 7.0),
    "thin7": (7.0, 8.656, 10.0),
}
EDGE_MIDDLE_EDGE = (0.5, 1.0, 0.5)
GAUSSIAN_1_SIGMA = (math.exp(-0.5), 1.0, math.exp(-0.5))
METALLICITY_FRACTIONS = {
    "thin1": {-0.5: 0.10, -0.25: 0.20, 0.0: 0.40, 0.25: 0.30},
    "thin4": {-0.5: 0.15, -0.25: 0.30, 0.0: 0.35, 0.25: 0.20},
    "thin6": {-0.5: 0.25, -0.25: 0.35, 0.0: 0.30, 0.25: 0.10},
    "thick": {-1.2: 0.1, -1.0: 0.2, -0.8: 0.4, -0.6: 0.2, -0.4: 0.1},
    "bar": {-0.5: 0.20, -0.25: 0.25, 0.0: 0.30, 0.25: 0.25},
    "nsd": {-0.5: 0.10, -0.25: 0.25, 0.0: 0.40, 0.25: 0.25},
}
for _same, _as in {"thin2": "thin1", "thin3": "thin1", "thin5": "thin4", "thin7": "thin6"}.items():
    METALLICITY_FRACTIONS[_same] = METALLICITY_FRACTIONS[_as]

# The part of the reddening map that is kept: cell centres from MAP_START in steps of MAP_STEP.
MAP_STEP_DEG = 0.025
MAP_L_MIN_DEG, MAP_B_MIN_DEG = -9.5, -4.5
MAP_SHAPE = (760, 360)
SUBCELLS = 25
MEAN_PER_MAG, SUBCELL_PER_MAG = 10_000_000, 1_000


def build_isochrones_parsec(input_dir: Path, output_dir: Path) -> Path:
    """Write ``isochrones_parsec.parquet``: the distinct living PARSEC isochrones."""
    prime = _read_columns(input_dir / PARSEC.format("prime"))
    roman = _read_columns(input_dir / PARSEC.format("roman"))
    table = pd.DataFrame(
        {
            "component": prime["component"],
            # The file has logarithms: most ages are round numbers of Gyr.
            "age_gyr": (10.0 ** (prime["logAge"] - 9.0)).round(4),
            "metallicity": prime["MH"],
            "mass_init": prime["Mini"],
            **_float32(prime, zip(JHK, ("Jmag_2mass", "Hmag_2mass", "Ksmag_2mass"), strict=True)),
            **_float32(roman, zip(ROMAN, ("F087mag", "F146mag", "F213mag"), strict=True)),
        }
    )
    key = ["age_gyr", "metallicity"]
    living = table["phot_ks_mag"] < DEAD_KS_MAG
    # Both files were joined on the initial mass: where the thermally pulsing AGB jumps at constant
    # mass, the second row repeats the magnitudes of the first. A step of no mass holds no star.
    repeated = table.duplicated(["component", *key, "mass_init"])
    _check_same_photometry(prime, roman, (living & ~repeated).to_numpy())
    table = table[living & ~repeated].drop(columns="component")
    # The same isochrone serves several components.
    table = table.drop_duplicates([*key, "mass_init"])
    table = table.sort_values([*key, "mass_init"], kind="stable", ignore_index=True)
    number = table.groupby(key, sort=True).ngroup().astype(np.int32)
    table.insert(0, "isochrone", number)
    return _write_parquet(table, output_dir / "isochrones_parsec.parquet")


def build_isochrones_genstars(input_dir: Path, output_dir: Path) -> Path:
    """Write ``isochrones_genstars.parquet``: one hybrid isochrone per component."""
    parts = []
    for number, (component, (name, age, metallicity)) in enumerate(GENSTARS_POPULATIONS.items()):
        # Rows that genstars skips are commented out in the file.
        raw = np.loadtxt(input_dir / GENSTARS.format(name), comments="#")
        mass, radius, ks = raw[:, 0], raw[:, 2], raw[:, 7]
        kept = raw[(mass >= GENSTARS_MIN_MASS) & (radius > 0.0) & (ks < DEAD_KS_MAG)]
        if np.any(np.diff(kept[:, 0]) <= 0.0):
            raise ValueError(f"isoemp_{name}.dat: initial masses do not increase")
        part = pd.DataFrame({"isochrone": np.full(len(kept), number, dtype=np.int32)})
        part["component"] = component
        part["age_gyr"] = age
        part["metallicity"] = metallicity
        part["mass_init"] = kept[:, 0]
        for column, band in enumerate(JHK, start=5):
            part[band] = kept[:, column].astype(np.float32)
        parts.append(part)
    return _write_parquet(pd.concat(parts), output_dir / "isochrones_genstars.parquet")


def build_populations(input_dir: Path, output_dir: Path) -> Path:
    """Write ``populations.toml``: fractions of the isochrones in every component.

    The isochrone numbers are looked up in the two parquet tables of `output_dir`.
    """
    del input_dir  # the fractions are given in this file
    parsec = pd.read_parquet(output_dir / "isochrones_parsec.parquet")
    number_of = {
        (row.age_gyr, row.metallicity): row.isochrone
        for row in parsec.drop_duplicates("isochrone").itertuples()
    }
    lines = [
        "# Populations of the components as mixes of isochrones. Read by gcmock.stars.populations.",
        "# Written by tools/build_tables.py. isochrone: number in the table of isochrones;",
        "# weight: share of the component's stars, normalised by the reader.",
        "",
        "[sets.parsec]",
        'isochrones = "parsec"',
        'source = "source prior of genulens 2.0.0a4 (source_population_prior): thin discs with a '
        "star formation rate ~ exp[-(10 Gyr - age) / 7 Gyr] at the edges and the median age of "
        "each bin (factors 0.5, 1, 0.5), bar 9 +- 1 Gyr, nuclear disc 7 +- 1 Gyr, thick disc "
        "12 Gyr, and a table of [M/H] shares; ages of the bins: Koshimoto, Baba & Bennett 2021 "
        '(ApJ 917, 78)"',
        'nsc_source = "assumed: the nuclear cluster has the mix of the nuclear disc"',
    ]
    for component in GENSTARS_POPULATIONS:
        ages = _age_fractions(component)
        nodes = [
            (age, metallicity, fraction * metallicity_fraction)
            for age, fraction in ages
            for metallicity, metallicity_fraction in METALLICITY_FRACTIONS[component].items()
        ]
        total = sum(weight for *_, weight in nodes)
        lines += [
            "",
            f"[sets.parsec.populations.{component}]",
            f"isochrone = {[number_of[age, metallicity] for age, metallicity, _ in nodes]}",
            f"age_gyr = {[age for age, *_ in nodes]}",
            f"metallicity = {[metallicity for _, metallicity, _ in nodes]}",
            f"weight = {[round(weight / total, 7) for *_, weight in nodes]}",
        ]
    lines += [
        "",
        "[sets.koshimoto2021]",
        'isochrones = "genstars"',
        'source = "one age and one [M/H] per component, as in genstars 9b0ecb0"',
        'nsc_source = "assumed: the nuclear cluster has the population of the nuclear disc"',
    ]
    for number, (component, (_, age, metallicity)) in enumerate(GENSTARS_POPULATIONS.items()):
        lines += [
            "",
            f"[sets.koshimoto2021.populations.{component}]",
            f"isochrone = [{number}]",
            f"age_gyr = [{age}]",
            f"metallicity = [{metallicity}]",
            "weight = [1.0]",
        ]
    output = output_dir / "populations.toml"
    output.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return output


def build_extinction_map(input_dir: Path, output_dir: Path) -> Path:
    """Write ``extinction_map.npz``: E(J-Ks) at the red clump, without loss of a digit.

    Keys: ``mean`` (760, 360) uint32 in 1e-7 mag, ``subcell`` (n_sub, 25) uint16 in 1e-3 mag,
    ``subcell_cell`` (n_sub,) int32 = il * 360 + ib, increasing; ``l_min_deg``, ``b_min_deg``,
    ``step_deg``, ``mean_per_mag``, ``subcell_per_mag``.
    """
    mean = np.full(MAP_SHAPE, np.nan)
    cells, subcells = [], []
    with (input_dir / REDDENING).open(encoding="ascii") as stream:
        for line in stream:
            if line.startswith("#"):
                continue
            l_deg, b_deg, value, *parts = map(float, line.split())
            il = math.floor((l_deg - MAP_L_MIN_DEG) / MAP_STEP_DEG)
            ib = math.floor((b_deg - MAP_B_MIN_DEG) / MAP_STEP_DEG)
            if not (0 <= il < MAP_SHAPE[0] and 0 <= ib < MAP_SHAPE[1]):
                continue
            mean[il, ib] = value
            if parts:
                cells.append(il * MAP_SHAPE[1] + ib)
                subcells.append(parts)
    fine = np.array(subcells)
    if fine.shape[1] != SUBCELLS or np.any(np.diff(cells) <= 0) or not np.all(mean > 0.0):
        raise ValueError(f"{REDDENING}: not the expected cells of {MAP_STEP_DEG} deg")
    output = output_dir / "extinction_map.npz"
    np.savez_compressed(
        output,
        mean=_whole(mean, MEAN_PER_MAG, np.uint32),
        subcell=_whole(fine, SUBCELL_PER_MAG, np.uint16),
        subcell_cell=np.array(cells, dtype=np.int32),
        l_min_deg=MAP_L_MIN_DEG,
        b_min_deg=MAP_B_MIN_DEG,
        step_deg=MAP_STEP_DEG,
        mean_per_mag=MEAN_PER_MAG,
        subcell_per_mag=SUBCELL_PER_MAG,
    )
    return output


def build_galaxy(input_dir: Path, output_dir: Path) -> Any:
    """Write the tables of the galaxy model, see ``build_galaxy_tables.py``."""
    return _sibling("build_galaxy_tables").build(input_dir, output_dir)


def build_nuclear_cluster(input_dir: Path, output_dir: Path) -> Any:
    """Write the moments of the nuclear cluster, see ``build_nuclear_cluster_moments.py``."""
    return _sibling("build_nuclear_cluster_moments").build(output_dir, input_dir)


BUILDERS: dict[str, Callable[[Path, Path], Any]] = {
    "isochrones_parsec": build_isochrones_parsec,
    "isochrones_genstars": build_isochrones_genstars,
    "populations": build_populations,  # reads the table of isochrones
    "extinction_map": build_extinction_map,
    "galaxy": build_galaxy,
    "nuclear_cluster": build_nuclear_cluster,
}


def write_checksums(output_dir: Path) -> Path:
    """Write ``checksums.sha256`` (format of sha256sum) over all data files of a folder."""
    output = output_dir / "checksums.sha256"
    lines = [
        f"{hashlib.sha256(file.read_bytes()).hexdigest()}  {file.name}"
        for file in sorted(output_dir.iterdir())
        if file.is_file() and file.suffix in {".csv", ".npz", ".parquet", ".toml"}
    ]
    output.write_text("\n".join(lines) + "\n", encoding="ascii")
    return output


@contextmanager
def open_input_files(source: Path | None) -> Iterator[Path]:
    """Yield the folder ``input_files`` of genulens.

    Parameters
    ----------
    source : Path or None
        That folder, a folder that contains it, or a wheel of genulens; None: the installed
        distribution.

    Raises
    ------
    FileNotFoundError
        If there is none.
    """
    if source is None:
        yield _installed_input_files()
    elif source.suffix == ".whl":
        with tempfile.TemporaryDirectory() as folder:
            with zipfile.ZipFile(source) as wheel:
                # The MIST tables are not used and ten times larger than the rest.
                names = [n for n in wheel.namelist() if "/input_files/" in n and "/mist/" not in n]
                wheel.extractall(folder, names)
            yield _folder_of_map(Path(folder))
    else:
        yield _folder_of_map(source)


def main(arguments: list[str] | None = None) -> None:
    """Build one table or all of them, then the checksums."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--source", type=Path, help="input_files folder or wheel of genulens")
    parser.add_argument("--output", type=Path, default=DATA, help="folder to write to")
    parser.add_argument("--only", choices=BUILDERS, help="build this table alone")
    options = parser.parse_args(arguments)
    options.output.mkdir(parents=True, exist_ok=True)
    with open_input_files(options.source) as input_dir:
        for name in [options.only] if options.only else BUILDERS:
            print(f"{name}: {BUILDERS[name](input_dir, options.output)}")
    print(write_checksums(options.output))


def _read_columns(file: Path) -> pd.DataFrame:
    """Read a whitespace table whose first line names the columns after a '#'."""
    with file.open(encoding="ascii") as stream:
        names = stream.readline().lstrip("# ").split()
    return pd.read_csv(file, sep=r"\s+", comment="#", names=names)


def _float32(
    table: pd.DataFrame, names: Iterator[tuple[str, str]] | zip[tuple[str, str]]
) -> dict[str, pd.Series]:
    """Columns under new names, in single precision (the files have three decimals)."""
    return {new: table[old].astype(np.float32) for new, old in names}


def _check_same_photometry(prime: pd.DataFrame, roman: pd.DataFrame, kept: np.ndarray) -> None:
    """Raise unless the J, H, Ks of both files agree.

    Some rows of the second file are shifted by one where two masses differ by the last digit.
    Their J, H, Ks must then be those of a neighbour within that digit.
    """
    key = ["component", "logAge", "MH"]
    if not prime[key].equals(roman[key]):
        raise ValueError("the two PARSEC files do not have the same rows")
    bands = ["Jmag_2mass", "Hmag_2mass", "Ksmag_2mass"]
    differs = kept & (prime[bands] != roman[bands]).any(axis=1).to_numpy()
    for row in np.flatnonzero(differs):
        near = np.abs(roman["Mini"] - prime["Mini"][row]) <= MASS_DIGIT
        near &= (roman["logAge"] == prime["logAge"][row]) & (roman["MH"] == prime["MH"][row])
        if not (roman.loc[near, bands] == prime.loc[row, bands]).all(axis=1).any():
            raise ValueError(f"row {row}: J, H, Ks of the two PARSEC files differ")
    if differs.sum() > 1e-3 * kept.sum():
        raise ValueError(f"{differs.sum()} rows of the two PARSEC files are shifted")


def _age_fractions(component: str) -> list[tuple[float, float]]:
    """Ages [Gyr] of a component and the fractions of its stars born then, not normalised."""
    if component in THIN_AGES_GYR:
        return [
            (age, factor * math.exp(-(THIN_OLDEST_GYR - age) / THIN_SFR_GYR))
            for age, factor in zip(THIN_AGES_GYR[component], EDGE_MIDDLE_EDGE, strict=True)
        ]
    if component == "thick":
        return [(12.0, 1.0)]
    middle = {"bar": 9.0, "nsd": 7.0}[component]
    return list(zip((middle - 1.0, middle, middle + 1.0), GAUSSIAN_1_SIGMA, strict=True))


def _whole(values: np.ndarray, per_mag: int, dtype: type[np.unsignedinteger]) -> np.ndarray:
    """Values in units of 1 / per_mag; raise if a digit would be lost."""
    whole = np.rint(values * per_mag)
    if np.any(whole / per_mag != values) or whole.max() > np.iinfo(dtype).max:
        raise ValueError(f"values are not whole multiples of 1/{per_mag}")
    return whole.astype(dtype)


def _write_parquet(table: pd.DataFrame, output: Path) -> Path:
    """Write a table without the pandas metadata, so that equal tables give equal files."""
    arrow = pa.Table.from_pandas(table, preserve_index=False).replace_schema_metadata(None)
    pq.write_table(arrow, output, compression="zstd", compression_level=19)
    return output


def _sibling(name: str) -> Any:
    """Import another file of this folder, however this one was started."""
    file = TOOLS / f"{name}.py"
    spec = importlib.util.spec_from_file_location(name, file)
    if spec is None or spec.loader is None:
        raise ImportError(f"cannot import {file}")
    module = importlib.util.module_from_spec(spec)
    # Dataclasses of the module look it up there.
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


def _installed_input_files() -> Path:
    """Folder ``input_files`` of the installed genulens."""
    try:
        listed = files("genulens") or []
    except PackageNotFoundError:
        listed = []
    for file in listed:
        if file.name == REDDENING:
            return Path(str(file.locate())).resolve().parent
    raise FileNotFoundError(
        "genulens is not installed: pip install 'gcmock[tables]', or give --source with its "
        "input_files folder or its wheel"
    )


def _folder_of_map(folder: Path) -> Path:
    """Folder that holds the reddening map, in or below a folder."""
    if (folder / REDDENING).is_file():
        return folder
    found = sorted(folder.rglob(REDDENING)) if folder.is_dir() else []
    if not found:
        raise FileNotFoundError(f"no {REDDENING} of genulens in {folder}")
    return found[0].parent


if __name__ == "__main__":
    main()
