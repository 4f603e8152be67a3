"""The command line: parses, calls, prints. Everything slow is imported inside the commands."""

from __future__ import annotations

import logging
import os
import sys
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Literal, NoReturn

from cyclopts import App, CycloptsError, Group, Parameter

from gcmock import __version__
from gcmock.cli.astrometry import COMMANDS as ASTROMETRY_COMMANDS
from gcmock.cli.calibration import COMMANDS as CALIBRATION_COMMANDS
from gcmock.cli.catalogue import COMMANDS as CATALOGUE_COMMANDS
from gcmock.cli.failures import (
    BAD_INPUT,
    FAILED,
    INTERRUPTED,
    code_of,
    fail,
    flush,
    report_defect,
)
from gcmock.cli.log import RunLog, split_log
from gcmock.cli.loudness import said, split_loudness
from gcmock.cli.options import Whole, WholeIfGiven
from gcmock.cli.report import COMMANDS as REPORT_COMMANDS
from gcmock.cli.streams import let_go_of_stdout, prepare_streams
from gcmock.cli.surveys import COMMANDS as SURVEY_COMMANDS
from gcmock.cli.validation import COMMANDS as VALIDATE_COMMANDS
from gcmock.errors import GcmockError, ModelWarning, shortened

_ADVICE = "fewer --workers take less, and limits of the shell are shown by ulimit -a"

Topic = Literal["", "config", "model", "components", "laws", "hw", "schema", "missions", "data"]
Range = Annotated[tuple[float, float], Parameter(negative="")]
Output = Annotated[Path, Parameter(name=["--output", "-o"])]

app = App(
    name="gcmock",
    help="Ground-truth star catalogues of the Galactic centre.\n\n"
    "Start with: gcmock demo\n\n"
    "Then: gcmock build stars.parquet -o mock.parquet\n\n"
    "NO_COLOR=1 turns colours off. Completion of commands and options by the shell: gcmock "
    "--install-completion",
    help_epilogue="Every command also takes --log FILE, to which an account of the run is "
    "appended, --quiet, which says errors and warnings only, and --verbose, which says what is "
    "being done where no bar can be shown.",
    help_format="plaintext",
    version=__version__,
    suppress_keyboard_interrupt=False,
)
app.register_install_completion_command()

START, CATALOGUES, SURVEYS, MISSIONS, RESULTS = (
    Group(title, sort_key=place)
    for place, title in enumerate(
        ("Begin", "Catalogues of true stars", "Surveys", "Missions", "Results")
    )
)
"""Groups of commands in the help, in its order."""


def main(tokens: Sequence[str] | None = None) -> NoReturn:
    """Run a command and exit.

    0, 1 for a failure, 2 for bad input, 3 for a disk that is full or fails, 130 after Ctrl-C.
    """
    prepare_streams()
    # Pictures are drawn without a window; a notebook may ask for what is not installed here.
    os.environ["MPLBACKEND"] = "agg"
    # Without a home it keeps its fonts in the temporary folder, and says so each time.
    logging.getLogger("matplotlib").setLevel(logging.ERROR)
    # What libraries warn of is for programmers; results that are not finite are errors here.
    warnings.simplefilter("ignore")
    warnings.filterwarnings("default", category=ModelWarning)
    warnings.filterwarnings("default", category=FutureWarning, module="gcmock")
    usual = warnings.formatwarning
    warnings.formatwarning = lambda message, category, *rest: (
        f"gcmock: warning: {message}\n"
        if issubclass(category, ModelWarning | FutureWarning)
        else usual(message, category, *rest)
    )
    sys.exit(run(sys.argv[1:] if tokens is None else tokens))


def run(tokens: Sequence[str]) -> int:
    """Run a command and return its exit code; errors go to stderr, one line each."""
    try:
        words, loudness = split_loudness(tokens)
        words, path = split_log(words)
        with said(loudness):
            if path is None:
                return _call(words)
            with RunLog(path, words) as log:
                code = _call(words, log)
                log.ended(code)
                return code
    except GcmockError as error:
        return fail(str(error), error.exit_code)


