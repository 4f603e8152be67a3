"""The documentation says what the program does: commands, settings, columns, links, examples."""

from __future__ import annotations

import contextlib
import importlib.util
import io
import json
import re
import subprocess
import sys
import tomllib
from functools import cache
from pathlib import Path

import pytest

from gcmock import __version__, cli
from gcmock.settings.build import load_config
from gcmock.settings.merge import load_merge_config

ROOT = Path(__file__).resolve().parents[1]
NAMES = ("README", "CHANGELOG", "CONVENTIONS", "CONTRIBUTING", "CODE_OF_CONDUCT", "SECURITY")
PAGES = [ROOT / f"{name}.md" for name in NAMES]
PAGES += [*sorted((ROOT / "docs").rglob("*.md")), ROOT / "src" / "gcmock" / "data" / "README.md"]

BLOCK = re.compile(r"^```(\w+)\n(.*?)^```", re.DOTALL | re.MULTILINE)
CALL = re.compile(r"^(?:\S*/)?gcmock ([a-z][\w-]*)(.*)$")
LINK = re.compile(r"\]\(([^)\s]+)\)")
WORKSHOP = re.compile(r"(?i)\bissues?\b|\bsessions?\b|/work/|/tmp/|/home/|\.\./shared")


def name_of(page: Path) -> str:
    return page.relative_to(ROOT).as_posix()


def blocks(page: Path, language: str) -> list[str]:
    found = BLOCK.findall(page.read_text(encoding="utf-8"))
    return [text for kind, text in found if kind == language]


def commands() -> list[tuple[str, str]]:
    """Every call of gcmock in the pages: the subcommand and the rest of the line."""
    calls = set()
    for page in PAGES:
        for text in blocks(page, "bash"):
            for line in text.replace("\\\n", " ").splitlines():
                for part in line.split("&&"):
                    if match := CALL.match(part.split(" #")[0].strip()):
                        calls.add((match[1], match[2].strip()))
        inline = re.findall(r"`gcmock ([a-z][\w-]*)([^`]*)`", page.read_text(encoding="utf-8"))
        calls.update((name, rest.strip()) for name, rest in inline)
    return sorted(calls)


@cache
def help_of(command: str) -> str:
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed), contextlib.redirect_stderr(printed):
        code = cli.run([*filter(None, [command]), "--help"])
    assert code == 0, f"gcmock {command} --help: {printed.getvalue()}"
    return printed.getvalue()


@pytest.mark.parametrize(("command", "arguments"), commands(), ids=str)
def test_commands_and_options_exist(command, arguments):
    # Some options, such as --log, are those of every command.
    text = help_of(command) + help_of("")
    for option in re.findall(r"(?<!\S)--?[a-z][\w-]*", arguments):
        assert re.search(rf"(?<![\w-]){option}(?![\w-])", text), f"{option} is not in:\n{text}"


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_settings_are_valid(page, tmp_path):
    for text in blocks(page, "toml"):
        tomllib.loads(text)
        path = tmp_path / "settings.toml"
        path.write_text(text, encoding="utf-8")
        # The settings of a merge are those that name surveys.
        (load_merge_config if "[[survey]]" in text else load_config)(path)


def slug(heading: str) -> str:
    """Anchor of a heading as GitHub makes it."""
    return re.sub(r"[^\w\- ]", "", heading.strip().lower()).replace(" ", "-")


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_links_resolve(page):
    broken = []
    for link in LINK.findall(page.read_text(encoding="utf-8")):
        if re.match(r"\w+://", link):
            continue
        target, _, anchor = link.partition("#")
        path = (page.parent / target).resolve() if target else page
        if not path.exists():
            broken.append(link)
        elif anchor:
            headings = re.findall(r"^#+ (.*)$", path.read_text(encoding="utf-8"), re.MULTILINE)
            if anchor not in map(slug, headings):
                broken.append(link)
    assert not broken


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_no_traces_of_the_workshop(page):
    assert not WORKSHOP.findall(page.read_text(encoding="utf-8"))


def examples() -> list[str]:
    """Python of the README and of the page on Python that stands for itself."""
    pages = (ROOT / "README.md", ROOT / "docs" / "api.md")
    pattern = re.compile(r"<!-- test: run -->\n```python\n(.*?)```", re.DOTALL)
    return [found for page in pages for found in pattern.findall(page.read_text(encoding="utf-8"))]


