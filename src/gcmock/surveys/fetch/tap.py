"""A TAP service, asked politely: asynchronous jobs, few requests, repeated after a pause.

Failures that pass (a lost connection, 429 and 5xx answers, a result that ends too early, an aborted
job) are tried again, with longer and longer pauses or after the time that the service asks for;
errors of a query are not. A job is deleted at the service when it is done, failed or given up.
"""

from __future__ import annotations

import html
import io
import re
import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeVar
from urllib.parse import urlsplit

from gcmock.errors import DiskError, GcmockError, InputError, shown

if TYPE_CHECKING:
    from astropy.table import Table

T = TypeVar("T")

_FINISHED: Final = {"COMPLETED", "ERROR", "ABORTED", "ARCHIVED"}
_UNFINISHED: Final = {"PENDING", "QUEUED", "EXECUTING", "HELD", "SUSPENDED", "UNKNOWN", "RUN"}
_PASSING_CODES: Final = {0, 408, 425, 429, 500, 502, 503, 504}
_ERROR_INFO: Final = re.compile(
    r"""<(?:\w+:)?INFO\s(?=[^>]*QUERY_STATUS)(?=[^>]*ERROR)[^>]*>(.*?)</""", re.DOTALL
)
_LIMIT: Final = re.compile(
    r"(?i)time[ -]?out|timed out|time limit|execution (?:time|duration)|cancel|out of memory"
)
_N_BLOCK: Final = 2**18
_WORD_EVERY: Final = 20.0
"""A job that runs is mentioned so often [s]."""


class ServiceLimitError(InputError):
    """A query that takes more time or space than the service permits."""


class _PassingError(Exception):
    """A failure that may not come again."""


@dataclass(frozen=True)
class Patience:
    """How long to wait, and how often to try.

    Attributes
    ----------
    attempts : int
        Tries of the same request.
    first_pause, longest_pause : float
        Between tries [s]; doubled from one to the next.
    first_poll, longest_poll : float
        Between looks at a running job [s]; half as long again each time.
    timeout : float
        Of a connection that says nothing [s].
    connect_timeout : float
        Of a connection that is not made [s].
    first_attempts, first_timeout : int, float
        Tries, and limit of a connection that says nothing [s], until the service has answered for
        the first time: one that is not there is found out soon.
    longest_job : float
        A job that takes longer is given up [s].
    """

    attempts: int = 6
    first_pause: float = 2.0
    longest_pause: float = 120.0
    first_poll: float = 0.2
    longest_poll: float = 15.0
    timeout: float = 120.0
    connect_timeout: float = 8.0
    first_attempts: int = 3
    first_timeout: float = 20.0
    longest_job: float = 4 * 3600.0


@dataclass(frozen=True)
class Answer:
    """The result of a query.

    Attributes
    ----------
    table : Table
    overflow : bool
        Whether the service left rows out because of a limit.
    """

    table: Table
    overflow: bool


class _Body(io.BytesIO):
    """An answer that was read, in the shape in which pyvo reads it from the connection."""

    def read(self, size: int | None = -1, decode_content: bool = True) -> bytes:
        return super().read(size)


