"""Ghosts, spikes and peaks of noise: how many, where, and how bright."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest

from gcmock.surveys.simulated import artefacts as module
from gcmock.surveys.simulated.artefacts import (
    FARTHEST_ARCSEC,
    MOST_GHOSTS,
    NEAREST_WIDTHS,
    ArtefactKind,
    ghosts,
    noise_peaks,
)
from gcmock.surveys.simulated.blocks import TrueStars, flat_coordinates

INSTRUMENT = SimpleNamespace(
    ghost_mag=10.0, ghosts=0.5, number=2, stream=2,
    saturation_mag=(9.0, 9.0, 9.0), detection_band=2,
    fwhm_arcsec=1.0, noise_per_deg2=3000.0, bands=("j", "h", "ks"),
)  # fmt: skip


def stars_of(ks, l_deg=None):
    n = len(ks)
    l_deg = np.zeros(n) if l_deg is None else l_deg
    b_deg, zero = np.zeros(n), np.zeros(n)
    mag = np.column_stack([np.asarray(ks) + shift for shift in (3.0, 1.0, 0.0)])
    x, y = flat_coordinates(l_deg, b_deg)
    return TrueStars(np.arange(n), np.zeros(n, np.int8), x, y, l_deg, b_deg,
                     zero, zero, zero, zero, zero, zero, mag)  # fmt: skip


@pytest.fixture(autouse=True)
def halo(monkeypatch):
    """Bright stars without a halo: ghosts lie three widths of the image away or farther."""
    monkeypatch.setattr(module, "halo_arcsec", lambda mag, saturation, instrument: 0.0 * mag)


def test_number_of_ghosts_grows_with_the_brightness():
    for ks in (9.0, 7.5, 5.0):
        stars = stars_of(np.full(4000, ks))
        found = ghosts(stars, stars.mag[:, 2], INSTRUMENT, 1)
        mean = min(0.5 * 10.0 ** (0.2 * (10.0 - ks)), MOST_GHOSTS)
        assert found.l.size / 4000 == pytest.approx(mean, rel=0.05)
    faint = stars_of(np.full(10, 10.0))
    assert ghosts(faint, faint.mag[:, 2], INSTRUMENT, 1).l.size == 0


def test_ghosts_lie_around_their_star_and_are_fainter():
    stars = stars_of(np.full(500, 5.0))
    found = ghosts(stars, stars.mag[:, 2], INSTRUMENT, 1)
    away = np.hypot(found.x, found.y)
    assert away.min() >= 0.8 * NEAREST_WIDTHS * INSTRUMENT.fwhm_arcsec - 1e-6
    assert away.max() <= min(3.0 * NEAREST_WIDTHS * INSTRUMENT.fwhm_arcsec, FARTHEST_ARCSEC) + 1e-6
    shown = np.isfinite(found.mag)
    # Every ghost is seen in some band, and not all of them in all.
    assert shown.any(axis=1).all()
    assert not shown.all()
    fainter = (found.mag - stars.mag[0])[shown]
    assert 4.0 <= fainter.min() < fainter.max() <= 8.0
    # Most lie on four spikes.
    angle = np.degrees(np.arctan2(found.y, found.x)) % 90.0
    assert (np.minimum(angle, 90.0 - angle) < 2.01).mean() == pytest.approx(0.71, abs=0.04)
    assert set(found.kind) == {ArtefactKind.GHOST}
    assert np.unique(found.identity).size == found.identity.size


def test_ghosts_follow_from_their_star_alone():
    stars = stars_of(np.full(30, 6.0))
    every = ghosts(stars, stars.mag[:, 2], INSTRUMENT, 1)
    few = stars.take(np.arange(10, 20))
    some = ghosts(few, few.mag[:, 2], INSTRUMENT, 1)
    assert set(some.identity) <= set(every.identity)
    assert set(ghosts(stars, stars.mag[:, 2], INSTRUMENT, 2).identity).isdisjoint(every.identity)


def test_noise_has_its_density_and_lies_near_the_limit():
    # Stars fill a square of the sky of a tenth of a degree.
    side = np.arange(0.0, 0.1, 0.001)
    l_deg, b_deg = (x.ravel() for x in np.meshgrid(side, side, indexing="ij"))
    stars = stars_of(np.full(l_deg.size, 15.0))
    x, y = flat_coordinates(l_deg, b_deg)
    stars = stars._replace(l=l_deg, b=b_deg, x=x, y=y)
    limit = np.tile([20.0, 19.0, 18.0], (l_deg.size, 1))
    found = noise_peaks(stars, limit, INSTRUMENT, 1)
    shown = np.isfinite(found.mag)
    # In one band each, in all bands alike.
    assert (shown.sum(axis=1) == 1).all()
    assert set(found.kind) == {ArtefactKind.NOISE}
    n_cell = len({(int(a), int(b)) for a, b in zip(
        module.cell_number(x), module.cell_number(y), strict=True)})  # fmt: skip
    expected = INSTRUMENT.noise_per_deg2 * n_cell * (module.CELL_ARCSEC / 3600.0) ** 2
    assert found.l.size == pytest.approx(expected, abs=4.0 * np.sqrt(expected) + 1.0)
    above = (found.mag - [20.0, 19.0, 18.0])[shown]
    # 0.3 mag below the limit and an exponential tail of 0.4 mag to brighter peaks.
    assert above.max() <= 0.3
    assert above.mean() == pytest.approx(0.3 - 0.4, abs=0.3)
