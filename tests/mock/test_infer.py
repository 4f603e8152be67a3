"""What enters the posterior: extinction, parallaxes, Hw, stars that are left out, flags."""

from dataclasses import replace

import numpy as np
import pytest

from gcmock.errors import InputError
from gcmock.io.observed import ObservedStars
from gcmock.learned import nothing_learned
from gcmock.mock import infer as inference
from gcmock.mock.infer import LEAST_P_VALUE, infer, star_keys, velocity_uniforms
from gcmock.model import load_model
from gcmock.posterior.doubt import log_expected
from gcmock.posterior.kernel.draw import VELOCITY
from gcmock.random import uniform
from gcmock.settings.build import load_config
from gcmock.words.flags import Flag

NAN = np.nan
MISSING = (
    "pmra", "pmra_error", "pmdec", "pmdec_error", "pmra_pmdec_corr", "radial_velocity",
    "radial_velocity_error", "ruwe",
)  # fmt: skip
MAG = (15.0, 12.5, 11.2, NAN)


def prepare(stars, model):
    """Prepare stars as the settings of the model say."""
    return inference.prepare(stars, model, model.config.policy)


def observed(n=1, **given):
    """Stars at l = 0.2, b = -0.1 with J, H, Ks; single columns replaced by `given`."""
    columns = {
        "row": np.arange(n),
        "source_id": np.arange(n) + 10,
        "ra": np.full(n, 266.6),
        "dec": np.full(n, -28.8),
        "l": np.full(n, 0.2),
        "b": np.full(n, -0.1),
        "ref_epoch": np.full(n, 2016.0),
        "mag": np.tile(MAG, (n, 1)),
        "parallax": np.full(n, NAN),
        "parallax_error": np.full(n, NAN),
        **{k: np.full(n, NAN) for k in MISSING},
        "flags": np.zeros(n, np.int32),
    }
    columns |= {name: np.asarray(values) for name, values in given.items()}
    columns["mag"] = np.asarray(columns["mag"], float)
    columns["mag_error"] = np.where(np.isfinite(columns["mag"]), 0.05, NAN)
    return ObservedStars(**columns)


def model(**overrides):
    return load_model(config=load_config(None, overrides))


def test_longitudes_of_any_turn_see_the_same_sky():
    first, second = (prepare(observed(l=[l]), model()) for l in (-0.25, 359.75))
    assert first.data.l_deg[0] == pytest.approx(second.data.l_deg[0], abs=1e-12)
    np.testing.assert_array_equal(first.data.e_jks_rc, second.data.e_jks_rc)


def test_extinction_is_that_of_the_model():
    stars = observed(2, l=[0.2, 9.3], b=[-0.1, -4.4])
    used = model()
    prepared = prepare(stars, used)
    e_jks, tau = used.reddening(stars.l, stars.b)
    np.testing.assert_array_equal(prepared.data.e_jks_rc, e_jks)
    np.testing.assert_array_equal(prepared.data.tau, tau)
    has = used.extinction_map.has_subcells(used.extinction_map.cell_index(stars.l, stars.b))
    assert has.tolist() == [True, False]
    assert ((prepared.flags & Flag.NO_SUBCELL) != 0).tolist() == [False, True]


def test_cell_means_need_no_subcells():
    stars = observed(1, l=[9.3], b=[-4.4])
    prepared = prepare(stars, model(**{"extinction.map_value": "cell_mean"}))
    assert not prepared.flags[0] & Flag.NO_SUBCELL


def test_stars_outside_the_map_are_named():
    stars = observed(4, l=[0.0, 20.0, 0.0, 0.0], b=[0.0, 0.0, 8.0, 0.0], row=np.arange(4) + 100)
    with pytest.raises(InputError, match=r"2 stars lie outside .* row 101 .* l = 20.*outside_map"):
        prepare(stars, model())
    prepared = prepare(stars, model(**{"input.outside_map": "skip"}))
    assert prepared.keep.tolist() == [True, False, False, True]
    assert len(prepared.data.l_deg) == len(prepared.flags) == 2


