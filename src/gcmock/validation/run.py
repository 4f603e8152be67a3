"""All tests in order, and the file that keeps their numbers."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from gcmock.errors import InputError
from gcmock.io.disk import sha256_of, write_text
from gcmock.io.provenance import data_sha256, origin
from gcmock.notebook import Outcome, listing_of
from gcmock.progress import StagedProgress
from gcmock.settings.build import Config
from gcmock.validation.counts import B_RANGE, L_RANGE, CountMap, counts_checks
from gcmock.validation.fields import CatalogueFields, load_fields
from gcmock.validation.genstars import genstars_checks
from gcmock.validation.result import FALSE_ALARM, Check, failures, on_footprint, skipped

TESTS: Final = ("sbc", "genstars", "predictive", "offshelf", "truths", "counts")
"""Names of the tests, in their order."""


@dataclass(frozen=True)
class Request:
    """What is validated.

    Attributes
    ----------
    config : Config
        Settings of the model.
    mock, input : Path, optional
        Mock catalogue, and the list it was built from.
    reference : Path, optional
        Folder with star lists of genstars.
    counts : Path, optional
        List of stars with Hw, complete, whose numbers are compared.
    completeness : Path, optional
        Map that merge writes, or its folder.
    only : tuple of str
        Tests that are done.
    n_star : int
        Stars of the tests that draw some.
    l_range, b_range : tuple of 2 floats
        Window of the counts [deg].
    limits : tuple of 2 floats, optional
        Bright and faint limit of the catalogue, in its main band [mag].
    """

    config: Config
    mock: Path | None = None
    input: Path | None = None
    reference: Path | None = None
    counts: Path | None = None
    completeness: Path | None = None
    only: tuple[str, ...] = TESTS
    n_star: int = 4000
    l_range: tuple[float, float] = L_RANGE
    b_range: tuple[float, float] = B_RANGE
    limits: tuple[float, float] | None = None

    def check(self) -> None:
        """Raise an `InputError` for what cannot be."""
        unknown = [name for name in self.only if name not in TESTS]
        if unknown or not self.only:
            raise InputError(
                f"--only {','.join(unknown) or '(nothing)'}: expected names of "
                f"{', '.join(TESTS)}, with commas between"
            )
        if self.n_star < 100:
            raise InputError(f"--stars {self.n_star}: expected 100 or more")
        if (self.mock is None) != (self.input is None):
            raise InputError(
                "a mock catalogue is compared with the list it was built from: give both, "
                "MOCK and --input"
            )
        for path in (self.mock, self.input, self.reference, self.counts, self.completeness):
            if path is not None and not path.exists():
                raise InputError(f"{path}: no such file or folder")
        if self.limits is not None and not self.limits[0] < self.limits[1]:
            raise InputError(f"--limits {self.limits}: expected the bright one first")


@dataclass(frozen=True, repr=False)
class Validation(Outcome):
    """Result of all tests.

    Attributes
    ----------
    checks : tuple of Check
    map : CountMap or None
        Counts by tile.
    provenance : dict
        How the numbers were made.
    files : tuple of Path
        What was written of it.
    """

    checks: tuple[Check, ...]
    map: CountMap | None
    provenance: dict[str, Any] = field(default_factory=dict)
    files: tuple[Path, ...] = ()

    def listing(self) -> list[tuple[str, str]]:
        """Return the numbers of checks by verdict, and those that failed."""
        verdicts = [check.verdict for check in self.checks]
        counts = [(name, verdicts.count(name)) for name in ("pass", "fail", "info", "skip")]
        failed = [f"{one.test}: {one.quantity}" for one in self.failed]
        return listing_of([*counts, ("failed", failed), ("files", self.files)])

    @property
    def failed(self) -> list[Check]:
        """Checks that failed."""
        return failures(self.checks)

    def record(self) -> dict[str, Any]:
        """Return everything as JSON understands it."""
        verdicts = [check.verdict for check in self.checks]
        return {
            "content": "validation of the model and of a mock catalogue",
            "provenance": self.provenance,
            "false_alarm": FALSE_ALARM,
            "summary": {name: verdicts.count(name) for name in ("pass", "fail", "info", "skip")},
            "checks": [check.record() for check in self.checks],
            **({"counts_by_tile": self.map.record()} if self.map is not None else {}),
        }


def validate(request: Request, progress: StagedProgress | None = None) -> Validation:
    """Do the tests.

    Parameters
    ----------
    request : Request
    progress : callable, optional
        Called with the name of a test, and the numbers of finished and of all tests.

    Returns
    -------
    Validation

    Raises
    ------
    InputError
        If something given cannot be used.
    """
    request.check()
    checks: list[Check] = []
    found: CountMap | None = None
    loaded: list[CatalogueFields] = []
    more: Sequence[Check]
    for i, name in enumerate(request.only):
        if progress is not None:
            progress(name, i, len(request.only))
        if name == "counts" and request.counts is not None:
            more, found = counts_checks(
                request.counts, request.config, request.l_range, request.b_range
            )
        else:
            more = _checks(name, request, loaded)
        checks += more
    return Validation(tuple(checks), found, _provenance(request))


def _checks(name: str, request: Request, loaded: list[CatalogueFields]) -> Sequence[Check]:
    """Return the checks of one test, or its reason if it is left out."""
    run = request.config.run
    if name == "sbc":
        from gcmock.validation.sbc import sbc_checks

        return sbc_checks(request.config, request.n_star, run.seed, run.n_workers)
    if name == "genstars":
        if request.reference is None:
            return [skipped(name, "no star lists of genstars: give their folder with --reference")]
        return genstars_checks(request.reference, request.n_star, run.n_workers)
    if name == "truths":
        from gcmock.model import load_model
        from gcmock.validation.truths import truths_checks

        return truths_checks(load_model(config=request.config))
    if name == "counts":
        return [skipped(name, "no list of stars: give one with Hw with --counts")]
    if request.mock is None or request.input is None:
        return [skipped(name, "no mock catalogue: give MOCK and --input")]
    from gcmock.validation.offshelf import offshelf_checks
    from gcmock.validation.predictive import predictive_checks

    if not loaded:
        loaded.append(
            load_fields(
                request.mock,
                request.input,
                request.completeness,
                request.n_star,
                request.limits,
                run.seed,
                run.n_workers,
                request.config.footprint,
            )
        )
    area = loaded[0].footprint
    on_area = [on_footprint(name, area)] if area is not None else []
    return [
        *on_area,
        *(predictive_checks if name == "predictive" else offshelf_checks)(loaded[0]),
    ]


def _provenance(request: Request) -> dict[str, Any]:
    """How the numbers were made."""
    given = {
        name: getattr(request, name)
        for name in ("mock", "input", "reference", "counts", "completeness")
    }
    return {
        **origin(),
        "config": request.config.to_toml(),
        "seed": request.config.run.seed,
        "stars": request.n_star,
        "tests": list(request.only),
        "data_sha256": data_sha256(),
        "given": {
            name: {"name": path.name, "sha256": sha256_of(path)}
            for name, path in given.items()
            if path is not None
        },
    }


def write_json(result: Validation, output: Path) -> None:
    """Write the numbers and how they were made; nothing is left behind if that fails."""
    text = json.dumps(result.record(), indent=1, allow_nan=False)
    write_text(output, text + "\n")
