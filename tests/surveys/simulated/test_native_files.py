"""Simulated tables as archives write them: names, units, marks, digits."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest

from gcmock.errors import GcmockError, InputError
from gcmock.io.readers.opening import open_table
from gcmock.surveys.definition import NativeColumn, load_survey
from gcmock.surveys.simulated.instrument import SimulatedTable
from gcmock.surveys.simulated.native_files import (
    native_columns,
    native_values,
    open_native,
    sexagesimal_text,
)

COLUMNS = (
    NativeColumn(role="ra", name="RAJ", unit="hourangle", dtype="U14"),
    NativeColumn(role="ref_epoch", name="jd", unit="d"),
    NativeColumn(role="ra_error", name="e_ra", unit="arcsec"),
    NativeColumn(role="phot_ks_mag", name="K", unit="mag", dtype="float32", null=(-999.0,)),
    NativeColumn(role="n_epochs", name="n", dtype="int16", optional=True),
)
SURVEY = SimpleNamespace(
    simulated_spelling=SimpleNamespace(name="test", columns=COLUMNS, required=COLUMNS[:-1]),
    simulated_table=SimulatedTable(decimals={"mag": 2, "jd": 0}),
)
ROLES = {
    "ra": np.array([180.0, 266.41681662]),
    "ref_epoch": np.array([2000.0, 2010.0]),
    "ra_error": np.array([100.0, 2.0]),
    "phot_ks_mag": np.array([12.3456, np.nan]),
}


def test_values_in_native_units_types_and_marks():
    values = native_values(SURVEY, ROLES)
    assert list(values) == ["RAJ", "jd", "e_ra", "K"]
    assert values["RAJ"].tolist() == ["12:00:00.0000", "17:45:40.0360"]
    # J2000 is JD 2451545.0; ten Julian years are 3652.5 days.
    np.testing.assert_array_equal(values["jd"], np.round([2451545.0, 2455197.5]))
    np.testing.assert_allclose(values["e_ra"], [0.1, 0.002])
    assert values["K"].dtype == np.float32
    np.testing.assert_array_equal(values["K"], np.float32([12.35, -999.0]))


def test_angles_in_base_60():
    # Sgr A*, 17 45 40.036 -29 00 28.17
    ra, dec = np.array([266.41681662, 0.001]), np.array([-29.00782497, 0.5])
    assert sexagesimal_text(ra, hours=True).tolist() == ["17:45:40.0360", "00:00:00.2400"]
    assert sexagesimal_text(dec, hours=False).tolist() == ["-29:00:28.170", "+00:30:00.000"]
    # Rounding carries over.
    assert sexagesimal_text(np.array([-0.99999999]), hours=False).tolist() == ["-01:00:00.000"]
    assert sexagesimal_text(np.array([359.9999999999]), hours=True).tolist() == ["00:00:00.0000"]


@pytest.mark.parametrize(
    ("suffix", "text"),
    [(".csv", "RAJ,jd\n12:00:00.0000,1.5\n13:00:00.0000,\n"),
     (".dat", "12:00:00.0000 1.5\n13:00:00.0000 \n")],
)  # fmt: skip
def test_text_as_it_is_written(tmp_path, suffix, text):
    path = tmp_path / f"table{suffix}"
    writer = open_native(path, COLUMNS[:2], {})
    writer.write({"RAJ": np.array(["12:00:00.0000"]), "jd": np.array([1.5])})
    writer.write({"RAJ": np.array(["13:00:00.0000"]), "jd": np.array([np.nan])})
    writer.close()
    assert path.read_text() == text


def test_fits_is_there_when_closed_but_not_when_abandoned(tmp_path):
    path = tmp_path / "table.fits"
    rows = {"K": np.array([12.5, 13.5], np.float32)}
    for finish in ("abandon", "close"):
        assert not path.exists()
        writer = open_native(path, COLUMNS[3:4], {})
        writer.write(rows)
        getattr(writer, finish)()
    (chunk,) = open_table(path).chunks(10)
    np.testing.assert_array_equal(chunk["K"], rows["K"])


def test_a_disk_that_fails_is_reported(tmp_path, monkeypatch):
    def full(*_):
        raise OSError(28, "No space left on device")

    writer = open_native(tmp_path / "table.csv", COLUMNS[1:2], {})
    monkeypatch.setattr("pyarrow.csv.write_csv", full)
    with pytest.raises(GcmockError, match=r"table.csv: writing failed: No space left"):
        writer.write({"jd": np.zeros(1)})
    writer.abandon()


def test_a_spelling_without_values_is_refused():
    with pytest.raises(InputError, match=r"its form 'plates' .* values for glat, ra"):
        native_columns(load_survey("sirius"), {"l": np.zeros(1)})
