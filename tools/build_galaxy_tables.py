"""Write the tables of the Galactic model that ship with gcmock.

Input: the directory ``fraction/genulens/input_files`` of the PyPI wheel genulens 2.0.0a4 (GPL-3).
``python tools/build_galaxy_tables.py INPUT_DIR [OUTPUT_DIR]``
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np

DATA = Path(__file__).resolve().parents[1] / "src" / "gcmock" / "data"

NUCLEAR_DISC_STEP_PC = 5.0
NUCLEAR_DISC_SHAPE = (81, 201)  # z slow, R fast, in the input file

# Rows without a letter belong to the discs and the halo; the age tells which (units of 0.01 Gyr).
LETTER_FAMILY = {"B": "bar", "N": "nsd"}
AGE_FAMILY = {1200: "thick", 1400: "halo"}


def build_rotation_curve(input_dir: Path, output_dir: Path) -> Path:
    """Write ``rotation_curve.csv``: radius_pc, circular_velocity (km/s)."""
    radius_kpc, speed = np.loadtxt(input_dir / "Rotcurve_BG16.dat", unpack=True)
    output = output_dir / "rotation_curve.csv"
    lines = [
        "# Circular velocity of the Milky Way read off Fig. 16 (red line) of",
        "# Bland-Hawthorn & Gerhard 2016 (ARA&A 54, 529), there from Portail+2015; digitised in",
        "# Rotcurve_BG16.dat of genulens 2.0.0a4. Units: pc, km/s.",
        "radius_pc,circular_velocity",
        *(f"{round(1000.0 * r, 2):g},{v:.5f}" for r, v in zip(radius_kpc, speed, strict=True)),
    ]
    output.write_text("\n".join(lines) + "\n")
    return output


def build_dying_mass(input_dir: Path, output_dir: Path) -> Path:
    """Write ``dying_mass.csv``: family, age_gyr, dying_mass (Msun)."""
    rows = []
    for line in (input_dir / "Minidie.dat").read_text().splitlines():
        words = line.split("#")[0].split()
        if not words:
            continue
        family = LETTER_FAMILY[words.pop(0)] if words[0] in LETTER_FAMILY else None
        age = int(words[0])
        rows.append((family or AGE_FAMILY.get(age, "thin"), age, float(words[1])))
    output = output_dir / "dying_mass.csv"
    lines = [
        "# Largest initial mass alive at an age, from PARSEC isochrones (CMD 3.3), as tabulated in",
        "# Minidie.dat of genulens 2.0.0a4. Units: Gyr, Msun.",
        "family,age_gyr,dying_mass",
        *(f"{family},{age / 100:.2f},{mass:.10f}" for family, age, mass in rows),
    ]
    output.write_text("\n".join(lines) + "\n")
    return output


def build_nuclear_disc(input_dir: Path, output_dir: Path) -> Path:
    """Write ``nuclear_disc_moments.npz``: arrays (201 R, 81 z) on a 5 pc grid.

    Keys: ``step_pc``, ``density`` (Msun/pc3), ``mean_vphi``, ``sigma_phi``, ``sigma_r``,
    ``sigma_z`` (km/s), ``correlation_rz`` (of v_R and v_z at z > 0).
    """
    columns = np.loadtxt(input_dir / "NSD_moments.dat", unpack=True)
    radius, height = (1000.0 * c.reshape(NUCLEAR_DISC_SHAPE) for c in columns[:2])
    if not np.allclose(radius[0], NUCLEAR_DISC_STEP_PC * np.arange(NUCLEAR_DISC_SHAPE[1])):
        raise ValueError("NSD_moments.dat: R is not the expected 5 pc grid")
    if not np.allclose(height[:, 0], NUCLEAR_DISC_STEP_PC * np.arange(NUCLEAR_DISC_SHAPE[0])):
        raise ValueError("NSD_moments.dat: z is not the expected 5 pc grid")
    names = ("density", "mean_vphi", "sigma_phi", "sigma_r", "sigma_z", "correlation_rz")
    tables = {
        name: np.ascontiguousarray(column.reshape(NUCLEAR_DISC_SHAPE).T)
        for name, column in zip(names, columns[2:], strict=True)
    }
    output = output_dir / "nuclear_disc_moments.npz"
    np.savez_compressed(output, step_pc=NUCLEAR_DISC_STEP_PC, **tables)
    return output


def build(input_dir: Path | str, output_dir: Path | str = DATA) -> list[Path]:
    """Write every table of the Galactic model and return their paths.

    Parameters
    ----------
    input_dir : path
        ``input_files`` of genulens 2.0.0a4.
    output_dir : path
        Where to write; by default the package data folder.
    """
    source, target = Path(input_dir), Path(output_dir)
    return [f(source, target) for f in (build_rotation_curve, build_dying_mass, build_nuclear_disc)]


if __name__ == "__main__":
    for written in build(*sys.argv[1:3]):
        print(written, written.stat().st_size)
