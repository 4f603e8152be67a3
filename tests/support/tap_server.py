"""A small TAP service on this machine: it answers ADQL on tables in memory, and fails on demand.

It speaks TAP 1.1 with UWS jobs: /sync, /async, phases, WAIT, ABORT, deletion, results and errors as
VOTable, row limits with OVERFLOW. ADQL is the subset that all archives understand: SELECT with TOP,
COUNT, BETWEEN, comparisons, CONTAINS(POINT, CIRCLE); anything else is rejected as an archive does.
"""

from __future__ import annotations

import itertools
import math
import re
import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from html import escape
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlparse

import numpy as np
from astropy.table import Table

_TOKEN = re.compile(
    r"""\s+|'[^']*'|"[^"]*"|[A-Za-z_][A-Za-z0-9_.]*|[+-]?\d+\.?\d*|<=|>=|[(),*=<>]"""
)
_WORDS = {"SELECT", "TOP", "COUNT", "AS", "FROM", "WHERE", "AND", "BETWEEN"}
_GEOMETRY = {"CONTAINS", "POINT", "CIRCLE"}
_TOP = re.compile(r"^SELECT TOP (\d+)")
_CIRCLE = re.compile(
    r"CONTAINS\s*\(\s*POINT\s*\(\s*'ICRS'\s*,(.*?),(.*?)\)\s*,"
    r"\s*CIRCLE\s*\(\s*'ICRS'\s*,(.*?),(.*?),(.*?)\)\s*\)"
)
_TYPES = {"i": "long", "f": "double", "U": "char"}


class AdqlError(Exception):
    """A query that the service rejects."""


def _separation(ra: float, dec: float, ra0: float, dec0: float) -> float:
    a, b, c, d = map(math.radians, (ra, dec, ra0, dec0))
    cosine = math.sin(b) * math.sin(d) + math.cos(b) * math.cos(d) * math.cos(a - c)
    return math.degrees(math.acos(max(-1.0, min(1.0, cosine))))


@dataclass
class Result:
    """Names, rows, and whether the limit cut them."""

    table: str
    names: list[str]
    rows: list[tuple]
    overflow: bool


class Database:
    """Tables by the name that ADQL gives them."""

    def __init__(self, tables: dict[str, Table], row_limit: int) -> None:
        self.tables = tables
        self.row_limit = row_limit
        self._lock = threading.Lock()
        self._sql = sqlite3.connect(":memory:", check_same_thread=False)
        self._sql.create_function(
            "in_circle",
            5,
            lambda a, b, c, d, r: int(_separation(a, b, c, d) <= r),
            deterministic=True,
        )
        for name, table in tables.items():
            columns = ", ".join(f'"{column}"' for column in table.colnames)
            marks = ", ".join("?" * len(table.colnames))
            self._sql.execute(f'CREATE TABLE "{self._plain(name)}" ({columns})')
            lists = [
                [None if gone else value for value, gone in zip(values, mask, strict=True)]
                for values, mask in (
                    (np.ma.getdata(table[c]).tolist(), np.ma.getmaskarray(table[c]).tolist())
                    for c in table.colnames
                )
            ]
            self._sql.executemany(
                f'INSERT INTO "{self._plain(name)}" VALUES ({marks})', zip(*lists, strict=True)
            )

    @staticmethod
    def _plain(name: str) -> str:
        return name.strip('"')

    def run(self, query: str, max_rows: int | None) -> Result:
        """Evaluate a query."""
        sql, table = self._translate(query)
        limit = min(x for x in (max_rows, self.row_limit) if x is not None)
        with self._lock:
            try:
                cursor = self._sql.execute(sql)
            except sqlite3.Error as error:
                raise AdqlError(str(error)) from error
            rows = cursor.fetchmany(limit + 1)
            names = [entry[0] for entry in cursor.description]
        return Result(table, names, rows[:limit], len(rows) > limit)

    def _translate(self, query: str) -> tuple[str, str]:
        found = re.search(r"\bFROM\s+(\"[^\"]+\"|[\w.]+)", query)
        table = found.group(1) if found else ""
        if table not in self.tables:
            raise AdqlError(f"Unknown table: {table}")
        names = {name.lower() for name in self.tables[table].colnames}
        position = 0
        while position < len(query):
            token = _TOKEN.match(query, position)
            if not token:
                raise AdqlError(f"Encountered {query[position]!r}")
            word = token.group(0)
            known = word in (table, "n_rows") or word.lower() in names
            if word[0].isalpha() and word.upper() not in _WORDS | _GEOMETRY and not known:
                raise AdqlError(f"Unknown name or function: {word}")
            if (
                word[0] == '"'
                and word != table
                and word.strip('"') not in names | {name for name in self.tables[table].colnames}
            ):
                raise AdqlError(f"Unknown column: {word}")
            position = token.end()
        sql = _CIRCLE.sub(r"in_circle(\1, \2, \3, \4, \5)", query)
        sql = sql.replace(f"FROM {table}", f'FROM "{self._plain(table)}"')
        top = _TOP.match(sql)
        if top:
            sql = _TOP.sub("SELECT", sql) + f" LIMIT {top.group(1)}"
        return sql, table


