"""What is said and returned when a command fails, whatever the reason."""

from __future__ import annotations

import errno

import pytest

from gcmock.cli.failures import FAILED, TRACEBACK, code_of, fail, flush, report_defect
from gcmock.errors import DiskError


@pytest.mark.parametrize(
    ("number", "code"),
    [
        (errno.ENOSPC, DiskError.exit_code),
        (errno.EIO, DiskError.exit_code),
        (errno.EACCES, FAILED),
        (None, FAILED),
    ],
)
def test_a_disk_that_fails_has_a_code_of_its_own(number, code):
    assert code_of(OSError(number, "words")) == code


def test_lines_are_few(capsys):
    assert fail("\n".join(f"line {k}" for k in range(50)), 2) == 2
    lines = capsys.readouterr().err.splitlines()
    assert lines[0] == "gcmock: error: line 0"
    assert lines[-1].endswith("38 more lines like these")
    assert len(lines) == 13


def test_output_that_takes_nothing_is_a_failure(capsys, monkeypatch):
    class Full:
        def flush(self):
            raise OSError(errno.ENOSPC, "No space left on device")

        def fileno(self):
            raise OSError

    monkeypatch.setattr("sys.stdout", Full())
    assert flush(None) == DiskError.exit_code
    assert "cannot be printed: No space left on device" in capsys.readouterr().err


@pytest.mark.parametrize("wanted", [True, False])
def test_defects_are_one_line_and_a_traceback_when_asked(wanted, capsys, monkeypatch):
    monkeypatch.delenv(TRACEBACK, raising=False)
    if wanted:
        monkeypatch.setenv(TRACEBACK, "1")
    with pytest.raises(KeyError) as caught:
        {}["a\nb"]
    assert report_defect(caught.value, None) == FAILED
    text = capsys.readouterr().err
    assert ("Traceback" in text) == wanted
    assert text.splitlines()[-1].startswith("gcmock: error: a defect of gcmock: KeyError")
    assert "test_failures.py, line" in text.splitlines()[-1]
