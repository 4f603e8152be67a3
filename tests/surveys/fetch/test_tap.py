"""A TAP service, asked politely: what is tried again, what is not, and what is said then.

Whole conversations with a service are in the tests of downloads.
"""

from __future__ import annotations

from types import SimpleNamespace

import pytest

pytest.importorskip("pyvo")

import requests

from gcmock.errors import GcmockError, InputError
from gcmock.surveys.fetch import tap
from gcmock.surveys.fetch.tap import Patience, ServiceLimitError, TapService


@pytest.fixture
def pauses(monkeypatch):
    """Seconds that were waited, without waiting."""
    found: list[float] = []
    monkeypatch.setattr(tap.time, "sleep", found.append)
    return found


@pytest.fixture
def service():
    patience = Patience(attempts=4, first_pause=2.0, longest_pause=5.0)
    with TapService("https://archive.test/tap/", patience) as opened:
        yield opened


def http_error(code, text="", **headers):
    response = SimpleNamespace(status_code=code, text=text, headers=headers)
    return requests.HTTPError(f"{code} of the server", response=response)


def failing(errors):
    """A function that fails as given, then succeeds."""
    left = list(errors)

    def action():
        if left:
            raise left.pop(0)
        return "done"

    return action


def test_pauses_double_up_to_the_longest(service, pauses):
    assert service._patiently(failing([http_error(503)] * 3), "SELECT 1") == "done"
    assert pauses == [2.0, 4.0, 5.0]


def test_the_service_says_how_long_to_wait(service, pauses):
    errors = [http_error(429, **{"Retry-After": "3"}), http_error(429, **{"Retry-After": "Fri"})]
    service._patiently(failing(errors), "SELECT 1")
    assert pauses == [3.0, 4.0]


def test_what_fails_too_often_is_reported_with_the_query(service, pauses):
    with pytest.raises(GcmockError, match=r"(?s)failed 4 times.*HTTP 500.*query: SELECT 1"):
        service._patiently(failing([http_error(500)] * 4), "SELECT 1")
    assert len(pauses) == 3


@pytest.mark.parametrize(
    ("message", "kind"),
    [("no such column", InputError), ("query timed out", ServiceLimitError)],
)
def test_an_error_of_the_query_is_not_tried_again(service, pauses, message, kind):
    text = f'<INFO name="QUERY_STATUS" value="ERROR">{message} &lt;x&gt;</INFO>'
    with pytest.raises(InputError, match=rf"rejects the query: {message} <x>") as error:
        service._patiently(failing([http_error(400, text)]), "SELECT 1")
    assert type(error.value) is kind
    assert not pauses


def test_a_page_that_is_not_there_is_not_tried_again(service, pauses):
    with pytest.raises(GcmockError, match="HTTP 404"):
        service._patiently(failing([http_error(404)]), "SELECT 1")
    assert not pauses


def test_an_address_is_expected():
    with pytest.raises(InputError, match=r"'vizier' is not the address of a TAP service"):
        TapService("vizier")


@pytest.mark.parametrize(("text", "seconds"), [("12", 12.0), (" 7 ", 7.0), ("soon", None),
                                                 ("", None), (None, None)])  # fmt: skip
def test_seconds_of_a_header(text, seconds):
    assert tap._seconds(text) == seconds


def test_error_documents():
    text = '<vot:INFO value="ERROR" name="QUERY_STATUS">\n a &amp;\n b </vot:INFO>'
    assert tap._query_error(text) == "a & b"
    assert tap._query_error('<INFO name="QUERY_STATUS" value="OK">fine</INFO>') is None


def test_phases_of_a_job():
    assert tap._phase(SimpleNamespace(phase="EXECUTING")) == "EXECUTING"
    with pytest.raises(Exception, match=r"does not say what the job does \(phase ''\)"):
        tap._phase(SimpleNamespace(phase=None))


@pytest.mark.parametrize(
    "url",
    ["http://", "http://host:99999/tap", "http://host:x/tap", "https:///tap", "ftp://host/tap", "",
     "host/tap", "http://[::1/tap", "http://a b/tap"],
)  # fmt: skip
def test_what_is_no_address_is_refused(url):
    with pytest.raises(InputError, match="is not the address of a TAP service"):
        TapService(url)


def test_a_service_that_is_not_there_is_found_out_soon(pauses):
    told = []
    # Nobody listens at this port.
    with (
        TapService("http://127.0.0.1:9/tap", notice=told.append) as service,
        pytest.raises(GcmockError, match=r"failed 3 times.*Is the address right"),
    ):
        service.ask_at_once("SELECT 1", 1)
    assert pauses == [2.0, 4.0]
    assert len(told) == 2
    assert "attempt 1 of 3 failed, the next one follows in 2 s" in told[0]
