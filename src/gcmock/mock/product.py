"""The mock catalogue as columns, and the record of how it was made."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from gcmock.arrays import Columns
from gcmock.dust.laws import load_law
from gcmock.frames import galactic_to_icrs_proper_motion
from gcmock.io.observed import ObservedStars
from gcmock.io.provenance import provenance
from gcmock.learned import Learned, load_learned
from gcmock.mock.infer import Inferred
from gcmock.model import Model
from gcmock.settings.build import Config
from gcmock.stars.bands import load_relations
from gcmock.words.bands import BANDS, KS, magnitude_name
from gcmock.words.cases import CASE_COLUMNS, CASES
from gcmock.words.columns import OUTPUT_COLUMNS, Column
from gcmock.words.components import COMPONENTS
from gcmock.words.flags import Flag

CITATION: Final = (
    "Koshimoto, Baba & Bennett 2021 (ApJ 917, 78); Sormani et al. 2022 (MNRAS 512, 1857); "
    "Chatzopoulos et al. 2015 (MNRAS 447, 948); Surot et al. 2020 (A&A 644, A140); "
    "Bressan et al. 2012 (MNRAS 427, 127); and CITATION.cff of gcmock"
)

CONTENT: Final = "true stars drawn from the posteriors of observed stars"


def output_columns(source_id: Column) -> tuple[Column, ...]:
    """Return the columns of a catalogue whose `source_id` has the type of the input."""
    return tuple(source_id if c.name == source_id.name else c for c in OUTPUT_COLUMNS)


def assemble(stars: ObservedStars, inferred: Inferred, model: Model) -> Columns:
    """Columns of the true stars behind observed ones.

    Parameters
    ----------
    stars : ObservedStars
        The n_star stars that were inferred.
    inferred : Inferred
        Its draws have n_realisation stars each.
    model : Model

    Returns
    -------
    dict of str to ndarray, shape (n_star * n_realisation,)
        `gcmock.words.columns.OUTPUT_COLUMNS`; the realisations of a star follow one another.
    """
    draws, summary, velocity = inferred.draws, inferred.summary, inferred.velocity
    n_star, n_realisation = draws.distance_pc.shape

    def of_star(values: NDArray[Any]) -> NDArray[Any]:
        return np.repeat(values, n_realisation, axis=0)

    l_deg, b_deg = of_star(stars.l), of_star(stars.b)
    distance, node = draws.distance_pc.ravel(), draws.node.ravel()
    vx, vy, vz = velocity.reshape(-1, 3).T
    x, y, z = model.galaxy.position(l_deg, b_deg, distance)
    seen = model.galaxy.observables(l_deg, b_deg, distance, velocity.reshape(-1, 3))
    pmra, pmdec = galactic_to_icrs_proper_motion(l_deg, b_deg, seen.pm_l_cosb, seen.pm_b)
    nodes = model.posterior.nodes
    kappa_ks = of_star(model.law.kappa(stars.l, stars.b)[:, KS])
    quantiles = summary.distance_quantile_pc.T
    return {
        "source_id": of_star(stars.source_id),
        "realisation": np.tile(np.arange(n_realisation, dtype=np.int32), n_star),
        "ra": of_star(stars.ra),
        "dec": of_star(stars.dec),
        "l": l_deg,
        "b": b_deg,
        "ref_epoch": of_star(stars.ref_epoch),
        "distance_pc": distance,
        "parallax": 1000.0 / distance,
        "pmra": pmra,
        "pmdec": pmdec,
        "radial_velocity": seen.radial_velocity,
        "component": np.array(COMPONENTS)[draws.component.ravel()],
        "mass_init": nodes.mass_init[node],
        "age_gyr": nodes.age_gyr[node],
        "metallicity": nodes.metallicity[node],
        **{magnitude_name(band): draws.mag[..., i].ravel() for i, band in enumerate(BANDS)},
        "a_ks": kappa_ks * draws.e_jks.ravel(),
        "x_pc": x,
        "y_pc": y,
        "z_pc": z,
        "vx": vx,
        "vy": vy,
        "vz": vz,
        **{f"p_{name}": of_star(summary.probability[:, i]) for i, name in enumerate(COMPONENTS)},
        "distance_mean_pc": of_star(summary.distance_mean_pc),
        **{
            f"distance_q{percent:02d}_pc": of_star(values)
            for percent, values in zip((5, 16, 50, 84, 95), quantiles, strict=True)
        },
        **{f"p_{name}": of_star(p) for name, p in case_columns(summary.case).items()},
        "log_evidence": of_star(summary.log_evidence),
        "evidence_pvalue": of_star(inferred.evidence_pvalue),
        "n_bands": of_star(inferred.n_bands),
        "flags": inferred.flags.ravel(),
    }


def case_columns(probability: NDArray[np.float32]) -> dict[str, NDArray[np.float32]]:
    """Return the probabilities of cases, those of one column added up, by its name."""
    return {
        name: np.asarray(
            sum(probability[:, i] for i, case in enumerate(CASES) if case.column == name),
            np.float32,
        )
        for name in CASE_COLUMNS
    }


def record_of_mock(
    config: Config,
    source: Mapping[str, Any],
    rows: Mapping[str, int],
    *,
    learned: Learned | None = None,
    dated: bool = True,
) -> dict[str, str]:
    """Record of how a catalogue was made, for the metadata of its file.

    Parameters
    ----------
    config : Config
        The resolved settings.
    source : mapping
        The input: ``name`` and ``sha256``.
    rows : mapping of str to int
        Number of rows read, written, and skipped by reason.
    learned : Learned, optional
        What was learned, if it is in no file; else that of ``[learn] file``.
    dated : bool
        Record the time as well; without it equal runs give equal bytes.

    Returns
    -------
    dict of str to str
        Texts; structured entries are TOML (``config``) or JSON.
    """
    relations = load_relations(config.photometry.hw_relation)
    law, calibration = load_law(config.extinction.law), {}
    if config.learn.file:
        learned = load_learned(config.learn.file)
    if learned is not None:
        law, calibration = learned.law, {"learned_sha256": learned.sha256}
    words = {
        **calibration,
        "extinction_law": f"{law.name}: {law.source}",
        **{
            f"{band}_relation": f"{relation.name}: {relation.source} ({relation.status})"
            for band, relation in relations.items()
        },
        "flags": json.dumps({str(flag.value): f"{flag.name}: {flag.description}" for flag in Flag}),
        "citation": CITATION,
    }
    return provenance(config, CONTENT, source, rows, words, dated=dated)
