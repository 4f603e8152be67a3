"""What is several sources of one star, or one source of several stars."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from small_sky import table_of, to_sky

from gcmock.catalogue.cell.clean import looks_real, native_reasons, too_faint
from gcmock.catalogue.cell.merging import merge_cell
from gcmock.catalogue.cell.pilot import merge_cell_pilot
from gcmock.catalogue.cell.sources import make_sources, stored_columns
from gcmock.catalogue.order import names_of, packaged_order
from gcmock.settings.merge import CleaningConfig, MergeConfig, SurveyInput
from gcmock.surveys.definition import load_survey
from gcmock.surveys.source_table import Quality

pytestmark = pytest.mark.slow

ORDER = names_of(packaged_order())

EPOCH = {"virac2": 2014.0, "gnc": 2015.5, "sirius": 2004.5, "2mass": 1999.5}
ERROR_MAS = {"virac2": 5.0, "gnc": 20.0, "sirius": 100.0, "2mass": 80.0}


@pytest.fixture
def with_gnc(knowledge):
    """The small sky has no GALACTICNUCLEUS: its density is that of VIRAC2 here."""
    return replace(knowledge, density={**knowledge.density, "gnc": knowledge.density["virac2"]})


def seen(survey, x, ks, *, quality=0, with_ks=True):
    """Sources of a survey at places along a line [arcsec]."""
    x, ks = np.asarray(x, float), np.asarray(ks, float)
    ra, dec = to_sky(100.0 + x, np.full(len(x), 100.0))
    columns = {
        "source_id": [f"{survey}{k}" for k in range(len(x))],
        "ra": ra,
        "dec": dec,
        "ra_error": ERROR_MAS[survey],
        "dec_error": ERROR_MAS[survey],
        "ref_epoch": EPOCH[survey],
        "n_epochs": 50 if survey == "virac2" else 1,
        "quality": quality,
        "phot_h_mag": ks + 1.5,
        "phot_h_mag_error": 0.02,
        "phot_ks_mag": np.where(with_ks, ks, np.nan),
        "phot_ks_mag_error": 0.02,
    }
    table = table_of(columns, len(x)).select(list(stored_columns(load_survey(survey))))
    return make_sources(load_survey(survey), table, np.ones(len(x), bool))


def together(x, ks):
    """Place and magnitude of the light of several stars."""
    light = 10.0 ** (-0.4 * np.asarray(ks))
    return [float((light * x).sum() / light.sum())], [float(-2.5 * np.log10(light.sum()))]


def ids_of(merged, survey):
    """Identifiers of a survey's sources in the stars that are kept."""
    number = ORDER.index(survey)
    link = merged.stars.link[(merged.reason == "") & (merged.stars.link[:, number] >= 0), number]
    return sorted(np.array(merged.surveys[number].ids.to_pylist())[link].tolist())


def config_of(*surveys, **limits):
    given = [SurveyInput(name=n, path=n, faint_ks_mag=limits.get(n)) for n in surveys]
    return MergeConfig(survey=tuple(given))


def test_doubtful_photometry_is_no_reason_to_leave_a_star_out():
    """A star in the light of a cluster, or on a spike, is one; a galaxy is not."""
    marks = (Quality.DOUBTFUL, Quality.ON_EXTENDED, Quality.EXTENDED, Quality.ARTEFACT)
    quality = np.array([*map(int, marks)])
    sources = seen("2mass", [0.0, 20.0, 40.0, 60.0], [11.0] * 4, quality=quality)
    survey = SurveyInput(name="2mass", path="-")
    reason = native_reasons(sources, survey, CleaningConfig())
    assert reason.tolist() == ["", "", "extended", "artefact"]
    strict = SurveyInput(name="2mass", path="-", reject=("doubtful", "on_extended"))
    reason = native_reasons(sources, strict, CleaningConfig())
    assert reason.tolist() == ["quality", "quality", "", ""]


def test_what_looks_like_a_star_has_ten_sigma_in_two_bands():
    assert looks_real(seen("2mass", [0.0], [11.0])).tolist() == [True]
    assert looks_real(seen("2mass", [0.0], [11.0], with_ks=False)).tolist() == [False]


