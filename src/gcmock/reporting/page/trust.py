"""The sections that say where a catalogue can be trusted, and how it was made."""

from __future__ import annotations

import json
from functools import cache

import numpy as np

from gcmock.learned import Learned
from gcmock.reporting.page.content import (
    Block,
    Listing,
    Numbers,
    PageSection,
    Picture,
    Text,
    grouped,
    percent,
)
from gcmock.reporting.page.maps import map_table, map_words
from gcmock.reporting.page.subject import Subject
from gcmock.reporting.page.tally import GROUP_OF, WIDTH
from gcmock.reporting.page.truth import TruthComparison
from gcmock.reporting.plots import sky, stars
from gcmock.words.bands import LINEAR_BANDS
from gcmock.words.cases import CASES
from gcmock.words.components import GROUPS, LABELS, PARTS
from gcmock.words.flags import Flag

EXPECTED_COVERAGE, LARGE_ECE = 0.68, 0.02
MANY_UNEXPLAINED, MANY = 0.01, 0.05

MODEL_LIMITS = (
    "Discs and bar were fitted at |b| > 1 deg or so; inside that they are extrapolated.",
    "The nuclear star cluster has a published density, but velocities computed here, and its "
    "populations are assumed to be those of the nuclear disc.",
    "Extinction decides much. Where the map has no sub-cells, or the law is wrong, "
    "probabilities and "
    "distances are less certain than they say.",
    "The isochrones start at 50 Myr and 0.09 solar masses and lack dust-enshrouded giants.",
    "No binaries, no white dwarfs, no stellar halo; blends are measurements with wider errors.",
    "Positions are those of the input: stars that the list lacks are lacking here.",
)
"""Known limits of the model, for every catalogue."""


def trust_section(subject: Subject) -> PageSection:
    """Return what the numbers of the catalogue say about it, and the limits of the model."""
    blocks: list[Block] = [*verdicts(subject)]
    blocks.append(
        Picture(
            "distance_errors",
            "How well distances are known",
            "Histogram of the half width of the 68 % interval of the distance by most probable "
            "group; "
            f"median {_median_width(subject):.1f} kpc.",
            lambda axis: stars.distance_errors(axis, subject.tally),
            "Half width of the 68 % interval of the posterior.",
            (4.9, 3.3),
        )
    )
    blocks.append(
        Picture(
            "distance_error_map",
            "Where distances are known",
            map_words("Mean half width of the 68 % interval of the distance", subject, "width"),
            lambda axis: sky.distance_error_map(axis, subject.tally),
            "Mean over the stars of a cell; white: too few stars.",
            subject.sky_size,
        )
    )
    blocks += [Text(limit, "limit") for limit in MODEL_LIMITS]
    return PageSection("trust", "Where to trust it", tuple(blocks))


def verdicts(subject: Subject) -> list[Text]:
    """Sentences that follow from the numbers of a catalogue."""
    tally, n = subject.tally, subject.tally.n_star
    found = []
    unexplained = tally.flags[Flag.UNEXPLAINED] / n
    kind = "good" if unexplained < MANY_UNEXPLAINED else "bad"
    found.append(
        Text(
            f"{percent(unexplained, 2)} of the stars have an evidence lower than all but 0.01 % of "
            "the model's own stars (flag UNEXPLAINED).",
            kind,
        )
    )
    single = tally.bands[1] / n
    if single > MANY:
        found.append(
            Text(
                f"{percent(single)} of the stars have a single band, hence no colour: component "
                "and "
                "distance then rest on the model and on the extinction map.",
                "bad",
            )
        )
    if dark := tally.bands[0] / n:
        found.append(
            Text(
                f"{percent(dark, 2)} of the stars have no magnitude: they are draws of the prior.",
                "bad",
            )
        )
    coarse = tally.flags[Flag.NO_SUBCELL] / n
    if coarse > MANY:
        found.append(
            Text(
                f"For {percent(coarse)} of the stars the extinction map has no sub-cells: mean "
                "extinction of a cell of 0.025 deg, with more scatter than assumed.",
                "bad",
            )
        )
    assumed = tally.flags[Flag.ERROR_ASSUMED] / n
    if assumed > MANY:
        error = subject.photometry.default_error_mag
        found.append(
            Text(
                f"{percent(assumed)} of the stars came without a valid magnitude error; "
                f"{error:g} mag was assumed.",
                "bad",
            )
        )
    found.append(
        Text(
            f"The 68 % interval of the distance is ± {_median_width(subject):.1f} kpc for half "
            "of the "
            "stars, or better.",
            "good" if _median_width(subject) < 1.0 else "bad",
        )
    )
    if subject.comparison is not None:
        found += _against_truth(subject.comparison)
    return found


