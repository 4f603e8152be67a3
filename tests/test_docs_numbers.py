"""The measured numbers of the pages are those that registered commands printed."""

from __future__ import annotations

import importlib.util
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]

COMMANDS = """
[speed]
command = "python speed.py --stars 3"
minutes = 1

[counts]
command = "python speed.py"
minutes = 0.1

[[quote]]
page = "README.md"
sentence = "more than ([0-9,]+) stars/s in ([a-z]+)"
run = "speed"
printed = 'all \\| ([0-9,]+) \\| ([a-z]+)'
"""
PAGE = """# Speed

It does more than 7,000 stars/s
in minutes.

<!-- numbers: speed.table -->
<!-- end numbers -->

Text between.

<!-- numbers: counts -->
<!-- end numbers -->
"""
SCRIPT = """
print("noise before the first part")
print("<!-- part: table -->")
print("| what | stars/s | in |\\n|---|---|---|\\n| all | 7,118 | minutes |   ")
"""


@pytest.fixture(scope="module")
def tool():
    path = ROOT / "tools" / "docs_numbers.py"
    spec = importlib.util.spec_from_file_location("docs_numbers", path)
    module = importlib.util.module_from_spec(spec)
    sys.path.insert(0, str(ROOT / "benchmarks"))
    spec.loader.exec_module(module)
    sys.path.remove(str(ROOT / "benchmarks"))
    return module


@pytest.fixture
def root(tmp_path, tool):
    """A small repository with a page, a quote and two commands, measured and inserted."""
    (tmp_path / "docs" / "numbers").mkdir(parents=True)
    (tmp_path / "docs" / "numbers" / "commands.toml").write_text(COMMANDS, encoding="utf-8")
    (tmp_path / "README.md").write_text(PAGE, encoding="utf-8")
    (tmp_path / "CHANGELOG.md").write_text("# Changes\n", encoding="utf-8")
    (tmp_path / "speed.py").write_text(SCRIPT, encoding="utf-8")
    git(tmp_path, "init", "--quiet")
    commit_all(tmp_path)
    assert tool.main(["--run", "speed"], tmp_path) == 0
    (tmp_path / "speed.py").write_text("print('22 stars')", encoding="utf-8")
    commit_all(tmp_path)
    assert tool.main(["--run", "counts"], tmp_path) == 0
    return tmp_path


def git(root: Path, *words: str) -> str:
    who = ("-c", "user.name=test", "-c", "user.email=test@example.org", "-c", "core.autocrlf=false")
    command = ["git", "-C", root, *who, *words]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


def commit_all(root: Path) -> None:
    git(root, "add", "--all")
    git(root, "commit", "--quiet", "--message", "as it is")


def change(path: Path, old: str, new: str) -> None:
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new), encoding="utf-8")


def test_pages_of_this_repository(tool):
    assert list(tool.problems(ROOT)) == []


def test_a_changed_digit_in_a_real_page_is_found(tool, tmp_path):
    shutil.copytree(ROOT / "docs", tmp_path / "docs")
    for name in ("README.md", "CHANGELOG.md"):
        shutil.copy(ROOT / name, tmp_path)
    page = tmp_path / "docs" / "results.md"
    text = page.read_text(encoding="utf-8")
    row = re.search(r"(?s)numbers: calibration.table.*?(\| sub-cells \|[^\n]*)", text)[1]
    digit = re.search(r"\d", row)
    other = row[: digit.start()] + str((int(digit[0]) + 1) % 10) + row[digit.end() :]
    change(page, row, other)
    (found,) = tool.problems(tmp_path)
    line = page.read_text(encoding="utf-8").split("\n").index(other) + 1
    assert found.startswith(f"docs/results.md, line {line}: the page has")
    assert other in found
    assert row in found
    assert "--insert calibration" in found
    assert "--run calibration" in found


def test_check_as_it_is_called():
    command = [sys.executable, str(ROOT / "tools" / "docs_numbers.py"), "--check"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


def test_run_stores_and_inserts(tool, root, capsys):
    page = (root / "README.md").read_text(encoding="utf-8")
    assert "| all | 7,118 | minutes |\n" in page
    assert "noise" not in page
    assert "\n22 stars\n" in page
    assert "*Printed by `python speed.py --stars 3` on 20" in page
    stored = tool.load(root, "speed")
    assert set(stored.head) == {"command", "date", "machine", "versions", "commit", "seconds"}
    assert stored.parts == {
        "table": "| what | stars/s | in |\n|---|---|---|\n| all | 7,118 | minutes |"
    }
    assert tool.main(["--check"], root) == 0
    assert tool.main(["--list"], root) == 0
    assert "python speed.py --stars 3" in capsys.readouterr().out


def test_check_says_where_and_what_to_do(tool, root, capsys):
    change(root / "README.md", "| all | 7,118 |", "| all | 7,119 |")
    assert tool.main(["--check"], root) == 1
    text = capsys.readouterr().out
    assert "README.md, line 10: the page has\n    | all | 7,119 | minutes |" in text
    assert tool.main(["--insert"], root) == 0
    assert tool.main(["--check"], root) == 0


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("7,000", "8,000", "says 8,000, but docs/numbers/speed.md has 7,118"),
        ("in minutes", "in hours", "says hours"),
        ("more than", "nearly", "no sentence like"),
        ("numbers: counts", "numbers: wide", "line 18: block wide has no command"),
        ("speed.table", "speed.rates", "has no part rates, but table"),
        ("Text between.", "<!-- end numbers -->", "do not come in pairs"),
        ("Text between.", "| a | b |\n|---|---|\n| x | 3.1 |\n", "a table of numbers outside"),
    ],
)
def test_what_is_wrong_is_named(tool, root, old, new, words):
    change(root / "README.md", old, new)
    assert any(words in found for found in tool.problems(root))