class TapService:
    """A TAP service at a URL; use it as a context manager.

    Parameters
    ----------
    url : str
    patience : Patience, optional
    notice : callable, optional
        Told in a sentence what is waited for.

    Raises
    ------
    InputError
        If the URL has no host, or a port that cannot be.
    GcmockError
        If pyvo is not installed.
    """

    def __init__(
        self,
        url: str,
        patience: Patience | None = None,
        notice: Callable[[str], None] | None = None,
    ) -> None:
        try:
            from pyvo.dal import TAPService
            from pyvo.utils.http import create_session
        except ImportError as error:
            raise GcmockError(
                "fetching needs pyvo: install it with pip install 'gcmock[fetch]'"
            ) from error
        _check_address(url)
        self._notice = notice or (lambda _: None)
        self._answered = False
        self.url = url.rstrip("/")
        self.patience = patience or Patience()
        self._session = create_session()
        self._request = self._session.request
        self._session.request = self._whole_answer
        self._service = TAPService(self.url, session=self._session)

    def __enter__(self) -> TapService:
        return self

    def __exit__(self, *_: object) -> None:
        self._session.close()

    def _whole_answer(self, *args: Any, **options: Any) -> Any:
        """Make a request of pyvo: with a time limit, and read to its end at once.

        pyvo sets no limit on most requests, and leaves connections open that it reads in parts.
        """
        silent = self.patience.timeout if self._answered else self.patience.first_timeout
        options["timeout"] = (self.patience.connect_timeout, silent)
        response = self._request(*args, **{**options, "stream": False})
        response.raw = _Body(response.content)
        self._answered = True
        return response

    def ask(self, query: str, max_rows: int, folder: Path) -> Answer:
        """Run a query as an asynchronous job and return its result.

        Parameters
        ----------
        query : str
        max_rows : int
            The service sends at most so many rows.
        folder : Path
            Place for the result while it is read.

        Raises
        ------
        ServiceLimitError
            If the query takes more than the service permits.
        InputError
            If the service rejects the query for another reason.
        GcmockError
            If the service does not answer, however often it is asked.
        """
        return self._patiently(lambda: self._job(query, max_rows, folder), query)

    def ask_at_once(self, query: str, max_rows: int) -> Answer:
        """Run a small query synchronously; see `ask`."""

        def run() -> Answer:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                return _answer(self._service.run_sync(query, maxrec=max_rows))

        return self._patiently(run, query)

    def _job(self, query: str, max_rows: int, folder: Path) -> Answer:
        with self._submit(query, max_rows) as job:
            job.run()
            pause, began, told = self.patience.first_poll, time.monotonic(), 0.0
            # A look that fails costs nothing: the job goes on.
            while (phase := self._patiently(lambda: _phase(job), query)) not in _FINISHED:
                waited = time.monotonic() - began
                if waited > self.patience.longest_job:
                    raise GcmockError(
                        f"{self.url}: a job is {phase} after {waited / 60.0:.0f} minutes: given "
                        f"up; ask for less with --tile-rows, or run the command later\n"
                        f"query: {query}"
                    )
                if waited - told > _WORD_EVERY:
                    told = waited
                    self._notice(f"{self.url}: the job is {phase} since {waited:.0f} s")
                time.sleep(pause)
                pause = min(1.5 * pause, self.patience.longest_poll)
            if job.job.phase == "ABORTED":
                raise _PassingError("the service aborted the job")
            job.raise_if_error()
            if job.result_uri is None:
                raise _PassingError("the job has no result")
            return self._patiently(lambda: self._download(job.result_uri, folder), query)

    def _submit(self, query: str, max_rows: int) -> Any:
        """Create a job; one that is created but cannot be looked at is deleted."""
        import requests
        from pyvo.dal import DALServiceError

        try:
            return self._service.submit_job(query, maxrec=max_rows)
        except DALServiceError as error:
            response = _response_of(error)
            if response is not None and response.url.startswith(f"{self.url}/async/"):
                with suppress(requests.RequestException):
                    self._session.delete(response.url, allow_redirects=False)
            raise

    def _download(self, url: str, folder: Path) -> Answer:
        """Save a result, then read it: half a file is not taken for a whole one."""
        from astropy.io.votable import parse
        from pyvo.dal import TAPResults

        partial = folder / "result.partial-votable"
        try:
            limits = (self.patience.connect_timeout, self.patience.timeout)
            options = {"stream": True, "timeout": limits}
            with self._request("GET", url, **options) as response, _writing(partial) as write:
                response.raise_for_status()
                for block in response.iter_content(_N_BLOCK):
                    write(block)
            with warnings.catch_warnings():
                # Archives take liberties with the standard that do not matter here.
                warnings.simplefilter("ignore")
                try:
                    votable = parse(partial)
                except Exception as error:
                    reason = (str(error).splitlines() or [type(error).__name__])[0]
                    raise _PassingError(f"the result is cut short or damaged: {reason}") from error
                return _answer(TAPResults(votable, url=url))
        finally:
            partial.unlink(missing_ok=True)

    def _patiently(self, action: Callable[[], T], query: str) -> T:
        """Call a function until it succeeds, fails for good, or has failed too often."""
        import requests
        from pyvo.dal import DALQueryError, DALServiceError

        pause = self.patience.first_pause
        attempt = 0
        while True:
            attempt += 1
            asked: float | None = None
            try:
                return action()
            except DALQueryError as error:
                raise self._rejected(str(error), query) from error
            except (requests.RequestException, DALServiceError) as error:
                response = _response_of(error)
                code = 0 if response is None else response.status_code
                self._answered |= response is not None
                reason = f"HTTP {code}: {_reason(error)}" if code else _reason(error)
                said = None if response is None else _query_error(response.text)
                if said is not None and code not in _PASSING_CODES:
                    raise self._rejected(said, query) from error
                if code not in _PASSING_CODES:
                    raise GcmockError(f"{self.url}: {reason}\nquery: {query}") from error
                asked = None if response is None else _seconds(response.headers.get("Retry-After"))
                last: Exception = error
            except GcmockError:
                raise
            # pyvo raises almost anything on a page that is not what the standard says.
            except Exception as error:
                reason, last = _reason(error), error
            most = self.patience.attempts
            most = most if self._answered else min(most, self.patience.first_attempts)
            if attempt >= most:
                break
            wait = min(asked if asked is not None else pause, self.patience.longest_pause)
            self._notice(
                f"{self.url}: {reason}; attempt {attempt} of {most} failed, the next one follows "
                f"in {wait:.0f} s"
            )
            time.sleep(wait)
            pause *= 2.0
        advice = (
            "What is finished is kept: run the same command later"
            if self._answered
            else "Is the address right, and the network there?"
        )
        raise GcmockError(
            f"{self.url}: failed {attempt} times, at last with: {reason}. {advice}\nquery: {query}"
        ) from last

    def _rejected(self, reason: str, query: str) -> InputError:
        kind = ServiceLimitError if _LIMIT.search(reason) else InputError
        return kind(f"{self.url} rejects the query: {reason}\nquery: {query}")