@dataclass
class Job:
    """A UWS job."""

    id: str
    query: str
    max_rows: int | None
    phase: str = "PENDING"
    message: str = ""
    result: bytes = b""
    changed: threading.Condition = field(default_factory=threading.Condition)

    def become(self, phase: str) -> None:
        with self.changed:
            self.phase = phase
            self.changed.notify_all()


@dataclass
class Fault:
    """Something that goes wrong the next `times` times.

    `kind`: "503", "404", "400" (answers), "drop" (the connection is lost in the middle of a
    result), "cut" (the same, without a Content-Length), "short" (a result with a row too few),
    "abort" (the service ends the job), "error", "slow" (the job fails), "html" (a page for people),
    "hang" (the job never ends).
    `where`: "sync", "create", "phase", "result", "job"; a query must hold the text `query`.
    """

    kind: str
    where: str
    times: int = 1
    query: str = ""
    headers: dict[str, str] = field(default_factory=dict)


class TapServer:
    """A TAP service; use it as a context manager, `url` is its address."""

    def __init__(self, tables: dict[str, Table], row_limit: int = 1_000_000) -> None:
        self.database = Database(tables, row_limit)
        self.faults: list[Fault] = []
        self.jobs: dict[str, Job] = {}
        self.queries: list[str] = []
        self.deleted: list[str] = []
        self.requests: list[tuple[str, str, float]] = []
        self._numbers = itertools.count(1)
        self._lock = threading.Lock()
        handler = type("Handler", (_Handler,), {"service": self})
        self._http = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        self._http.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._http.server_address[1]}/tap"
        self._thread = threading.Thread(target=self._http.serve_forever, args=(0.02,), daemon=True)

    def __enter__(self) -> TapServer:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._http.shutdown()
        self._http.server_close()
        self._thread.join()

    @property
    def row_queries(self) -> list[str]:
        """Queries for rows, in their order."""
        return [query for query in self.queries if "COUNT" not in query and " TOP " not in query]

    def fault(self, where: str, query: str = "") -> Fault | None:
        """The next fault at a place, if there is one."""
        with self._lock:
            for one in self.faults:
                if one.where == where and one.times > 0 and one.query in query:
                    one.times -= 1
                    return one
        return None

    def create(self, query: str, max_rows: int | None) -> Job:
        job = Job(f"job{next(self._numbers)}", query, max_rows)
        self.jobs[job.id] = job
        return job

    def execute(self, job: Job) -> None:
        """Run a job to its end."""
        job.become("EXECUTING")
        self.queries.append(job.query)
        fault = self.fault("job", job.query)
        if fault and fault.kind == "hang":
            return
        if fault and fault.kind == "abort":
            job.become("ABORTED")
            return
        try:
            if fault and fault.kind == "error":
                raise AdqlError("Permission denied for <column>")
            if fault and fault.kind == "slow":
                raise AdqlError("Query exceeded the time limit")
            result = self.database.run(job.query, job.max_rows)
        except AdqlError as error:
            job.message = str(error)
            job.become("ERROR")
            return
        if fault and fault.kind == "short":
            result.rows = result.rows[:-1]
        job.result = self.votable(result)
        job.become("COMPLETED")

    def votable(self, result: Result) -> bytes:
        """The VOTable of a result."""
        table = self.database.tables[result.table]
        fields = []
        for name in result.names:
            if name not in table.colnames:
                fields.append(f'<FIELD name="{name}" datatype="long"/>')
                continue
            column = table[name]
            kind = _TYPES[column.dtype.kind]
            if column.dtype == np.float32:
                kind = "float"
            if column.dtype == np.int16:
                kind = "short"
            if column.dtype == np.int32:
                kind = "int"
            size = ' arraysize="*"' if kind == "char" else ""
            unit = f' unit="{column.unit}"' if column.unit else ""
            ucd = ' ucd="pos.eq.ra;meta.main"' if name.lower() == "ra" else ""
            text = escape(column.description or "")
            fields.append(
                f'<FIELD name="{name}" ID="_{name}" datatype="{kind}"{size}{unit}{ucd}>'
                f"<DESCRIPTION>{text}</DESCRIPTION></FIELD>"
            )
        cells = "".join(
            "<TR>"
            + "".join(
                "<TD/>" if value is None else f"<TD>{escape(_text(value))}</TD>" for value in row
            )
            + "</TR>\n"
            for row in result.rows
        )
        status = '<INFO name="QUERY_STATUS" value="OVERFLOW"/>' if result.overflow else ""
        return (
            '<?xml version="1.0" encoding="UTF-8"?>\n'
            '<VOTABLE version="1.4" xmlns="http://www.ivoa.net/xml/VOTable/v1.3">\n'
            '<RESOURCE type="results"><INFO name="QUERY_STATUS" value="OK"/>\n<TABLE>\n'
            + "\n".join(fields)
            + f"\n<DATA><TABLEDATA>\n{cells}</TABLEDATA></DATA>\n</TABLE>{status}"
            + "</RESOURCE></VOTABLE>"
        ).encode()


