"""What a user should know of the columns of a table: what is not used, and what is assumed."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

from gcmock.io.columns import EPOCH, ColumnMatch
from gcmock.io.lookalikes import lookalikes
from gcmock.io.readers.source import TableSource
from gcmock.io.upper_limits import QUALITY
from gcmock.photometric_systems import load_system
from gcmock.settings.build import Config
from gcmock.words.bands import SURVEY_BANDS, magnitude_name

_VISTA: Final = re.compile(
    rf"(?i)^(?:{'|'.join(SURVEY_BANDS)})_?[1-9]?_?(?:apermag|ap)[0-9]$|vista|vvv|virac"
)
_DISTANCE: Final = re.compile(r"(?i)^(?:dist(?:ance)?(?:_?(?:k?pc|mean|50))?|r_?(?:est|p?geo))$")
_POSITION: Final = ("ra", "dec", "l", "b")
_MOTIONS: Final = (("pmra", "pmdec"), ("pml", "pmb"))


def remarks_on_columns(
    source: TableSource, matches: Mapping[str, ColumnMatch], config: Config
) -> list[str]:
    """Return remarks on the columns of a table.

    Parameters
    ----------
    source : TableSource
    matches : mapping of str to ColumnMatch
        Columns that are used, by their name in gcmock.
    config : Config
    """
    used = {match.name for match in matches.values()}
    # Motions along one pair of axes are enough.
    motions = {name for pair in _MOTIONS for name in pair}
    enough = motions if any(set(pair) <= matches.keys() for pair in _MOTIONS) else set()
    enough |= {f"{name}_error" for name in enough}
    remarks = lookalikes(source.columns, used, {*matches, *enough, *_POSITION})
    remarks += [
        f"column {name!r} is not used: a latitude or longitude comes with the other"
        for name in ("l", "b")
        if name in source.columns and name not in used and "ra" in matches
    ]
    for first, second in _MOTIONS:
        for here, absent in ((first, second), (second, first)):
            if here in matches and absent not in matches:
                remarks.append(
                    f"column {matches[here].name!r} ({here}) is not used without {absent}"
                )
    if {*_MOTIONS[0]} <= matches.keys() and {*_MOTIONS[1]} & matches.keys():
        remarks.append("pml and pmb are not used, because pmra and pmdec are there")
    if "parallax" not in matches:
        remarks += [
            f"column {name!r} is not used: what is measured are parallaxes, not distances"
            for name in source.columns
            if name not in used and _DISTANCE.match(name)
        ]
    if QUALITY in matches:
        remarks.append(
            f"magnitudes with U or X in column {matches[QUALITY].name!r} are upper limits, and are "
            "not used"
        )
    return remarks + _on_epochs(matches, config) + _on_systems(source, matches, config)


def _on_epochs(matches: Mapping[str, ColumnMatch], config: Config) -> list[str]:
    given = "ref_epoch" in config.input.model_fields_set
    if EPOCH in matches:
        text = (
            f"the epoch of every position is that of column {matches[EPOCH].name!r}; [input] "
            f"ref_epoch = {config.input.ref_epoch:g} counts only where a row has none"
        )
        return [text] if given else []
    dated = [m.name for name, m in matches.items() if name in ("ra", "dec") and "2000" in m.name]
    if not dated or given:
        return []
    return [
        f"column {dated[0]!r} does not say at which epoch the positions were measured: "
        f"{config.input.ref_epoch:g} is recorded; [input] ref_epoch sets another one"
    ]


def _on_systems(
    source: TableSource, matches: Mapping[str, ColumnMatch], config: Config
) -> list[str]:
    if config.photometry.system != "2mass":
        system = load_system(config.photometry.system)
        return [f"J, H, Ks are converted from {system.name} to 2MASS ({system.source})"]
    if "system" in config.photometry.model_fields_set:
        return []
    magnitudes = [m for band in SURVEY_BANDS if (m := magnitude_name(band)) in matches]
    # Merged catalogues name the surveys of their sources, and are in the system of 2MASS.
    if not magnitudes or all(matches[m].name == m for m in magnitudes):
        return []
    vista = [name for name in source.columns if _VISTA.search(name)]
    if not vista:
        return []
    name = matches[magnitudes[0]].name
    return [
        f"column {vista[0]!r} speaks of VISTA, but {name!r} is taken as a magnitude of 2MASS: "
        '[photometry] system = "vista" converts it'
    ]
