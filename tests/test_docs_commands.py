"""Every command of the documentation runs, at small sizes and on simulated inputs."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
TOOL = ROOT / "tools" / "docs_commands.py"


@pytest.fixture(scope="module")
def tool():
    spec = importlib.util.spec_from_file_location("docs_commands", TOOL)
    module = importlib.util.module_from_spec(spec)
    sys.modules["docs_commands"] = module
    spec.loader.exec_module(module)
    return module


def test_commands_of_bash_blocks_are_found_once_per_page(tool, tmp_path):
    (tmp_path / "docs").mkdir()
    (tmp_path / "README.md").write_text(
        "```bash\ncd x && .venv/bin/gcmock demo\ngcmock build a \\\n  -o b # words\n```\n"
        "```bash\ngcmock demo\npip install gcmock\n```\n```toml\ngcmock = 1\n```\n"
    )
    (tmp_path / "docs" / "a.md").write_text("```bash\ngcmock fetch 2mass -o c\n```\n")
    found = list(tool.calls(tmp_path))
    assert [call.page for call in found] == ["README.md", "README.md", "docs/a.md"]
    assert [call.words for call in found[:2]] == [["demo"], ["build", "a", "-o", "b"]]
    assert [bool(call.reason) for call in found] == [False, False, True]


def test_commands_are_made_small(tool):
    line = "gcmock simulate -o a --l -1.4 0.7 --b -0.6 0.6 --ks-max 17.5"
    words = tool.Call("README.md", line).words
    assert float(words[words.index("--l") + 2]) - float(words[words.index("--l") + 1]) < 0.05
    assert words[words.index("--ks-max") + 1] == "14"


def test_every_rule_is_used(tool):
    """A rule that no command needs hides that a command has changed."""
    lines = "\n".join(call.line for call in tool.calls(ROOT))
    for pattern, _ in (*tool.SMALLER, *tool.LEFT_OUT, *tool.FEWER):
        assert tool.re.search(pattern, lines, tool.re.MULTILINE), pattern


def test_most_commands_run(tool):
    found = list(tool.calls(ROOT))
    assert len([call for call in found if not call.reason]) > 0.7 * len(found)


@pytest.mark.long
def test_all_commands_of_the_documentation_run(tmp_path):
    done = subprocess.run(
        [sys.executable, TOOL, "--folder", tmp_path / "files"],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