def test_stars_without_magnitudes_can_be_skipped():
    stars = observed(2, mag=[MAG, [NAN] * 4], flags=np.array([0, Flag.NO_PHOTOMETRY], np.int32))
    assert prepare(stars, model()).keep.all()
    skipping = model(**{"input.no_photometry": "skip"})
    assert prepare(stars, skipping).keep.tolist() == [True, False]


@pytest.mark.parametrize(
    ("parallax", "error", "ruwe", "used", "rejected"),
    [
        (0.5, 0.1, 1.0, True, False),
        (0.5, 0.1, NAN, True, False),
        (-0.5, 0.1, 1.4, True, False),
        (0.5, 0.1, 1.41, False, True),
        (0.5, NAN, 1.0, False, True),
        (NAN, 0.1, 1.0, False, False),
    ],
)
def test_quality_of_parallaxes(parallax, error, ruwe, used, rejected):
    stars = observed(parallax=[parallax], parallax_error=[error], ruwe=[ruwe])
    prepared = prepare(stars, model(**{"parallax.zero_point_mas": -0.03}))
    assert bool(prepared.flags[0] & Flag.PARALLAX_USED) is used
    assert bool(prepared.flags[0] & Flag.PARALLAX_REJECTED) is rejected
    if used:
        assert prepared.data.parallax[0] == parallax + 0.03
        assert prepared.data.parallax_error[0] == error
    else:
        assert np.isnan(prepared.data.parallax[0])


def test_parallaxes_can_be_switched_off():
    stars = observed(parallax=[0.5], parallax_error=[0.1])
    prepared = prepare(stars, model(**{"parallax.use": False}))
    assert np.isnan(prepared.data.parallax[0])
    assert not prepared.flags[0] & (Flag.PARALLAX_USED | Flag.PARALLAX_REJECTED)


def test_hw_is_used_where_it_is_needed():
    mag = [[15, 12.5, 11, 14.0], [NAN, 12.5, 11, 14.0], [15, 12.5, 11, NAN]]
    prepared = prepare(observed(3, mag=mag), model())
    assert np.isfinite(prepared.data.mag[:, 3]).tolist() == [False, True, False]
    assert ((prepared.flags & Flag.HW_REDUNDANT) != 0).tolist() == [True, False, False]
    assert ((prepared.flags & Flag.HW_USED) != 0).tolist() == [False, True, False]
    always = prepare(observed(3, mag=mag), model(**{"photometry.use_hw": "always"}))
    assert np.isfinite(always.data.mag[:, 3]).tolist() == [True, True, False]
    assert not (always.flags & Flag.HW_REDUNDANT).any()


def test_velocities_have_their_own_place_in_the_stream():
    keys = np.array([3, 5, 7], np.uint64)
    drawn = velocity_uniforms(keys)(2, np.array([0, 2]))
    np.testing.assert_array_equal(drawn, uniform(keys[[0, 2]], VELOCITY + 6, 3))


@pytest.mark.slow
def test_possible_stars_are_explained_and_others_are_not():
    # A red giant behind the dust, a star whose J is 3 mag too bright, one with J and Ks swapped.
    mag = [[15.6, 12.4, 10.9, NAN], [12.6, 12.4, 10.9, NAN], [10.9, 12.4, 15.6, NAN]]
    stars, used = observed(3, mag=mag), model()
    prepared = prepare(stars, used)
    inferred = infer(
        prepared.data, prepared.flags, star_keys(stars, 1, used.config.run.realisations), used
    )
    flagged = (inferred.flags[:, 0] & Flag.UNEXPLAINED) != 0
    assert flagged.tolist() == [False, True, True]
    # Without evidences of other stars: those whose errors had to be inflated.
    inflated = (inferred.flags[:, 0] & Flag.ERRORS_INFLATED) != 0
    assert inflated.tolist() == flagged.tolist()
    assert np.isnan(inferred.evidence_pvalue).all()
    assert inferred.n_bands.tolist() == [3, 3, 3]