def _call(tokens: Sequence[str], log: RunLog | None = None) -> int:
    """Run a command whose errors are printed, and noted in the log if there is one."""
    try:
        app(tokens, exit_on_error=False, print_error=False, result_action="return_none")
        return flush(log)
    except CycloptsError as error:
        words = shortened(" ".join(str(error).split()), 600)
        known = tokens and not tokens[0].startswith("-") and tokens[0] in app
        where = f"gcmock {tokens[0]}" if known else "gcmock"
        return fail(f"{words} See {where} --help", BAD_INPUT, log)
    except GcmockError as error:
        return fail(str(error), error.exit_code, log)
    except KeyboardInterrupt:
        return fail("interrupted; nothing was written", INTERRUPTED, log)
    except BrokenPipeError:
        # The reader of a pipe, such as head, has left.
        let_go_of_stdout()
        return 0
    except MemoryError as error:
        words = f": {error}" if str(error) else ""
        return fail(f"there is not enough memory{words}; {_ADVICE}", FAILED, log)
    except OSError as error:
        name = "" if error.filename is None else f"{error.filename}: "
        return fail(f"{name}{error.strerror or error}", code_of(error), log)
    except Exception as error:
        if isinstance(error, RuntimeError) and "can't start new thread" in str(error):
            return fail(f"no more threads can be started; {_ADVICE}", FAILED, log)
        return report_defect(error, log)


@app.command(group=CATALOGUES)
def build(
    input: Path,
    /,
    *,
    output: Output,
    config: Path | None = None,
    seed: WholeIfGiven = None,
    realisations: WholeIfGiven = None,
    workers: WholeIfGiven = None,
    scheduler: str | None = None,
    learned: Annotated[Path | None, Parameter(name=["--learned", "--calibration"])] = None,
    no_learn: Annotated[bool, Parameter(negative="")] = False,
    no_pm: Annotated[bool, Parameter(negative="")] = False,
    overwrite: Annotated[bool, Parameter(negative="")] = False,
) -> None:
    """Turn observed stars into a mock catalogue of true stars.

    Example: gcmock build stars.fits -o mock.parquet --seed 7 --realisations 5

    Parameters
    ----------
    input
        Table of stars: Parquet, FITS, VOTable, ECSV or CSV (columns: gcmock info schema).
    output
        Parquet, FITS, VOTable or ECSV file, by its suffix. Without suffix: a folder of Parquet
        files; an interrupted run then goes on where it stopped when it is started again.
    config
        TOML file with settings; gcmock info config prints all of them.
    seed
        Seed of the random numbers.
    realisations
        True stars drawn for every observed star.
    workers
        Number of threads; 0 for one per core. The result does not depend on it.
    scheduler
        For a HATS catalogue as input, which becomes one: "local" starts worker processes here, an
        address such as tcp://10.0.0.1:8786 is that of a running Dask cluster.
    learned
        FITS file of an earlier build, or of gcmock calibrate: what it says of extinction, law,
        numbers of stars and errors is used. Else it is learned from the stars of the list, and
        written beside the output.
    no_learn
        Learn nothing: take map, law, errors and model as they are.
    no_pm
        Leave measured proper motions and radial velocities out of the posterior.
    overwrite
        Replace an existing output; start afresh.
    """
    from gcmock.reporting.terminal import print_summary, progress, stages
    from gcmock.verbs.build import build as run_build

    with stages() as stage, progress("build", "stars") as update:
        summary = run_build(
            input,
            output,
            config,
            seed=seed,
            realisations=realisations,
            workers=workers,
            scheduler=scheduler,
            learned=learned,
            no_learn=no_learn,
            no_pm=no_pm,
            overwrite=overwrite,
            progress=update,
            stages=stage,
        )
    print_summary(summary)


