"""Files of settings that are read, and those that cannot be settings."""

from __future__ import annotations

import os

import pytest

from gcmock.errors import InputError
from gcmock.settings.toml_file import parse_toml, read_toml


def test_what_is_written_is_read(tmp_path):
    file = tmp_path / "c.toml"
    file.write_text("[run]\nseed = 3\n", encoding="utf-8")
    assert read_toml(file) == {"run": {"seed": 3}}


@pytest.mark.parametrize("content", [b"[run\n", b"\xff\xfe", None])
def test_unreadable_files(tmp_path, content) -> None:
    file = tmp_path / "c.toml"
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(InputError, match=r"c\.toml: (cannot be read|not valid TOML)"):
        read_toml(file)


def test_files_that_are_no_settings(tmp_path):
    os.mkfifo(tmp_path / "pipe.toml")
    with pytest.raises(InputError, match="is no file"):
        read_toml(tmp_path / "pipe.toml")
    (tmp_path / "large.toml").write_bytes(b"#" * (5 * 2**20))
    with pytest.raises(InputError, match="too large for settings"):
        read_toml(tmp_path / "large.toml")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("a = " + "[" * 30 + "]" * 30, "nested too deeply"),
        ("a = " + "[" * 100_000 + "]" * 100_000, "nested too deeply"),
        ("a = " + "1" * 10_000, "thousands of digits"),
        ("a = ", "Invalid value"),
    ],
)
def test_texts_that_are_no_settings(text, words):
    with pytest.raises(ValueError, match=words):
        parse_toml(text)