@contextmanager
def _writing(path: Path) -> Iterator[Callable[[bytes], object]]:
    """Open a file for writing; a disk that is full or fails is nothing to wait for."""

    def failed(error: OSError) -> GcmockError:
        return DiskError(f"{path}: writing failed: {error.strerror or error}")

    try:
        file = path.open("wb")
    except OSError as error:
        raise failed(error) from error

    def write(block: bytes) -> None:
        try:
            file.write(block)
        except OSError as error:
            raise failed(error) from error

    with file:
        yield write


def _check_address(url: str) -> None:
    """Refuse what cannot be the address of a service.

    Raises
    ------
    InputError
        If it is not of HTTP, or has no host, or an impossible port.
    """
    try:
        parts = urlsplit(url)
        known = parts.scheme in ("http", "https") and bool(parts.hostname)
        # Asking for the port checks it.
        known = known and parts.port != 0 and not re.search(r"\s", url)
    except ValueError:
        known = False
    if not known:
        raise InputError(
            f"{shown(url)} is not the address of a TAP service: http://HOST/PATH is expected"
        )


def _phase(job: Any) -> str:
    """Return the phase of a job; pyvo also makes a job, without a phase, of any other page."""
    phase = str(job.phase or "")
    if phase not in _FINISHED | _UNFINISHED:
        raise _PassingError(f"the service does not say what the job does (phase {phase!r})")
    return phase


def _query_error(text: str) -> str | None:
    """Return the message of an error document in VOTable; None if it is none."""
    found = _ERROR_INFO.search(text)
    return " ".join(html.unescape(found.group(1)).split()) if found else None


def _answer(results: Any) -> Answer:
    status = str(results.query_status or "").upper()
    return Answer(results.to_table(), status == "OVERFLOW")


def _response_of(error: Any) -> Any:
    """Return the HTTP response of an exception, or of the one that caused it."""
    for one in (error, getattr(error, "cause", None)):
        response = getattr(one, "response", None)
        if response is not None:
            return response
    return None


def _reason(error: Exception) -> str:
    return " ".join(str(error).split())[:300] or type(error).__name__


def _seconds(text: str | None) -> float | None:
    """Return a Retry-After header in seconds; dates are not understood."""
    return float(text) if text and text.strip().isdigit() else None