def test_a_table_that_is_given_needs_no_command(tool, root):
    table = "<!-- numbers: given -->\n| a | b |\n|---|---|\n| x | 3.1 |\n"
    change(root / "README.md", "Text between.", table)
    assert list(tool.problems(root)) == []


def test_another_command_and_forgotten_results(tool, root):
    registry = root / "docs" / "numbers" / "commands.toml"
    change(registry, "--stars 3", "--stars 4")
    change(registry, "[counts]", "[others]")
    found = "\n".join(tool.problems(root))
    assert "docs/numbers/speed.md was printed by another command" in found
    assert "docs/numbers/counts.md: no command of this name" in found
    assert "no page shows or quotes others" in found


def test_what_is_not_measured_is_said_to_be(tool, root, capsys):
    (root / "docs" / "numbers" / "counts.md").unlink()
    assert tool.main(["--check"], root) == 1
    assert tool.main(["--insert"], root) == 0
    page = (root / "README.md").read_text(encoding="utf-8")
    assert "*Not measured yet: `python speed.py`.*" in page
    assert tool.main(["--check"], root) == 0
    assert "not yet measured by --run: counts" in capsys.readouterr().out


def test_a_command_that_fails_leaves_the_old_result(tool, root, capsys):
    (root / "speed.py").write_text("print('1'); raise SystemExit(3)", encoding="utf-8")
    commit_all(root)
    before = {path: path.read_bytes() for path in root.rglob("*.md")}
    assert tool.main(["--run", "speed"], root) == 1
    assert "speed failed with exit code 3; nothing was stored" in capsys.readouterr().err
    assert before == {path: path.read_bytes() for path in root.rglob("*.md")}


def test_numbers_of_a_tree_that_is_no_commit_are_refused(tool, root, capsys):
    before = {path: path.read_bytes() for path in root.rglob("*.md")}
    change(root / "speed.py", "22", "23")
    (root / "new.py").write_text("x = 1\n", encoding="utf-8")
    assert tool.main(["--run", "counts"], root) == 2
    words = capsys.readouterr().err
    assert "speed.py" in words
    assert "new.py" in words
    assert "docs/numbers" not in words
    assert "README.md" not in words, "its blocks alone differ"
    assert tool.main(["--run", "counts", "--anyway"], root) == 0
    assert "23 stars" in capsys.readouterr().out
    assert before == {path: path.read_bytes() for path in root.rglob("*.md")}
    commit_all(root)
    change(root / "README.md", "Text between.", "Words between.")
    assert tool.main(["--run", "counts"], root) == 2
    assert "README.md" in capsys.readouterr().err
    commit_all(root)
    assert tool.main(["--run", "counts"], root) == 0
    head = tool.load(root, "counts").head
    assert head["commit"] == git(root, "rev-parse", "--short", "HEAD").strip()


def test_a_tree_that_changes_during_the_run_is_refused(tool, root, capsys):
    (root / "speed.py").write_text("open('left.py', 'w').close()", encoding="utf-8")
    commit_all(root)
    assert tool.main(["--run", "counts"], root) == 1
    words = capsys.readouterr().err
    assert "changed during the run" in words
    assert "left.py" in words


def test_without_git_nothing_is_stored(tool, root, capsys):
    shutil.rmtree(root / ".git")
    assert tool.main(["--run", "counts"], root) == 2
    assert "no commit to name" in capsys.readouterr().err


def test_unknown_names_are_refused(tool, root, capsys):
    with pytest.raises(SystemExit):
        tool.main(["--run", "velocity"], root)
    assert "no command velocity; there are speed, counts" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("quoted", "printed", "expected"),
    [
        ("0.12", "0.119", True), ("0.12", "0.126", False), ("7,000", "7,118", True),
        ("7,000", "7,618", False), ("7,118", "7,118.4", True), ("0", "0.4", True),
        ("0", "3", False), ("-0.5", "−0.52", True), ("hours", "hours", True),
        ("hours", "minutes", False), ("40,000", "39,961", True),
    ],
)  # fmt: skip
def test_rounded_numbers(tool, quoted, printed, expected):
    assert tool.same(quoted, printed) == expected
