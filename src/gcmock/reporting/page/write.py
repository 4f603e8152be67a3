"""From a catalogue on disk to a page on disk."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import gcmock
from gcmock.errors import InputError
from gcmock.io.beside import announced, take_left_behind
from gcmock.io.disk import check_new_file, check_new_folder, whole_folder, write_text
from gcmock.io.known_columns import CheckedSource
from gcmock.io.metadata import catalogue_metadata, recorded_config
from gcmock.io.readers.opening import open_table
from gcmock.io.readers.source import TableSource
from gcmock.model import Model, load_model
from gcmock.notebook import Outcome
from gcmock.progress import Progress, Stage
from gcmock.reporting.page import sample as samples
from gcmock.reporting.page.colours import colour_section
from gcmock.reporting.page.content import PageSection, Picture, Text
from gcmock.reporting.page.document import page
from gcmock.reporting.page.extent import ROWS_AT_ONCE, look
from gcmock.reporting.page.observed import ObservedTally, observed_stars
from gcmock.reporting.page.payload import payload
from gcmock.reporting.page.remeasured import MOST_STARS as MOST_REMEASURED
from gcmock.reporting.page.remeasured import REMEASURED_COLUMNS, Remeasured
from gcmock.reporting.page.render import write_files
from gcmock.reporting.page.residuals import residual_section
from gcmock.reporting.page.sections import (
    component_section,
    motion_section,
    nuclear_section,
    sky_section,
)
from gcmock.reporting.page.subject import Subject
from gcmock.reporting.page.tally import PROBABILITIES, TALLY_COLUMNS, Tally
from gcmock.reporting.page.trust import (
    at_a_glance,
    evidence_section,
    extinction_section,
    provenance_section,
    trust_section,
    truth_section,
)
from gcmock.reporting.page.truth import CATALOGUE_COLUMNS, MOST_STARS, compare_sample
from gcmock.reporting.plots.catalogue import check_columns
from gcmock.settings.build import Config, load_config

SAMPLE_SIZE: Final = 2000
"""Stars of the view of single stars."""

_SAMPLE_COLUMNS: Final = (*samples.VIEW_COLUMNS, *samples.QUANTILE_COLUMNS, *PROBABILITIES)


@dataclass(frozen=True, repr=False)
class ReportSummary(Outcome):
    """Account of a report.

    Attributes
    ----------
    output : Path
        The page.
    n_row, n_star : int
        Rows and stars of the catalogue.
    n_sample, n_posterior : int
        Stars that can be picked one by one, and those of them with a posterior.
    size : int
        Bytes of the page.
    figures : tuple of Path
        Files of the figures.
    seconds : float
        Time of the whole run.
    """

    output: Path
    n_row: int
    n_star: int
    n_sample: int
    n_posterior: int
    size: int
    figures: tuple[Path, ...]
    seconds: float


def write_report(
    mock: str | Path,
    output: str | Path,
    *,
    input: str | Path | None = None,
    truth: str | Path | None = None,
    figures: str | Path | None = None,
    n_sample: int = SAMPLE_SIZE,
    more: Sequence[PageSection] = (),
    overwrite: bool = False,
    stage: Stage | None = None,
) -> ReportSummary:
    """Write the report of a mock catalogue: one HTML page that needs no other file.

    The catalogue is read twice in chunks, the input once; the memory does not grow with them.

    Parameters
    ----------
    mock : str or Path
        A file or a folder that `gcmock build` wrote.
    output : str or Path
        The page.
    input : str or Path, optional
        The table of observed stars from which the catalogue was made: shown beside it, and needed
        for the posteriors of single stars.
    truth : str or Path, optional
        Table of true stars, as ``gcmock simulate --survey`` writes it.
    figures : str or Path, optional
        Folder that gets every figure as PNG and PDF.
    n_sample : int
        Stars of the view of single stars; 0 for none.
    more : sequence of PageSection
        Further sections, shown before the provenance.
    overwrite : bool
        Replace an existing page.
    stage : callable, optional
        Called with the name of every stage; returns what to call with the rows done and in total.

    Returns
    -------
    ReportSummary

    Raises
    ------
    InputError
        If a table or the output cannot be used; nothing is written then.
    """
    start = time.perf_counter()
    output, mock = Path(output), Path(mock)
    if output.suffix.lower() not in {".html", ".htm"}:
        raise InputError(f"{output}: a report is an HTML page; give a name that ends in .html")
    check_new_file(output, overwrite=overwrite)
    if figures is not None:
        take_left_behind(Path(figures), output)
        check_new_folder(Path(figures), overwrite=overwrite)
    begin = stage or (lambda _: None)
    source = CheckedSource(open_table(mock))
    metadata = catalogue_metadata(mock)
    config = recorded_config(mock, metadata) or load_config()
    seen = open_table(input) if input is not None else None
    known = CheckedSource(open_table(truth)) if truth is not None else None
    extent = look(source, begin("look"))
    check_columns(source)
    tally = Tally(extent)
    sample = samples.RowSample(n_sample, _SAMPLE_COLUMNS)
    compared = samples.RowSample(MOST_STARS if known is not None else 0, CATALOGUE_COLUMNS)
    again = samples.RowSample(MOST_REMEASURED if seen is not None else 0, REMEASURED_COLUMNS)
    _count(source, tally, (sample, compared, again), begin("count"))
    model = load_model(config=config)
    observed, posteriors = None, None
    remeasured = Remeasured(again, model) if seen is not None else None
    if seen is not None and remeasured is not None:
        observed = ObservedTally(extent)
        posteriors = _observe(seen, (observed, remeasured), sample, model, config, begin("input"))
    comparison = compare_sample(compared, known) if known is not None else None
    extra = {k: Path(v).name for k, v in (("input", input), ("truth", truth)) if v is not None}
    subject = Subject(
        mock.name, tally, model, config.photometry, metadata, observed, comparison, extra,
        remeasured,
    )  # fmt: skip
    sections = _sections(subject, bool(len(sample)), more)
    begin("page")
    text = page(
        f"{mock.name}: a mock catalogue of the Galactic centre",
        "Stars drawn from the posterior of every observed star, each complete: what the catalogue "
        "contains, where "
        "it can be trusted, and how it was made.",
        at_a_glance(subject),
        sections,
        payload(sample, posteriors) if len(sample) else None,
        len(sample),
        f"Written by gcmock {gcmock.__version__}. Please cite: "
        f"{metadata.get('citation', 'gcmock')}.",
    )
    written = _write(output, text, sections, figures, begin, overwrite)
    n_posterior = int(posteriors.known.sum()) if posteriors is not None else 0
    return ReportSummary(
        output,
        tally.n_row,
        tally.n_star,
        len(sample),
        n_posterior,
        output.stat().st_size,
        tuple(written),
        time.perf_counter() - start,
    )


def _count(
    source: TableSource,
    tally: Tally,
    chosen: Sequence[samples.RowSample],
    update: Progress | None,
) -> None:
    """Read the catalogue once, for all counts and samples."""
    chosen = [sample for sample in chosen if sample.n]
    columns = (name for sample in chosen for name in sample.columns)
    for chunk in source.chunks(ROWS_AT_ONCE, list(dict.fromkeys((*TALLY_COLUMNS, *columns)))):
        tally.add(chunk)
        for sample in chosen:
            sample.add(chunk)
        if update is not None:
            update(tally.n_row, tally.extent.n_row)


def _observe(
    source: TableSource,
    counts: Sequence[ObservedTally | Remeasured],
    sample: samples.RowSample,
    model: Model,
    config: Config,
    update: Progress | None,
) -> samples.Posteriors:
    """Read the input once, for counts, and for the posteriors of the sample."""
    posteriors = samples.PosteriorsOf(sample, model, config.policy)
    for stars in observed_stars(source, config, update):
        for one in counts:
            one.add(stars)
        posteriors.add(stars)
    posteriors.check(source.path)
    return posteriors.result


def _sections(subject: Subject, with_view: bool, more: Sequence[PageSection]) -> list[PageSection]:
    sections = [
        trust_section(subject),
        sky_section(subject),
        nuclear_section(subject),
        component_section(subject),
        colour_section(subject),
        *([residual_section(subject)] if subject.remeasured is not None else []),
        motion_section(subject),
        extinction_section(subject),
        evidence_section(subject),
    ]
    if subject.comparison is not None:
        name = subject.extra.get("truth", "the truth")
        sections.append(truth_section(subject.comparison, name))
    if with_view:
        words = Text(
            "The sample is the same for the same catalogue: stars are chosen by a hash of "
            "source_id."
        )
        sections.append(PageSection("stars", "Single stars", (words,), view=True))
    return [*sections, *more, provenance_section(subject)]


def _write(
    output: Path,
    text: str,
    sections: Sequence[PageSection],
    figures: str | Path | None,
    begin: Stage,
    overwrite: bool,
) -> list[Path]:
    """Write figures and, last, the page; both appear when they are complete."""
    written: list[Path] = []
    with announced(output):
        if figures is not None:
            pictures = [b for s in sections for b in s.blocks if isinstance(b, Picture)]
            update = begin("figures")
            with whole_folder(Path(figures), overwrite=overwrite) as folder:
                for i, picture in enumerate(pictures, 1):
                    written += [Path(figures) / path.name for path in write_files(picture, folder)]
                    if update is not None:
                        update(i, len(pictures))
        write_text(output, text)
    return written
