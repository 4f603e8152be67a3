"""Write the tables of data_model, astrometry, surveys and catalogue from the package.

Text between ``<!-- begin: NAME -->`` and ``<!-- end: NAME -->`` is replaced, the rest is kept.

``python tools/make_data_model.py [--check]``
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterable
from pathlib import Path

from pydantic.fields import FieldInfo

from gcmock.settings.build import default_config_toml
from gcmock.words.columns import (
    ALIASES,
    INPUT_COLUMNS,
    LIMITS,
    POSTERIOR_COLUMNS,
    TRUTH_COLUMNS,
    Column,
)
from gcmock.words.components import COMPONENTS
from gcmock.words.flags import Flag

DOCS = Path(__file__).resolve().parents[1] / "docs"
PAGE = DOCS / "data_model.md"
ASTROMETRY_PAGE = DOCS / "astrometry.md"
SURVEYS_PAGE = DOCS / "surveys.md"
CATALOGUE_PAGE = DOCS / "catalogue.md"

_BLOCK = re.compile(r"(<!-- begin: (\w+) -->\n).*?(<!-- end: \2 -->)", re.DOTALL)


def _row(cells: Iterable[str]) -> str:
    return "| " + " | ".join(cells) + " |"


def _table(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    return "\n".join([_row(head), "|" + "---|" * len(head), *map(_row, rows)])


def column_table(columns: tuple[Column, ...]) -> str:
    """Return the table of columns: name, type, unit, meaning, UCD."""
    rows = (
        (f"`{c.name}`", "text" if c.dtype[0] == "U" else c.dtype, c.unit, c.description, c.ucd)
        for c in columns
    )
    return _table(("name", "type", "unit", "meaning", "UCD"), rows)


def blocks() -> dict[str, str]:
    """Return the generated text by the name of its block."""
    units = {column.name: column.unit for column in INPUT_COLUMNS}
    return {
        "input": column_table(INPUT_COLUMNS),
        "truth": column_table(TRUTH_COLUMNS),
        "posterior": column_table(POSTERIOR_COLUMNS),
        "flags": _table(
            ("bit", "name", "meaning"),
            ((str(int(f)), f"`{f.name}`", f.description) for f in Flag),
        ),
        "aliases": _table(
            ("name", "also accepted"),
            ((f"`{n}`", ", ".join(f"`{a}`" for a in other)) for n, other in ALIASES.items()),
        ),
        "limits": _table(
            ("quantity", "above", "below", "unit"),
            ((f"`{n}`", f"{low:g}", f"{high:g}", units[n]) for n, (low, high) in LIMITS.items()),
        ),
        "components": ", ".join(f"`{name}`" for name in COMPONENTS) + ".",
        "config": f"```toml\n{default_config_toml()}```",
    }


def astrometry_blocks() -> dict[str, str]:
    """Return the generated text of the page on astrometry by the name of its block."""
    from gcmock.astrometry.directions import propagate
    from gcmock.astrometry.missions import export
    from gcmock.astrometry.missions.mission import load_mission, mission_names
    from gcmock.astrometry.observations import folder as observations

    tables = {
        name.removesuffix(".parquet").replace("/", "_"): columns
        for name, columns in observations.OBSERVATION_TABLES.items()
    }
    tables["observations"] = observations.OBSERVATION_COLUMNS
    tables["directions"] = propagate.DIRECTION_COLUMNS
    tables["bands"] = (
        *export.BAND_COLUMNS.values(),
        export.EPOCH_ERROR,
        export.SATURATED,
        export.FIELD_COLUMN,
    )
    missions = [load_mission(name) for name in mission_names()]
    rows = (
        (
            f"`{m.name}`",
            m.title,
            f"{m.magnitudes.band}, {m.magnitudes.bright:g} to {m.magnitudes.faint:g}",
            "observe, export" if m.can_observe else "export",
        )
        for m in missions
    )
    listing = _table(("name", "what", "band and limits [mag]", "commands"), rows)
    return {name: column_table(columns) for name, columns in tables.items()} | {"missions": listing}


def _default(field: FieldInfo) -> str:
    """Return the default of a key as TOML; "needed" if it has none."""
    if field.is_required():
        return "needed"
    value = field.get_default(call_default_factory=True)
    return "" if value in ("", (), {}, None) else f"`{json.dumps(value)}`"


def survey_blocks() -> dict[str, str]:
    """Return the generated text of the page on surveys by the name of its block."""
    from gcmock.surveys.definition import (
        Archive,
        MergeTraits,
        NativeColumn,
        Spelling,
        SurveyDefinition,
        load_survey,
        survey_names,
    )
    from gcmock.surveys.simulated.instrument import Instrument, SimulatedTable
    from gcmock.surveys.source_table import SOURCE_COLUMNS, Quality

    surveys = [load_survey(name) for name in survey_names()]
    by_survey = (
        (
            f"`{s.name}`",
            s.title,
            s.reference,
            s.photometric_system,
            f"{s.ref_epoch:g}",
            ", ".join(f"{band} {error:g}" for band, error in s.default_error.items()),
            f"{s.position_error_mas:g}",
        )
        for s in surveys
    )
    by_archive = (
        (
            f"`{s.name}`",
            f"`{a.name}`",
            f"`{a.url}`",
            ", ".join(f"`{t.strip(chr(34))}`" for t in a.tables),
            f"`{a.longitude}`, `{a.latitude}`",
        )
        for s in surveys
        for a in s.archives
    )
    spellings = []
    for s in surveys:
        for spelling in s.spellings:
            names = ", ".join(
                f"`{c.name}`" + (" (optional)" if c.optional else "") for c in spelling.columns
            )
            spellings.append((f"`{s.name}`", f"`{spelling.name}`", names))
    head = ("survey", "title", "reference", "system", "epoch", "default error [mag]")
    sections = {
        "": SurveyDefinition,
        "[merge]": MergeTraits,
        "[instrument]": Instrument,
        "[simulated_table]": SimulatedTable,
        "[[spelling]]": Spelling,
        "[[spelling]] columns": NativeColumn,
        "[[archive]]": Archive,
    }
    keys = [
        (f"`{name}`" if name else "", f"`{key}`", _default(field), field.description)
        for name, model in sections.items()
        for key, field in model.model_fields.items()
        if field.description and (name or key not in ("name", "path", "sha256"))
    ]
    return {
        "definition": _table(("section", "key", "default", "meaning"), keys),
        "surveys": _table((*head, "position error [mas]"), by_survey),
        "archives": _table(("survey", "archive", "TAP service", "table", "cut by"), by_archive),
        "spellings": _table(("survey", "spelling", "columns"), spellings),
        "source_columns": column_table(SOURCE_COLUMNS),
        "quality": _table(
            ("bit", "name", "meaning"),
            ((str(int(q)), f"`{q.name}`", q.description) for q in Quality),
        ),
    }


def catalogue_blocks() -> dict[str, str]:
    """Return the generated text of the page on merging by the name of its block."""
    from gcmock.catalogue.cell.reasons import REASONS
    from gcmock.catalogue.columns import extra_columns
    from gcmock.catalogue.learn.completeness import COLUMNS
    from gcmock.catalogue.order import packaged_order
    from gcmock.settings.merge import default_merge_toml
    from gcmock.words.flags import MatchFlag

    traits = (
        (
            str(k),
            f"`{one.name}`",
            f"{one.merge.fwhm_arcsec:g}",
            f"{one.merge.position_floor_mas:g}",
            f"{one.merge.magnitude_floor_mag:g}",
            one.merge.source,
        )
        for k, one in enumerate(packaged_order())
    )
    head = ("order", "survey", "FWHM [arcsec]", "position floor [mas]", "magnitude floor [mag]")
    flags = ((str(int(f)), f"`{f.name}`", f.description) for f in MatchFlag)
    return {
        "traits": _table((*head, "source"), traits),
        "merged": column_table(extra_columns(packaged_order())),
        "match_flags": _table(("bit", "name", "meaning"), flags),
        "reasons": _table(("code", "meaning"), ((f"`{c}`", m) for c, m in REASONS.items())),
        "completeness": column_table(COLUMNS),
        "merge_config": f"```toml\n{default_merge_toml()}```",
    }


def render(page: str, text: dict[str, str] | None = None) -> str:
    """Return a page with its blocks brought up to date: those of the data model, or `text`.

    Raises
    ------
    ValueError
        A block is missing from the page, or unknown.
    """
    text = blocks() if text is None else text
    found = [match[1] for match in _BLOCK.findall(page)]
    if sorted(found) != sorted(text):
        raise ValueError(f"the page has the blocks {sorted(found)}, expected {sorted(text)}")
    return _BLOCK.sub(lambda m: f"{m[1]}{text[m[2]]}\n{m[3]}", page)


def main(arguments: list[str]) -> int:
    """Rewrite the pages; with ``--check`` only say whether they are up to date."""
    stale = False
    pages = (
        (PAGE, blocks()),
        (ASTROMETRY_PAGE, astrometry_blocks()),
        (SURVEYS_PAGE, survey_blocks()),
        (CATALOGUE_PAGE, catalogue_blocks()),
    )
    for file, text in pages:
        page = file.read_text(encoding="utf-8")
        fresh = render(page, text)
        stale |= fresh != page
        if "--check" not in arguments:
            file.write_text(fresh, encoding="utf-8")
    return int(stale and "--check" in arguments)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
