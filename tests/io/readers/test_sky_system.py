"""Headers and COOSYS that say of which system, equinox and epoch positions are."""

from __future__ import annotations

from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from astropy.io import fits
from astropy.io.votable import from_table
from astropy.table import Table

from gcmock.errors import InputError
from gcmock.io.observed import read_observed
from gcmock.io.readers.opening import open_table
from gcmock.settings.build import Config

STARS = Table({"ra": [266.1, 266.2], "dec": [-29.1, -29.2], "phot_ks_mag": [12.0, 13.0]})
WORDS = "positions are .*, but (ICRS|Galactic) ones are needed"


def fits_file(folder: Path, **header: object) -> Path:
    hdu = fits.BinTableHDU(STARS)
    hdu.header.update(header)
    hdu.writeto(folder / "t.fits")
    return folder / "t.fits"


def votable(folder: Path, coosys: str, fields: str = "ra dec", table: Table = STARS) -> Path:
    content = BytesIO()
    from_table(table).to_xml(content)
    text = content.getvalue().decode()
    for name in fields.split():
        text = text.replace(f'name="{name}"', f'name="{name}" ref="s"')
    text = text.replace("<TABLE", f'<COOSYS ID="s" {coosys}/>\n<TABLE', 1)
    (folder / "t.vot").write_text(text, encoding="utf-8")
    return folder / "t.vot"


@pytest.mark.parametrize(
    "header",
    [
        {"RADESYS": "FK4"},
        {"RADECSYS": "FK4-NO-E"},
        {"EQUINOX": 1950.0},
        {"EQUINOX": "B1950"},
        {"RADESYS": "FK5", "EQUINOX": 1975.0},
        {"RADESYS": "GAPPT"},
        {"EPOCH": 1950.0},
    ],
)
def test_other_systems_of_fits_are_refused(tmp_path, header) -> None:
    with pytest.raises(InputError, match=rf"t\.fits: the header says that {WORDS}"):
        open_table(fits_file(tmp_path, **header))


@pytest.mark.parametrize(
    "header",
    [
        {"RADESYS": "ICRS", "EQUINOX": 2016.0},
        {"RADESYS": "FK5", "EQUINOX": 2000.0},
        {"EQUINOX": "J2000.0", "EPOCH": 2015.5},
        {"EPOCH": "none"},
    ],
)
def test_the_usual_systems_of_fits_are_read(tmp_path, header) -> None:
    assert open_table(fits_file(tmp_path, **header)).n_rows == 2


@pytest.mark.parametrize(
    ("coosys", "fields"),
    [
        ('system="eq_FK4" equinox="B1950"', "ra dec"),
        ('system="eq_FK4"', ""),
        ('system="eq_FK5" equinox="J1975"', "ra"),
        ('system="galactic"', "ra dec"),
        ('system="ecl_FK5"', "ra dec"),
    ],
)
def test_other_systems_of_votables_are_refused(tmp_path, coosys, fields) -> None:
    with pytest.raises(InputError, match=rf"t\.vot: COOSYS says that {WORDS}"):
        open_table(votable(tmp_path, coosys, fields))


def test_galactic_positions_are_galactic(tmp_path) -> None:
    stars = Table({"l": [0.1], "b": [0.2], "phot_ks_mag": [12.0]})
    assert open_table(votable(tmp_path, 'system="galactic"', "l b", stars)).n_rows == 1
    with pytest.raises(InputError, match=WORDS):
        open_table(votable(tmp_path, 'system="ICRS"', "l b", stars))


@pytest.mark.parametrize("fields", ["ra dec", "phot_ks_mag", ""])
@pytest.mark.parametrize(
    ("epoch", "year"), [("J2015.5", 2015.5), ("2014", 2014.0), ("B1991.25", 1991.25)]
)
def test_epochs_of_votables_are_those_of_the_positions(tmp_path, epoch, year, fields) -> None:
    path = votable(tmp_path, f'system="ICRS" epoch="{epoch}"', fields)
    catalogue = read_observed(path, Config())
    assert f"the positions are of the epoch {year:.5g}"[:45] in catalogue.remarks[0]
    (stars,) = catalogue.chunks()
    np.testing.assert_allclose(stars.ref_epoch, year, atol=0.01)


def test_a_column_of_epochs_wins(tmp_path) -> None:
    stars = STARS.copy()
    stars["Ref_Epoch"] = 2016.5
    catalogue = read_observed(
        votable(tmp_path, 'system="ICRS" epoch="J2000"', "ra", stars), Config()
    )
    (found,) = catalogue.chunks()
    assert found.ref_epoch.tolist() == [2016.5, 2016.5]


def test_keywords_of_ipac_tables(tmp_path) -> None:
    stars = STARS.copy()
    stars.meta["keywords"] = {"EQUINOX": {"value": "B1950.0"}}
    stars.write(tmp_path / "t.tbl", format="ascii.ipac")
    with pytest.raises(InputError, match=WORDS):
        open_table(tmp_path / "t.tbl")