def _against_truth(c: TruthComparison) -> list[Text]:
    near = abs(c.coverage - EXPECTED_COVERAGE) < 0.03
    return [
        Text(
            f"Against the known truth, the 68 % interval of the distance covers "
            f"{percent(c.coverage)} "
            f"of {grouped(c.n_star)} stars.",
            "good" if near else "bad",
        ),
        Text(
            f"P(nuclear) deviates from the true fractions by {c.ece:.3f} on average (calibration "
            "error).",
            "good" if c.ece < LARGE_ECE else "bad",
        ),
    ]


def _median_width(subject: Subject) -> float:
    values = np.cumsum(subject.tally.widths.sum(axis=0))
    return float(10.0 ** np.interp(0.5 * values[-1], values, WIDTH.edges[1:]))


def extinction_section(subject: Subject) -> PageSection:
    """Return the extinction that was used, learned and found, on one scale."""
    size, law, tally, model = subject.sky_size, subject.model.law, subject.tally, subject.model

    @cache
    def limits() -> tuple[float, float]:
        return sky.extinction_limits(tally, model)

    pictures = [
        Picture(
            "extinction_used",
            "Extinction map of the model",
            map_words("Extinction in Ks (extremes: of the stars)", subject, "a_ks"),
            lambda axis: sky.extinction_used(axis, tally, model, limits=limits()),
            f"At the distance of the red clump, law {law.name}. Grey: no stars.",
            size,
        )
    ]
    if model.learned is not None:
        pictures += [
            Picture(
                "extinction_learned",
                "Extinction as it was learned",
                "The same map with what the stars of the list say of it, on the same scale.",
                lambda axis: sky.extinction_learned(axis, tally, model, limits=limits()),
                "The mean at the distance of the red clump; that of the map where nothing was "
                "learned.",
                size,
            ),
            Picture(
                "extinction_change",
                "Learned less map",
                "Difference of the two maps: red where more extinction was learned.",
                lambda axis: sky.extinction_change(axis, tally, model),
                "How far what was learned is from the map.",
                size,
            ),
        ]
    pictures.append(
        Picture(
            "extinction_found",
            "Mean extinction of the drawn stars",
            map_words("Mean extinction in Ks of the drawn stars", subject, "a_ks"),
            lambda axis: sky.extinction_found(axis, tally, limits=limits()),
            "Bright and near stars have less dust before them than the map says: a list with a "
            "magnitude limit prefers them where dust is thick.",
            size,
            map_table("Mean A(Ks) of the stars [mag]", subject, "a_ks"),
        )
    )
    words = Text(
        "The map has cells of 0.005 to 0.025 deg. Dust inside a cell is scatter, of which the "
        f"settings assume {model.config.extinction.residual_scatter_mag:g} mag of E(J − Ks).",
        "limit",
    )
    return PageSection("extinction", "Extinction", (*pictures, words))


def evidence_section(subject: Subject) -> PageSection:
    """Return where the model does not explain the stars, and all flags."""
    tally = subject.tally
    rows = [
        (
            flag.name or "",
            grouped(tally.flags[flag]),
            percent(tally.flags[flag] / tally.n_star, 2),
            flag.description,
        )
        for flag in Flag
    ]
    bands = [
        (str(n), grouped(tally.bands[n]), percent(tally.bands[n] / tally.n_star))
        for n in sorted(tally.bands)
    ]
    return PageSection(
        "evidence",
        "How well stars are explained",
        (
            Picture(
                "evidence_map",
                "Evidence, relative to similar stars",
                map_words("Evidence relative to similar stars", subject, "evidence"),
                lambda axis: sky.evidence_map(axis, tally, subject.model),
                "How probable magnitudes like those of the stars are for a star of the model in "
                "their direction, against stars of the same brightness and bands elsewhere; red: "
                "less. Behind thick dust few stars of the model are as bright, so the map follows "
                "the dust even where all is right: look for what departs from it, such as single "
                "red cells and borders.",
                subject.sky_size,
                map_table("ln evidence relative to similar stars", subject, "evidence"),
            ),
            Numbers("Flags", ("flag", "stars", "fraction", "meaning"), rows),
            Numbers(
                "Stars by number of magnitudes used", ("magnitudes", "stars", "fraction"), bands
            ),
        ),
    )