@pytest.mark.long
@pytest.mark.parametrize("example", examples(), ids=lambda text: text.splitlines()[-1][:40])
def test_python_examples_run(tmp_path, example):
    subprocess.run([sys.executable, "-c", example], cwd=tmp_path, check=True)


def load_tool(name: str):
    spec = importlib.util.spec_from_file_location(name, ROOT / "tools" / f"{name}.py")
    tool = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(tool)
    return tool


@pytest.mark.slow
def test_command_line_page_is_up_to_date():
    command = [sys.executable, ROOT / "tools" / "make_command_line.py", "--check"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_every_page_is_in_the_table_of_contents():
    index = (ROOT / "docs" / "index.md").read_text(encoding="utf-8")
    listed = {line.strip() for line in index.splitlines()}
    assert {page.stem for page in (ROOT / "docs").glob("*.md")} - {"index"} <= listed


def test_data_model_page_is_up_to_date():
    tool = load_tool("make_data_model")
    page = (ROOT / "docs" / "data_model.md").read_text(encoding="utf-8")
    assert tool.render(page) == page, "run python tools/make_data_model.py"
    page = (ROOT / "docs" / "astrometry.md").read_text(encoding="utf-8")
    fresh = tool.render(page, tool.astrometry_blocks())
    assert fresh == page, "run python tools/make_data_model.py"
    page = (ROOT / "docs" / "surveys.md").read_text(encoding="utf-8")
    fresh = tool.render(page, tool.survey_blocks())
    assert fresh == page, "run python tools/make_data_model.py"
    page = (ROOT / "docs" / "catalogue.md").read_text(encoding="utf-8")
    fresh = tool.render(page, tool.catalogue_blocks())
    assert fresh == page, "run python tools/make_data_model.py"


def test_api_page_is_up_to_date():
    tool = load_tool("make_api")
    page = (ROOT / "docs" / "api.md").read_text(encoding="utf-8")
    assert tool.render(page) == page, "run python tools/make_api.py"


def test_versions_agree():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    citation = (ROOT / "CITATION.cff").read_text(encoding="utf-8")
    assert project["version"] == __version__
    assert re.search(rf"^version: {re.escape(__version__)}$", citation, re.MULTILINE)
    codemeta = json.loads((ROOT / "codemeta.json").read_text(encoding="utf-8"))
    assert (codemeta["version"], codemeta["name"]) == (__version__, project["name"])
    assert codemeta["license"].endswith(project["license"])
    changes = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    dated = re.search(rf"^## \[{re.escape(__version__)}\] - (\S+)$", changes, re.MULTILINE)
    assert f"date-released: {dated[1]}" in citation
    assert codemeta["dateModified"] == dated[1]
    assert "## [Unreleased]" in (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")


def test_every_citation_of_the_paper_has_its_entry():
    paper = (ROOT / "paper" / "paper.md").read_text(encoding="utf-8")
    entries = set(
        re.findall(r"^@\w+\{(\w+),", (ROOT / "paper" / "paper.bib").read_text(), re.MULTILINE)
    )
    cited = set(re.findall(r"@([A-Z]\w+)", paper))
    assert cited == entries
    assert {"# Summary", "# Statement of need", "# References"} <= set(paper.splitlines())


WORDS = re.compile(r"(?i)\b(house|traps?|doubts)\b|the share of|of the share\b|\bspelling of\b")


@pytest.mark.parametrize("page", sorted((ROOT / "docs").glob("*.md")), ids=name_of)
def test_words_are_those_of_the_field(page):
    text = re.sub(
        r"<!-- (numbers|begin): .*?<!-- end", "", page.read_text(encoding="utf-8"), flags=re.DOTALL
    )
    assert not [found[0] for found in WORDS.finditer(text)]


@pytest.mark.parametrize("page", sorted((ROOT / "docs").glob("*.md")), ids=name_of)
def test_formulas_are_formulas(page):
    converter = pytest.importorskip("latex2mathml.converter")
    formulas = re.findall(
        r"^ *```math\n(.*?)```", page.read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE
    )
    for formula in formulas:
        found = converter.convert(formula.strip(), display="block")
        # What the converter does not know it leaves as it is.
        assert not re.search(r"\\[a-z]+|<mi>&<", found), formula
    # None is left as an indented block of text.
    text = re.sub(
        r"^ *```.*?^ *```", "", page.read_text(encoding="utf-8"), flags=re.DOTALL | re.MULTILINE
    )
    assert not re.findall(r"\n\n    [^ \n\-*\d|].*[=∝∫Σ].*\n", text)