def _text(value: object) -> str:
    if isinstance(value, float):
        return "NaN" if math.isnan(value) else repr(value)
    return str(value)


def _error(message: str) -> bytes:
    return (
        '<VOTABLE version="1.4" xmlns="http://www.ivoa.net/xml/VOTable/v1.3">'
        f'<RESOURCE type="results"><INFO name="QUERY_STATUS" value="ERROR">{escape(message)}</INFO>'
        "</RESOURCE></VOTABLE>"
    ).encode()


class _Handler(BaseHTTPRequestHandler):
    service: TapServer
    protocol_version = "HTTP/1.0"

    def log_message(self, *_: object) -> None:
        pass

    def _send(
        self, code: int, body: bytes, kind: str = "text/plain", headers: dict | None = None
    ) -> None:
        self.send_response(code)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def _fails(self, where: str, query: str = "") -> bool:
        """Answer with an error code, if a fault says so."""
        fault = self.service.fault(where, query)
        if fault is None:
            return False
        if fault.kind == "400":
            self._send(400, _error("Cannot parse <query>"), "application/x-votable+xml")
        elif fault.kind == "html":
            self._send(200, b"<html><body>Maintenance</body></html>", "text/html")
        else:
            self._send(int(fault.kind), b"not now", headers=fault.headers)
        return True

    def _parameters(self) -> dict[str, str]:
        length = int(self.headers.get("Content-Length") or 0)
        text = self.rfile.read(length).decode() or urlparse(self.path).query
        return {name.upper(): values[0] for name, values in parse_qs(text).items()}

    def _parts(self) -> list[str]:
        self.service.requests.append((self.command, self.path, time.monotonic()))
        return urlparse(self.path).path.removeprefix("/tap").strip("/").split("/")

    def do_POST(self) -> None:
        parts, given = self._parts(), self._parameters()
        service = self.service
        max_rows = int(given["MAXREC"]) if "MAXREC" in given else None
        if parts[0] == "sync":
            self._sync(given, max_rows)
        elif parts == ["async"]:
            if not self._fails("create", given["QUERY"]):
                job = service.create(given["QUERY"], max_rows)
                self._redirect(f"{service.url}/async/{job.id}")
        elif parts[0] == "async" and parts[2:] == ["phase"]:
            job = service.jobs[parts[1]]
            if given["PHASE"] == "RUN":
                job.become("QUEUED")
                threading.Thread(target=service.execute, args=(job,), daemon=True).start()
            else:
                job.become("ABORTED")
            self._redirect(f"{service.url}/async/{job.id}")
        else:
            self._send(404, b"no such resource")

    def do_GET(self) -> None:
        parts = self._parts()
        if parts[0] == "sync":
            self._sync(self._parameters(), None)
        elif parts[0] == "async" and len(parts) > 1 and parts[1] in self.service.jobs:
            job = self.service.jobs[parts[1]]
            if parts[2:] == ["results", "result"]:
                self._result(job)
            elif not parts[2:]:
                if not self._fails("phase", job.query):
                    self._job(job)
            else:
                self._send(404, b"no such resource")
        else:
            self._send(404, b"no such job")

    def do_DELETE(self) -> None:
        parts = self._parts()
        self.service.jobs.pop(parts[1], None)
        self.service.deleted.append(parts[1])
        self._redirect(f"{self.service.url}/async")

    def _redirect(self, url: str) -> None:
        self._send(303, b"", headers={"Location": url})

    def _sync(self, given: dict[str, str], max_rows: int | None) -> None:
        query = given["QUERY"]
        if self._fails("sync", query):
            return
        self.service.queries.append(query)
        try:
            body = self.service.votable(self.service.database.run(query, max_rows))
        except AdqlError as error:
            self._send(400, _error(str(error)), "application/x-votable+xml")
        else:
            self._send(200, body, "application/x-votable+xml")

    def _job(self, job: Job) -> None:
        wait = parse_qs(urlparse(self.path).query).get("WAIT")
        if wait:
            with job.changed:
                job.changed.wait_for(lambda: job.phase in {"COMPLETED", "ERROR", "ABORTED"}, 5.0)
        results = (
            '<uws:results><uws:result id="result" xlink:type="simple" '
            f'xlink:href="{self.service.url}/async/{job.id}/results/result"/></uws:results>'
            if job.phase == "COMPLETED"
            else "<uws:results/>"
        )
        error = (
            '<uws:errorSummary type="fatal" hasDetail="true"><uws:message>'
            f"{escape(job.message)}</uws:message></uws:errorSummary>"
            if job.phase == "ERROR"
            else ""
        )
        body = (
            '<?xml version="1.0" encoding="UTF-8"?>\n'
            '<uws:job xmlns:uws="http://www.ivoa.net/xml/UWS/v1.0" '
            'xmlns:xlink="http://www.w3.org/1999/xlink" '
            'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" version="1.1">'
            f"<uws:jobId>{job.id}</uws:jobId><uws:ownerId xsi:nil='true'/>"
            f"<uws:phase>{job.phase}</uws:phase><uws:quote xsi:nil='true'/>"
            "<uws:startTime xsi:nil='true'/><uws:endTime xsi:nil='true'/>"
            "<uws:executionDuration>600</uws:executionDuration>"
            "<uws:destruction xsi:nil='true'/>"
            f'<uws:parameters><uws:parameter id="QUERY">{escape(job.query)}</uws:parameter>'
            f"</uws:parameters>{results}{error}</uws:job>"
        )
        self._send(200, body.encode(), "application/xml")

    def _result(self, job: Job) -> None:
        fault = self.service.fault("result", job.query)
        kind = "application/x-votable+xml"
        if fault is None:
            self._send(200, job.result, kind)
            return
        if fault.kind.isdigit():
            self._send(int(fault.kind), b"not now", headers=fault.headers)
            return
        self.send_response(200)
        self.send_header("Content-Type", kind)
        if fault.kind == "drop":
            self.send_header("Content-Length", str(len(job.result)))
        self.end_headers()
        self.wfile.write(job.result[: len(job.result) // 2])


@contextmanager
def serve(tables: dict[str, Table], row_limit: int = 1_000_000) -> Iterator[TapServer]:
    """Serve tables while the context is open."""
    with TapServer(tables, row_limit) as server:
        yield server
