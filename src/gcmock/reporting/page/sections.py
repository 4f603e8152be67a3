"""The sections that show what a catalogue contains."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from matplotlib.axes import Axes

from gcmock.reporting.page.content import Numbers, PageSection, Picture, Text, grouped, percent
from gcmock.reporting.page.maps import map_table, map_words
from gcmock.reporting.page.subject import Subject, quantiles
from gcmock.reporting.page.tally import GROUP_OF, RADII
from gcmock.reporting.plots import motion, sky, stars
from gcmock.words.components import COMPONENTS, GROUPS, LABELS

EXTRAPOLATED = (
    "The discs and the bar of the model were fitted at |b| > 1 deg or so; inside that they are "
    "extrapolated."
)


def sky_section(subject: Subject) -> PageSection:
    """Return where the stars are."""
    tally, size = subject.tally, subject.sky_size
    pictures = []
    if subject.observed is not None:
        seen = subject.observed
        pictures.append(
            Picture(
                "sky_observed",
                "Observed stars",
                map_words("Number of observed stars per square arcminute", subject, "stars"),
                lambda axis: sky.sky_density(axis, seen),
                f"{grouped(seen.n_star)} rows of {subject.extra.get('input', 'the input')}.",
                size,
            )
        )
    pictures.append(
        Picture(
            "sky_density",
            "Stars of the catalogue",
            map_words("Number of stars per square arcminute", subject, "stars"),
            lambda axis: sky.sky_density(axis, tally),
            "Positions are those of the input: what is missing in the list is missing here.",
            size,
            map_table("Stars per square arcminute", subject, "stars", density=True),
        )
    )
    return PageSection("sky", "On the sky", tuple(pictures))


def nuclear_section(subject: Subject) -> PageSection:
    """Return where the nuclear disc is."""
    tally, size = subject.tally, subject.sky_size
    fraction = tally.p_sum[COMPONENTS.index("nsc")] / tally.n_star
    values = tally.nuclear
    likely = values[45:].sum() / tally.n_star
    unlikely = values[:5].sum() / tally.n_star
    blocks = [
        Picture(
            "nsd_probability",
            "Probability of the nuclear stellar disc",
            map_words("Mean probability of the nuclear stellar disc", subject, "p_nsd"),
            lambda axis: sky.probability_map(axis, tally, "nsd"),
            "Mean over the stars of a cell.",
            size,
            map_table("Mean P(nuclear stellar disc)", subject, "p_nsd"),
        )
    ]
    if fraction > 2e-3:
        blocks.append(
            Picture(
                "nsc_probability",
                "Probability of the nuclear star cluster",
                map_words("Mean probability of the nuclear star cluster", subject, "p_nsc"),
                lambda axis: sky.probability_map(axis, tally, "nsc"),
                "Mean over the stars of a cell.",
                size,
            )
        )
    blocks.append(
        Picture(
            "membership",
            "How certain membership is",
            f"Histogram of P(nuclear disc or cluster): {percent(unlikely)} of the stars below 0.1, "
            f"{percent(likely)} above 0.9.",
            lambda axis: stars.membership(axis, tally),
            f"{percent(likely)} of the stars have P > 0.9, {percent(unlikely)} have P < 0.1. What "
            "lies between cannot be decided from the measurements: use the probabilities as "
            "weights.",
            (4.9, 3.2),
            Numbers(
                "Stars by P(nuclear disc or cluster)",
                ("P", "stars"),
                [
                    (f"{0.1 * i:.1f} to {0.1 * (i + 1):.1f}", grouped(n))
                    for i, n in enumerate(np.add.reduceat(values, range(0, 50, 5)))
                ],
                hidden=True,
            ),
        )
    )
    return PageSection("nuclear", "The nuclear disc", tuple(blocks))


def component_section(subject: Subject) -> PageSection:
    """Return how many stars every component has."""
    tally = subject.tally
    error = np.sqrt(tally.p_variance)
    rows = []
    for i, name in enumerate(COMPONENTS):
        middle = quantiles(tally.distances[i], (0.5, 0.16, 0.84))
        spread = (
            "–" if np.isnan(middle[0]) else f"{middle[0]:.2f} ({middle[1]:.2f} to {middle[2]:.2f})"
        )
        rows.append(
            (
                name,
                grouped(tally.p_sum[i], 1),
                grouped(error[i], 1),
                percent(tally.p_sum[i] / tally.n_star, 2),
                grouped(tally.drawn[i], 0 if tally.extent.n_realisation == 1 else 1),
                spread,
            )
        )
    largest = max(range(len(GROUPS)), key=lambda i: tally.p_sum[i == GROUP_OF].sum())
    return PageSection(
        "components",
        "Components",
        (
            Picture(
                "fractions",
                "Fraction of the stars",
                "Bars: "
                + "; ".join(
                    f"{LABELS[g]} {percent(tally.p_sum[i == GROUP_OF].sum() / tally.n_star)}"
                    for i, g in enumerate(GROUPS)
                )
                + f". The largest is: {LABELS[list(GROUPS)[largest]]}.",
                lambda axis: stars.fractions(axis, tally),
                "Sums of the probabilities; bars and ± are the errors of drawing components "
                "(square "
                "root of the sum of p (1 − p)), not those of the model.",
                (4.9, 2.4),
            ),
            Picture(
                "distances",
                "Distances of the drawn stars",
                "Number of stars per kpc against distance: "
                + "; ".join(
                    f"{LABELS[g]} median {_median_distance(subject, i):.1f} kpc"
                    for i, g in enumerate(GROUPS)
                )
                + ".",
                lambda axis: stars.distances(axis, tally),
                "Drawn distances by drawn component, logarithmic.",
            ),
            Text(EXTRAPOLATED, "limit"),
            Numbers(
                "Components: expected number (sum of probabilities) with its error, stars drawn, "
                "distance (median, 68 %)",
                ("component", "expected stars", "±", "fraction", "drawn", "distance [kpc]"),
                rows,
            ),
        ),
    )


def _median_distance(subject: Subject, group: int) -> float:
    return quantiles(subject.tally.distances[group == GROUP_OF].sum(axis=0), (0.5,))[0]


def motion_section(subject: Subject) -> PageSection:
    """Return rotation and proper motions."""
    tally, model = subject.tally, subject.model
    rows = []
    for group in GROUPS:
        mean, covariance = motion.motion_moments(tally, group)
        sigma = np.sqrt(np.diag(covariance))
        correlation = covariance[0, 1] / np.prod(sigma)
        if np.isfinite(mean).all():
            values = (*mean, *sigma, correlation)
            rows.append((LABELS[group], *(grouped(v, 2) for v in values)))

    def curve(near: bool) -> Callable[[Axes], None]:
        return lambda axis: motion.rotation(axis, tally, model, near=near)

    by_name = {row[0]: row for row in rows}
    words = "; ".join(
        f"{name} {by_name[name][3]} and {by_name[name][4]} mas/yr"
        for name in (LABELS["bar"], LABELS["nsd"])
        if name in by_name
    )
    return PageSection(
        "motion",
        "Motion",
        (
            Picture(
                "proper_motions",
                "Proper motions of bar and nuclear disc",
                f"Dispersions along l and b: {words}.",
                lambda axis: motion.proper_motions(axis, tally),
                "All drawn stars; ellipses hold 39 and 86 % of a Gaussian.",
                (4.9, 4.2),
            ),
            Picture(
                "rotation_near",
                "Rotation of the nuclear region",
                "Mean azimuthal velocity against radius inside 500 pc, with the model curve.",
                curve(True),
                "Means of the drawn stars with their errors; shaded: dispersion. Stars lie along "
                "the "
                "lines of sight of the catalogue, so a bar shows the streaming seen there.",
                table=_rotation_table(subject, 0, "pc", 1e3),
            ),
            Picture(
                "rotation_far",
                "Rotation of bar and discs",
                "Mean azimuthal velocity against radius to 10 kpc, with the circular velocity.",
                curve(False),
                "As before, to 10 kpc.",
                table=_rotation_table(subject, 1, "kpc", 1.0),
            ),
            Text(
                "Velocities of the nuclear star cluster are computed here (isotropic rotator); the "
                "others are those of the published model.",
                "limit",
            ),
            Numbers(
                "Proper motions [mas/yr]: means, dispersions, correlation",
                ("group", "mean µ(l)", "mean µ(b)", "σ(l)", "σ(b)", "correlation"),
                rows,
            ),
        ),
    )


def _rotation_table(subject: Subject, place: int, unit: str, scale: float) -> Numbers:
    radii, sums = RADII[place], subject.tally.rotation[place]
    rows = []
    for k in range(radii.n):
        if sums[:, 0, k].max() < 12:
            continue
        values = [f"{s[1, k] / s[0, k]:.0f}" if s[0, k] >= 12 else "–" for s in sums]
        rows.append((f"{scale * radii.centres[k]:g}", *values))
    return Numbers(
        "Mean azimuthal velocity [km/s]",
        (f"radius [{unit}]", *(LABELS[g] for g in GROUPS)),
        rows,
        hidden=True,
    )
