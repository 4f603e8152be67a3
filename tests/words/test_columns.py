"""The column registry is complete, unique and speaks valid UCDs and units."""

import numpy as np
import pytest
from astropy import units as u
from astropy.io.votable.ucd import check_ucd

from gcmock.words.columns import (
    ALIASES,
    INPUT_COLUMNS,
    OUTPUT_COLUMNS,
    TRUTH_COLUMNS,
    columns_by_name,
)
from gcmock.words.components import COMPONENTS

OUTPUT_NAMES = """source_id realisation ra dec l b ref_epoch distance_pc parallax pmra pmdec
radial_velocity component mass_init age_gyr metallicity phot_j_mag phot_h_mag phot_ks_mag
phot_hw_mag a_ks x_pc y_pc z_pc vx vy vz p_thin1 p_thin2 p_thin3 p_thin4 p_thin5 p_thin6 p_thin7
p_thick p_bar p_nsd p_nsc distance_mean_pc distance_q05_pc distance_q16_pc distance_q50_pc
distance_q84_pc distance_q95_pc p_mismatch p_blend p_dusty p_outlier log_evidence
evidence_pvalue n_bands flags"""


def test_output_columns_have_the_agreed_order():
    assert [column.name for column in OUTPUT_COLUMNS] == OUTPUT_NAMES.split()
    assert OUTPUT_COLUMNS[: len(TRUTH_COLUMNS)] == TRUTH_COLUMNS


@pytest.mark.parametrize("columns", [INPUT_COLUMNS, OUTPUT_COLUMNS], ids=["input", "output"])
def test_columns_are_well_described(columns):
    assert len(columns_by_name(columns)) == len(columns)
    for column in columns:
        np.dtype(column.dtype)
        # FITS and VOTable have no name for a logarithm: the writers leave it out.
        assert column.unit == "dex" or u.Unit(column.unit).to_string("fits") is not None
        assert column.description
        assert check_ucd(column.ucd, check_controlled_vocabulary=True, has_colon=True), column


def test_components_fit_their_column():
    width = np.dtype(columns_by_name(OUTPUT_COLUMNS)["component"].dtype).itemsize // 4
    assert max(map(len, COMPONENTS)) <= width


def test_aliases_are_of_input_columns_and_lower_case():
    names = columns_by_name(INPUT_COLUMNS)
    for canonical, aliases in ALIASES.items():
        assert canonical in names
        assert all(alias == alias.lower() and alias not in names for alias in aliases)


def test_column_with_dtype_keeps_the_rest():
    column = OUTPUT_COLUMNS[0].with_dtype("U20")
    assert (column.dtype, column.ucd) == ("U20", OUTPUT_COLUMNS[0].ucd)
