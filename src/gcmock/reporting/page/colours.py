"""The section that shows colours and magnitudes of data and mock, side by side."""

from __future__ import annotations

import numpy as np

from gcmock.arrays import Floats
from gcmock.reporting.page.bins import occupied
from gcmock.reporting.page.content import Numbers, PageSection, Picture, Text, grouped, percent
from gcmock.reporting.page.subject import Subject
from gcmock.reporting.page.tally import BRIGHTNESS, COLOUR, DIAGRAMS, IS_NUCLEAR, MAGNITUDE
from gcmock.reporting.plots import stars
from gcmock.words.bands import BANDS, HW, SYNTHETIC_BANDS, band_label, colour_label
from gcmock.words.components import GROUPS, LABELS


def colour_section(subject: Subject) -> PageSection:
    """Return colours and magnitudes of data and mock, side by side."""
    tally, seen = subject.tally, subject.observed
    blocks: list[Picture | Text] = []
    for i in (0, 1):
        colour = colour_label(*DIAGRAMS[i][:2])
        observed = seen.diagrams[i] if seen is not None else np.zeros((1, 1))
        both = observed.sum() > 0
        window = stars.diagram_window(tally.diagrams[i] + (observed if both else 0.0))
        largest = float(max(tally.diagrams[i].max(), observed.max()))
        name = f"{DIAGRAMS[i][0]}{DIAGRAMS[i][1]}"

        def draw(what: object, i: int = i, window: stars.Window = window, largest: float = largest):  # type: ignore[no-untyped-def]
            return lambda axis: stars.colour_magnitude(
                axis, what, i, window=window, largest=largest
            )

        if both:
            blocks.append(
                Picture(
                    f"cmd_{name}_observed",
                    f"Observed: {colour}",
                    _diagram_words("observed stars", observed, i),
                    draw(seen),
                    f"{grouped(observed.sum())} stars with both magnitudes, errors included.",
                )
            )
        blocks.append(
            Picture(
                f"cmd_{name}_mock",
                f"Drawn stars: {colour}",
                _diagram_words("drawn stars", tally.diagrams[i], i),
                draw(tally),
                "All stars, magnitudes free of noise; those that were not observed are predicted.",
            )
        )
    if seen is not None and not seen.diagrams[:2].sum():
        bands = ", ".join(band_label(b) for b in BANDS if seen.bands[b])
        blocks.append(
            Text(f"The input has no colours ({bands} alone): only the drawn stars are shown.")
        )
    blocks += _colour_colour(subject)
    window = stars.diagram_window(tally.diagrams[0])
    blocks.append(
        Picture(
            "cmd_hks_nuclear",
            "Where the nuclear stars are",
            "H minus Ks against Ks, coloured by the mean probability of the nuclear components.",
            lambda axis: stars.nuclear_colour_magnitude(axis, tally, 0, window=window),
            "Mean P(nuclear disc or cluster) per bin of the drawn stars.",
        )
    )
    blocks += _counts(subject)
    table = Numbers(
        "Stars brighter than a magnitude: all, expected nuclear fraction, observed",
        ("Hw <", "drawn stars", "of these nuclear", "observed"),
        [_count_row(subject, limit) for limit in (10.5, 11.5, 12.5, 13.5, 14.5)],
    )
    return PageSection("colours", "Colours and magnitudes", (*blocks, table))


def _colour_colour(subject: Subject) -> list[Picture]:
    tally, seen = subject.tally, subject.observed
    observed = seen.colours if seen is not None else np.zeros((1, 1))
    both = observed.sum() > 0
    window = stars.colour_window(tally.colours + (observed if both else 0.0))
    largest = float(max(tally.colours.max(), observed.max()))
    pictures = []
    if both:
        pictures.append(
            Picture(
                "colours_observed",
                "Observed: both colours",
                f"J − H against H − Ks of {grouped(observed.sum())} observed stars.",
                lambda axis: stars.colour_colour(axis, seen, window=window, largest=largest),
                f"{grouped(observed.sum())} stars with J, H and Ks.",
            )
        )
    pictures.append(
        Picture(
            "colours_mock",
            "Drawn stars: both colours",
            "J − H against H − Ks of the drawn stars: a band along the reddening.",
            lambda axis: stars.colour_colour(axis, tally, window=window, largest=largest),
            "All stars, free of noise.",
        )
    )
    return pictures


def _counts(subject: Subject) -> list[Picture]:
    tally, seen = subject.tally, subject.observed
    pictures = []
    for band in (*SYNTHETIC_BANDS, "ks"):
        values = tally.magnitudes[BANDS.index(band)]
        label = band_label(band)
        faintest = MAGNITUDE.edges[int(np.argmax(values.sum(axis=0)))]
        pictures.append(
            Picture(
                f"counts_{band}",
                f"Counts in {label}",
                f"Stars per magnitude against {label}, by group; most stars at {faintest:.1f} mag.",
                lambda axis, band=band: stars.magnitude_counts(axis, tally, band, seen),  # type: ignore[misc]
                "Drawn magnitudes by drawn component"
                + ("; dots: the input." if seen is not None and seen.bands[band] else "."),
                table=Numbers(
                    f"Stars per bin of one magnitude in {label}",
                    (label, *(LABELS[g] for g in GROUPS)),
                    [
                        (
                            f"{m:.0f} to {m + 1:.0f}",
                            *(grouped(v) for v in values[:, k : k + 10].sum(axis=1)),
                        )
                        for k, m in zip(
                            range(0, MAGNITUDE.n, 10), MAGNITUDE.edges[::10], strict=False
                        )
                        if values[:, k : k + 10].sum() > 0
                    ],
                    hidden=True,
                ),
            )
        )
    return pictures


def _count_row(subject: Subject, limit: float) -> tuple[str, ...]:
    place = HW
    upto = round((limit - MAGNITUDE.low) / MAGNITUDE.step)
    values = subject.tally.magnitudes[place][:, :upto].sum(axis=1)
    seen = subject.observed
    observed = "–"
    if seen is not None and seen.bands["hw"]:
        observed = grouped(seen.magnitudes[place, :upto].sum())
    nuclear = values[IS_NUCLEAR].sum()
    fraction = percent(nuclear / values.sum()) if values.sum() else "–"
    return (f"{limit:g}", grouped(values.sum()), f"{grouped(nuclear)} ({fraction})", observed)


def _diagram_words(what: str, values: Floats, diagram: int) -> str:
    """Say in words what a colour-magnitude diagram shows."""
    blue, red, band = (band_label(name) for name in DIAGRAMS[diagram])
    colour, bright = (
        axis.edges[[part.start, part.stop]]
        for axis, part in (
            (COLOUR, occupied(values.sum(axis=1), 0.05)),
            (BRIGHTNESS, occupied(values.sum(axis=0), 0.05)),
        )
    )
    return (
        f"{band} against {blue} minus {red} of {grouped(values.sum())} {what}: 90 % have colours "
        "from "
        f"{colour[0]:.1f} to {colour[1]:.1f} and {band} from {bright[0]:.1f} to {bright[1]:.1f} "
        "mag."
    )