@pytest.mark.slow
def test_stars_are_unexplained_by_their_p():
    """What few stars of the model are below is flagged, whether or not errors were inflated."""

    class Evidences:
        def p_value(self, data, variance, log_evidence):
            return np.array([1.01, 0.99, np.nan, np.nan]) * LEAST_P_VALUE

    mag = [MAG, MAG, MAG, [12.6, 12.4, 10.9, NAN]]
    stars, used = observed(4, mag=mag), model()
    prepared = prepare(stars, used)
    keys = star_keys(stars, 1, used.config.run.realisations)
    found = infer(prepared.data, prepared.flags, keys, used, evidences=Evidences())
    flagged = (found.flags[:, 0] & Flag.UNEXPLAINED) != 0
    assert flagged.tolist() == [False, True, False, True]
    assert found.evidence_pvalue[1] == 0.99 * LEAST_P_VALUE


def test_expected_number_does_not_depend_on_a_measurement_that_says_nothing():
    stars = observed(2, parallax=[NAN, 0.1], parallax_error=[NAN, 1e3])
    used = model()
    prepared = prepare(stars, used)
    inferred = infer(
        prepared.data, prepared.flags, star_keys(stars, 1, used.config.run.realisations), used
    )
    expected = log_expected(
        prepared.data, inferred.summary.log_evidence, used.posterior.variance(prepared.data)
    )
    assert expected[1] == pytest.approx(expected[0], abs=1e-3)


def test_hw_outside_its_colours_is_flagged_per_draw():
    stars = observed(2, mag=[[16.0, 13.0, 11.2, NAN], [19.5, 13.5, 10.2, NAN]])
    used = model(**{"run.realisations": 3})
    prepared = prepare(stars, used)
    inferred = infer(
        prepared.data, prepared.flags, star_keys(stars, 1, used.config.run.realisations), used
    )
    found = (inferred.flags & Flag.HW_EXTRAPOLATED) != 0
    colour = inferred.draws.mag[..., 0] - inferred.draws.mag[..., 1]
    np.testing.assert_array_equal(found, colour > 5.0)
    assert found.any(axis=1).tolist() == [False, True]


def test_errors_are_those_that_were_learned():
    used = model()
    nothing = nothing_learned("subcell", used.law)
    scale, floor = np.array([1.0, 1.5, 2.0]), np.array([0.0, 0.0, 0.03])
    learned = replace(nothing, error_scale=scale, error_floor_mag=floor)
    stars = observed()
    found = prepare(stars, used.with_learned(learned)).data.mag_error[0]
    np.testing.assert_allclose(found[:3], np.hypot(0.05 * scale, floor))
    np.testing.assert_array_equal(stars.mag_error[0, :3], [0.05] * 3)
    same = prepare(stars, used.with_learned(nothing)).data.mag_error
    np.testing.assert_array_equal(same, prepare(stars, used).data.mag_error)


def test_motions_are_in_the_frame_that_was_learned():
    stars = observed(
        2, pmra=[1.0, NAN], pmdec=[-2.0, NAN], pmra_error=[0.3, NAN], pmdec_error=[0.3, NAN]
    )
    used = model()
    frame, error = np.array([0.3, -0.2]), np.array([0.1, 0.15])
    nothing = nothing_learned("subcell", used.law)
    learned = replace(nothing, frame_masyr=frame, frame_error_masyr=error, motion_scale=2.0)
    given, found, same = (
        prepare(stars, one).data.motion
        for one in (used, used.with_learned(learned), used.with_learned(nothing))
    )
    np.testing.assert_allclose(found.vector[0, :2], given.vector[0, :2] - frame)
    np.testing.assert_allclose(found.pm_ll[0], 0.6**2 + error[0] ** 2)
    np.testing.assert_allclose(found.pm_bb[0], 0.6**2 + error[1] ** 2)
    np.testing.assert_allclose(found.pm_lb[0], 4.0 * given.pm_lb[0], atol=1e-12)
    assert found.has_pm.tolist() == [True, False]
    for one, other in zip(given, same, strict=True):
        np.testing.assert_array_equal(one, other)