@app.command(group=CATALOGUES)
def simulate(
    *,
    output: Output,
    l: Range,
    b: Range,
    ks_max: float = 15.5,
    survey: Annotated[bool, Parameter(negative="")] = False,
    surveys: str | None = None,
    completeness: Path | None = None,
    config: Path | None = None,
    seed: WholeIfGiven = None,
    workers: WholeIfGiven = None,
    max_rows: Whole = 20_000_000,
    overwrite: Annotated[bool, Parameter(negative="")] = False,
) -> None:
    """Draw stars from the model alone, or a mock survey of them, or what real surveys would see.

    Example: gcmock simulate -o stars.parquet --l -1.4 0.7 --b -0.6 0.6 --ks-max 12

    Parameters
    ----------
    output
        Parquet, FITS, VOTable or ECSV file, by its suffix; without suffix a folder of Parquet
        files.
    l
        Range of Galactic longitude [deg].
    b
        Range of Galactic latitude [deg].
    ks_max
        Faintest true Ks [mag].
    survey
        Write what a survey observes, in the input format of build, and the truth beside it.
    surveys
        Write the native tables of real surveys and the truth behind them into the folder OUTPUT;
        names with commas between: 2mass,virac2,vvv,sirius,gnc,gaia.
    completeness
        Detection probability of the survey: the map that merge writes, or the folder it is in.
    config
        TOML file with settings; gcmock info config prints all of them.
    seed
        Seed of the random numbers.
    workers
        Number of threads; 0 for one per core. The result does not depend on it.
    max_rows
        A window in which more stars are expected is refused before anything is drawn.
    overwrite
        Replace existing files.
    """
    from gcmock.reporting.terminal import progress
    from gcmock.verbs.simulate import SimulateSummary
    from gcmock.verbs.simulate import simulate as run_simulate

    with progress("simulate", "cells" if surveys is None else "blocks") as update:
        done = run_simulate(
            l=l,
            b=b,
            output=output,
            ks_max=ks_max,
            survey=survey,
            surveys=surveys,
            completeness=completeness,
            config=config,
            seed=seed,
            workers=workers,
            max_rows=max_rows,
            overwrite=overwrite,
            progress=update,
        )
    if isinstance(done, SimulateSummary):
        print(f"{output}: {done.n_rows:,} stars")
        return
    print(f"{output}: {done.n_stars:,} true stars")
    for name, n_rows in done.n_rows.items():
        print(f"{name}: {n_rows:,} rows" if n_rows else f"{name}: no rows in this window, no file")


@app.command(group=SURVEYS)
def import_hats(
    input: Path,
    /,
    *,
    output: Output,
    pixel_threshold: Whole = 250_000,
    config: Path | None = None,
    scheduler: str = "local",
    workers: WholeIfGiven = None,
    overwrite: Annotated[bool, Parameter(negative="")] = False,
) -> None:
    """Turn a table of observed stars into a HATS catalogue, for build with --scheduler.

    Example: gcmock import-hats stars.fits -o stars_hats

    Parameters
    ----------
    input
        Table of stars, as for build.
    output
        Folder for the catalogue.
    pixel_threshold
        Most rows of a partition.
    config
        TOML file; its section [columns] is used.
    scheduler
        "local", or the address of a running Dask cluster.
    workers
        Number of processes, if they are started here; 0 for one per core.
    overwrite
        Replace an existing HATS catalogue.
    """
    from gcmock.verbs.import_hats import import_hats as run_import

    done = run_import(
        input,
        output,
        pixel_threshold=pixel_threshold,
        config=config,
        scheduler=scheduler,
        workers=workers,
        overwrite=overwrite,
    )
    print(f"{output}: {done.n_rows:,} stars")


@app.command(group=START)
def demo(*, output: Output = Path("gcmock-demo"), seed: WholeIfGiven = None) -> None:
    """Simulate a small survey, build its mock catalogue and compare it with the truth.

    Example: gcmock demo -o demo

    Parameters
    ----------
    output
        Folder for the input, the truth, the catalogue and a picture; files of an earlier
        demonstration are replaced.
    seed
        Seed of the random numbers.
    """
    from gcmock.reporting.terminal import print_demo, progress
    from gcmock.verbs.demo import demo as run_demo

    with progress("build", "stars") as update:
        result = run_demo(output, seed=seed, progress=update)
    print_demo(result)


@app.command(group=START)
def info(topic: Topic = "", /) -> None:
    """Show settings, model, laws, relations, columns and the origin of the data.

    Example: gcmock info config > settings.toml

    Parameters
    ----------
    topic
        What to show; an overview of the topics if not given.
    """
    from gcmock.verbs.info import info as text

    print(text(topic))


for _group, _commands in (
    (SURVEYS, (*SURVEY_COMMANDS, *CATALOGUE_COMMANDS)),
    (CATALOGUES, CALIBRATION_COMMANDS),
    (MISSIONS, ASTROMETRY_COMMANDS),
    (RESULTS, (*REPORT_COMMANDS, *VALIDATE_COMMANDS)),
):
    for _command in _commands:
        app.command(_command, group=_group)