def truth_section(c: TruthComparison, truth_name: str) -> PageSection:
    """Return how a catalogue compares with a known truth, and where that is from."""
    levels = ("5 %", "16 %", "50 %", "84 %", "95 %")
    coverage = [(level, percent(value)) for level, value in zip(levels, c.below, strict=True)]
    truth = c.confusion.sum(axis=1)
    fractions = [
        (
            LABELS[g],
            percent(truth[i] / c.n_star, 2),
            percent(c.confusion[:, i].sum() / c.n_star, 2),
            *(percent(v / max(truth[i], 1.0)) for v in c.confusion[i]),
        )
        for i, g in enumerate(GROUPS)
    ]
    return PageSection(
        "truth",
        "Against the truth",
        (
            Picture(
                "reliability",
                "Are probabilities what they say?",
                "True fraction of nuclear stars against stated probability in ten bins; "
                f"mean deviation {c.ece:.3f}.",
                lambda axis: stars.reliability(axis, c),
                f"{grouped(c.n_star)} stars of {truth_name}. "
                "Calibration "
                f"error {c.ece:.3f}, Brier score {c.brier:.3f} ({c.base_brier:.3f} without any "
                "data).",
                (4.4, 3.9),
                Numbers(
                    "Reliability",
                    ("stated", "true fraction", "stars"),
                    [
                        (f"{p:.2f}", f"{f:.2f}", grouped(k))
                        for p, f, k in zip(c.mean_p, c.fraction, c.number, strict=True)
                    ],
                    hidden=True,
                ),
            ),
            Numbers(
                "True distances below the quantiles of the posterior (ideal: the quantile itself)",
                ("quantile", "true distances below"),
                coverage,
            ),
            Numbers(
                "Fractions, and where the probability of the stars of a true group goes",
                ("true group", "true fraction", "found", *(f"to {LABELS[g]}" for g in GROUPS)),
                fractions,
            ),
        ),
    )


def provenance_section(subject: Subject) -> PageSection:
    """Return how the catalogue was made."""
    metadata = dict(subject.metadata)
    config = metadata.pop("config", "")
    metadata.pop("flags", None)
    rows = [(name.replace("_", " "), _plain(value)) for name, value in metadata.items()]
    blocks: list[Block] = [Numbers("Provenance", ("", ""), rows)]
    if subject.model.learned is not None:
        words = learned_words(subject.model.learned)
        blocks.append(Numbers("What was learned from a list", ("", ""), words))
    if config:
        blocks.append(Listing("Settings (TOML)", config))
    return PageSection("made", "How it was made", tuple(blocks))


def learned_words(learned: Learned) -> list[tuple[str, str]]:
    """Return what was learned from the stars of a list, in words."""
    kappa = ", ".join(f"{a:.3f}" for a in learned.law.rows[-1])
    weights = zip(PARTS, learned.weights, strict=True)
    cases = zip(CASES, learned.case_fraction, strict=True)
    errors = ", ".join(
        f"{name} × {scale:.2f}"
        for name, scale in zip(LINEAR_BANDS, learned.error_scale, strict=True)
    )
    reddening = "that of the map, with what maps are wrong by"
    if learned.cell.size:
        reddening = (
            f"{learned.factor.mean():.3f} of the map's in {grouped(learned.cell.size)} cells, "
            f"scatter {learned.scatter.mean():.3f}"
        )
    return [
        ("reddening", reddening),
        ("A_J, A_H, A_Ks over E(J-Ks)", kappa),
        ("numbers of stars", ", ".join(f"{p.name} × {w:.2f}" for p, w in weights if w != 1.0)),
        ("stated errors", errors),
        ("measurements", ", ".join(f"{c.name} {percent(e, 2)}" for c, e in cases)),
        ("zero point of parallaxes [mas]", f"{learned.zero_point_mas:+.3f}"),
        ("errors of parallaxes", f"× {learned.parallax_scale:.2f}"),
        (
            "frame of proper motions in l and b [mas/yr]",
            ", ".join(f"{x:+.2f}" for x in learned.frame_masyr),
        ),
        ("errors of proper motions", f"× {learned.motion_scale:.2f}"),
    ]


def _plain(value: str) -> str:
    """Return the JSON of the metadata as text for people."""
    try:
        values = json.loads(value)
    except ValueError:
        return value
    if not isinstance(values, dict):
        return value
    return ", ".join(f"{key} {item}" for key, item in values.items())


def at_a_glance(subject: Subject) -> list[tuple[str, str]]:
    """Return the numbers at the top of the page: what, how many."""
    tally = subject.tally
    p = tally.p_sum / tally.n_star
    l_low, l_high, b_low, b_high = subject.window
    realisations = tally.extent.n_realisation
    return [
        ("stars", grouped(tally.n_star)),
        ("drawn stars each", grouped(realisations)),
        (
            "window [deg]",
            f"{l_low:.2f} < l < {l_high:.2f}, {b_low:.2f} < b < {b_high:.2f}".replace(
                "-", "\u2212"
            ),
        ),
        *((LABELS[g], percent(p[i == GROUP_OF].sum())) for i, g in enumerate(GROUPS)),
        ("distance known to", f"± {_median_width(subject):.1f} kpc"),
        ("unexplained", percent(tally.flags[Flag.UNEXPLAINED] / tally.n_star, 2)),
    ]