def test_a_marked_duplicate_without_its_original_is_the_star():
    quality = np.array([0, int(Quality.DUPLICATE), int(Quality.DUPLICATE)])
    sources = seen("virac2", [0.0, 0.02, 30.0], [14.0, 14.0, 14.5], quality=quality)
    survey = SurveyInput(name="virac2", path="-")
    reason = native_reasons(sources, survey, CleaningConfig())
    of = dict(zip(sources.ids.to_pylist(), reason.tolist(), strict=True))
    assert of == {"virac20": "", "virac21": "duplicate", "virac22": ""}
    # So it is without any limit of resolution.
    reason = native_reasons(sources, survey, CleaningConfig(duplicate_fwhm=0.0))
    assert dict(zip(sources.ids.to_pylist(), reason.tolist(), strict=True)) == of


def test_a_fine_source_beside_a_coarse_star_is_no_blend(with_gnc):
    """VIRAC2 sees two stars as one, GALACTICNUCLEUS as two: both are there, and VIRAC2's too."""
    x, ks = np.array([0.0, 0.2]), np.array([14.0, 15.2])
    cells = {"virac2": seen("virac2", *together(x, ks)), "gnc": seen("gnc", x, ks)}
    merged = merge_cell(cells, with_gnc, config_of("virac2", "gnc"))
    assert ids_of(merged, "gnc") == ["gnc0", "gnc1"]
    number = ORDER.index("gnc")
    assert "blend" not in merged.removed[number][1].tolist()


def test_a_coarse_star_that_finer_ones_explain_is_left_out(with_gnc):
    """A VIRAC2 source of five equal stars is none of them."""
    x, ks = np.linspace(-0.4, 0.4, 5), np.full(5, 14.0)
    cells = {"virac2": seen("virac2", *together(x, ks)), "gnc": seen("gnc", x, ks)}
    merged = merge_cell(cells, with_gnc, config_of("virac2", "gnc"))
    assert ids_of(merged, "gnc") == [f"gnc{k}" for k in range(5)]
    alone = (merged.stars.link >= 0).sum(axis=1) == 1
    virac2 = merged.stars.link[:, ORDER.index("virac2")] >= 0
    assert merged.reason[alone & virac2].tolist() == ["blend"]
    assert len(merged.stars.primary[merged.reason == ""]) == 5


def test_a_source_of_two_equal_stars_is_linked_to_neither(knowledge):
    x, ks = np.array([0.0, 0.6]), np.array([13.0, 13.05])
    cells = {"virac2": seen("virac2", x, ks), "sirius": seen("sirius", *together(x, ks))}
    config = config_of("virac2", "sirius")
    merged = merge_cell(cells, knowledge, config)
    assert ids_of(merged, "sirius") == []
    assert merged.removed[ORDER.index("sirius")][1].tolist() == ["blend"]
    # Whoever wants the link anyway gets it.
    free = config.model_copy(
        update={"match": config.match.model_copy(update={"least_fraction": 0.0})}
    )
    assert ids_of(merge_cell(cells, knowledge, free), "sirius") == ["sirius0"]
    # One that is mostly the brighter star's is linked, as before.
    ks = np.array([13.0, 15.0])
    cells = {"virac2": seen("virac2", x, ks), "sirius": seen("sirius", *together(x, ks))}
    assert ids_of(merge_cell(cells, knowledge, config), "sirius") == ["sirius0"]


def test_a_limit_leaves_out_what_has_no_ks(knowledge):
    sources = seen("sirius", [0.0, 20.0, 40.0], [12.0, 14.0, 12.5], with_ks=[True, True, False])
    of = dict(zip(sources.ids.to_pylist(), too_faint(sources, 13.0).tolist(), strict=True))
    assert of == {"sirius0": False, "sirius1": True, "sirius2": True}
    assert not too_faint(sources, None).any()
    # It holds for both rules.
    config = config_of("sirius", sirius=13.0)
    for merged in (
        merge_cell({"sirius": sources}, knowledge, config),
        merge_cell_pilot({"sirius": sources}, config),
    ):
        assert ids_of(merged, "sirius") == ["sirius0"]
        assert merged.removed[ORDER.index("sirius")][1].tolist() == ["too_faint"] * 2


def test_a_duplicate_of_a_source_beyond_the_limit_is_kept():
    sources = seen("virac2", [0.0, 0.02], [14.52, 14.48])
    survey = SurveyInput(name="virac2", path="-", faint_ks_mag=14.5)
    ids = sources.ids.to_pylist()
    quality = np.array([int(Quality.DUPLICATE) if one == "virac21" else 0 for one in ids], np.int32)
    reason = native_reasons(replace(sources, quality=quality), survey, CleaningConfig())
    assert dict(zip(ids, reason.tolist(), strict=True)) == {"virac20": "too_faint", "virac21": ""}
