"""The sample of stars as the view in the page reads it: columns and posteriors, compressed."""

from __future__ import annotations

import base64
import json
import zlib
from dataclasses import asdict
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gcmock.arrays import Floats
from gcmock.reporting.page.sample import QUANTILE_COLUMNS, Posteriors, RowSample
from gcmock.reporting.page.tally import GROUP_OF, component_places
from gcmock.words.bands import BANDS, KS, H, band_label, colour_label, magnitude_name
from gcmock.words.components import COMPONENTS, GROUP_TABLE, PROBABILITIES
from gcmock.words.flags import Flag

_LEVELS = 255


def compressed(content: bytes) -> str:
    """Compress bytes (zlib) and write them as base64."""
    return base64.b64encode(zlib.compress(content, 9)).decode("ascii")


def quantised(probability: Floats, edges: Floats) -> NDArray[np.uint8]:
    """Density per pc of every star as square roots in steps of 1/255 of its largest value.

    Parameters
    ----------
    probability : ndarray, shape (n_star, n_group, n_bin)
    edges : ndarray, shape (n_bin + 1,)

    Returns
    -------
    ndarray of uint8, shape (n_star, n_group, n_bin)
        Zero where there is no posterior.
    """
    density = np.maximum(probability, 0.0) / np.diff(edges)
    largest = density.max(axis=(1, 2), keepdims=True)
    relative = np.divide(density, largest, out=np.zeros_like(density), where=largest > 0)
    return np.rint(_LEVELS * np.sqrt(relative)).astype(np.uint8)


def view_of(sample: RowSample, posteriors: Posteriors | None) -> dict[str, Any]:
    """Return columns and words of the view, which JSON can hold."""
    rows = sample.rows
    p = np.stack([rows[name] for name in PROBABILITIES], axis=1)
    groups = np.stack([p[:, i == GROUP_OF].sum(axis=1) for i in range(len(GROUP_TABLE))], axis=1)
    mag = np.stack([rows[magnitude_name(band)] for band in BANDS], axis=1)
    observed = posteriors.mag if posteriors is not None else np.full_like(mag, np.nan)
    error = posteriors.mag_error if posteriors is not None else np.full_like(mag, np.nan)
    # Observed colours where most stars have them, drawn ones where not.
    both = np.isfinite(observed[:, [H, KS]]).all(axis=1).mean() > 0.5
    shown = observed if both else mag
    return {
        "what": "observed" if both else "drawn",
        "id": [str(value) for value in rows["source_id"].tolist()],
        "l": _rounded((rows["l"] + 180.0) % 360.0 - 180.0, 5),
        "b": _rounded(rows["b"], 5),
        "colour": _rounded(shown[:, H] - shown[:, KS], 3),
        "bright": _rounded(shown[:, KS], 3),
        "drawn": _rounded(mag, 2),
        "observed": _rounded(observed, 3),
        "error": _rounded(error, 3),
        "p": _rounded(groups, 4),
        "component": component_places(rows["component"]).tolist(),
        "distance": _rounded(rows["distance_pc"] / 1e3, 3),
        "quantiles": _rounded(np.stack([rows[name] for name in QUANTILE_COLUMNS], axis=1) / 1e3, 3),
        "a_ks": _rounded(rows["a_ks"], 2),
        "evidence": _rounded(rows["log_evidence"], 2),
        "flags": rows["flags"].tolist(),
        "edges": _rounded(posteriors.edges_pc / 1e3, 4) if posteriors is not None else [],
        "components": list(COMPONENTS),
        "groups": [asdict(group) for group in GROUP_TABLE],
        "bands": [band_label(band) for band in BANDS],
        "colour_label": colour_label("h", "ks"),
        "bright_label": band_label("ks"),
        "flag_names": {str(flag.value): flag.name for flag in Flag},
    }


def _rounded(values: Any, digits: int) -> list[Any]:
    """Return nested lists of rounded numbers, with None for NaN."""
    rounded = np.round(np.asarray(values, np.float64), digits)
    plain = rounded.astype(object)
    plain[~np.isfinite(rounded)] = None
    return list(plain.tolist())


def payload(sample: RowSample, posteriors: Posteriors | None) -> tuple[str, str]:
    """Return columns and posteriors of the sample as compressed text."""
    columns = json.dumps(view_of(sample, posteriors), separators=(",", ":"), allow_nan=False)
    if posteriors is None:
        return compressed(columns.encode()), ""
    densities = quantised(posteriors.probability, posteriors.edges_pc)
    return compressed(columns.encode()), compressed(densities.tobytes())
