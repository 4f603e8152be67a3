"""What a worker does with one pixel, with stand-ins for the model."""

from __future__ import annotations

import hashlib
from types import SimpleNamespace

import numpy as np
import pyarrow.parquet as pq
import pytest

from gcmock.errors import InputError
from gcmock.mock.account import Account
from gcmock.posterior.evidence import EvidenceTable
from gcmock.runtime import pixels
from gcmock.runtime.pixels import HEALPIX, ORDER, PixelWork, build_pixel, count_pixel, healpix_index
from gcmock.settings.build import load_config
from gcmock.words.columns import SOURCE_ID

pytest.importorskip("hats", reason="the extra [hats] is not installed")

CONFIG = load_config(None, {"run": {"realisations": 3}})


def nested_index(ra, dec, order):
    """Nested HEALPix index of one direction (Gorski et al. 2005, ApJ 622, 759)."""
    n = 2**order
    z, tt = np.sin(np.radians(dec)), (ra % 360.0) / 90.0
    if abs(z) <= 2.0 / 3.0:
        up, down = n * (0.5 + tt - 0.75 * z), n * (0.5 + tt + 0.75 * z)
        ip, im = int(up) // n, int(down) // n
        face = ip % 4 + 4 if ip == im else (ip % 4 if ip < im else im % 4 + 8)
        x, y = int(down) % n, n - int(up) % n - 1
    else:
        quarter = min(int(tt), 3)
        size = n * np.sqrt(3.0 * (1.0 - abs(z)))
        jp = min(int((tt - quarter) * size), n - 1)
        jm = min(int((1.0 - (tt - quarter)) * size), n - 1)
        face, x, y = (quarter, n - jm - 1, n - jp - 1) if z > 0 else (quarter + 8, jp, jm)
    bits = sum(((x >> k & 1) << 2 * k) | ((y >> k & 1) << 2 * k + 1) for k in range(order))
    return face * n * n + bits


def test_indices_are_nested_healpix():
    rng = np.random.default_rng(1)
    ra, dec = rng.uniform(0, 360, 200), np.degrees(np.arcsin(rng.uniform(-1, 1, 200)))
    found = healpix_index(ra, dec)
    assert found.dtype == np.int64
    for order in (0, 5, 10):
        expected = [nested_index(a, d, order) for a, d in zip(ra, dec, strict=True)]
        np.testing.assert_array_equal(found >> 2 * (ORDER - order), expected)


def test_a_model_is_loaded_once(monkeypatch):
    loaded = []
    monkeypatch.setattr(pixels, "load_model", lambda config: loaded.append(config) or config)
    pixels._model.cache_clear()
    try:
        one, other = (load_config(None, {"run": {"seed": s}}) for s in (1, 2))
        found = [pixels.model_of(c.model_dump_json()) for c in (one, other, one, other)]
        assert found == [one, other, one, other]
        assert loaded == [one, other]
    finally:
        pixels._model.cache_clear()


@pytest.fixture
def model(monkeypatch):
    """A model of a sky of one cell, without stars in it."""
    sky = SimpleNamespace(
        mean=np.zeros((1, 1)),
        cell_index=lambda l, b: np.zeros(len(l), np.int64),
        inside=lambda l, b: np.ones(len(l), bool),
    )
    found = SimpleNamespace(extinction_map=sky)
    monkeypatch.setattr(pixels, "model_of", lambda settings: found)
    monkeypatch.setattr(pixels, "config_of", lambda settings: CONFIG)
    return found


@pytest.fixture
def stars(few_stars, tmp_path):
    """A file of stars that all lie in one pixel of order 3."""
    path = tmp_path / "stars.fits"
    few_stars(20).write(path)
    return path


def pixel_of(order):
    from gcmock.frames import galactic_to_icrs

    ra, dec = galactic_to_icrs(0.31, -0.2)
    return int(healpix_index(np.atleast_1d(ra), np.atleast_1d(dec))[0]) >> 2 * (ORDER - order)


def test_stars_of_a_pixel_are_counted(model, stars, few_stars):
    found = count_pixel(str(stars), 3, pixel_of(3), "")
    table = few_stars(20)
    np.testing.assert_array_equal(found.identifiers, table["source_id"].astype(np.uint64))
    assert found.dtype == "int64"
    assert not found.skipped
    assert found.bytes == stars.stat().st_size
    assert found.sha256 == hashlib.sha256(stars.read_bytes()).hexdigest()


def test_stars_of_other_pixels_are_refused(model, stars):
    with pytest.raises(InputError, match="20 stars do not lie in the pixel of their partition, su"):
        count_pixel(str(stars), 3, pixel_of(3) + 1, "")


def test_identifiers_are_needed(model, tmp_path, few_stars):
    table = few_stars(5)
    table.remove_column("source_id")
    table.write(tmp_path / "nameless.fits")
    with pytest.raises(InputError, match=r"no column source_id\. The random numbers of a star"):
        count_pixel(str(tmp_path / "nameless.fits"), 3, pixel_of(3), "")


def test_true_stars_are_written_with_their_index(model, stars, tmp_path, monkeypatch):
    position = [c for c in pixels.output_columns(SOURCE_ID) if c.name in ("ra", "dec")]
    monkeypatch.setattr(pixels, "output_columns", lambda source_id: (source_id, *position))
    monkeypatch.setattr(pixels, "LARGEST_BATCH", 24)
    sizes = []

    def true_stars(raw, catalogue, found, policy, evidences):
        """Every second batch is left out; the others get positions that tell them apart."""
        sizes.append(len(raw.row))
        if len(sizes) % 2 == 0:
            return SimpleNamespace(columns={}, account=Account(99))
        values = {"ra": raw.row + 0.5, "dec": raw.row - 0.5, "source_id": raw.row}
        return SimpleNamespace(columns=values, account=Account(len(raw.row)))

    monkeypatch.setattr(pixels, "true_stars", true_stars)
    name = "dataset/Npix=3.parquet"
    work = PixelWork(
        str(stars), str(tmp_path / "out"), name, SOURCE_ID, {"a": "b"}, EvidenceTable({})
    )
    entry = build_pixel(work, "")
    # 24 rows of true stars at most, of three realisations.
    assert sizes == [8, 8, 4]
    table = pq.ParquetFile(tmp_path / "out" / "dataset" / "Npix=3.parquet").read()
    rows = np.concatenate([np.arange(8), np.arange(16, 20)])
    np.testing.assert_array_equal(table["source_id"].to_numpy(), rows)
    expected = healpix_index(rows + 0.5, rows - 0.5)
    np.testing.assert_array_equal(table[HEALPIX.name].to_numpy(), expected)
    assert (entry.name, entry.rows) == (name, 12)
    assert entry.account["n_written"] == 12
    # Doing it twice gives the same file.
    sizes.clear()
    assert build_pixel(work, "") == entry
