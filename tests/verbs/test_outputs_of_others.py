"""What gcmock did not write is never replaced or removed, by any command, whatever is asked for."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

import gcmock
from gcmock import cli
from gcmock.errors import InputError
from gcmock.io.ownership import ACCOUNT, account_text


@pytest.fixture
def data(tmp_path):
    """Inputs that would do, and things of the user under names that outputs would have."""
    (tmp_path / "stars.parquet").write_bytes(b"PAR1 stars")
    (tmp_path / "merge.toml").write_text(
        f'[[survey]]\nname = "2mass"\npath = "{tmp_path}/stars.parquet"\n', encoding="utf-8"
    )
    for name in ("o.parquet", "o.fits", "o.html", "o.json", "o.md", "o.png", "o_truth.parquet"):
        (tmp_path / name).write_bytes(b"work of years")
    (tmp_path / "o_summary.json").write_text("{}", encoding="utf-8")
    for name in ("own", "out", "out_rejected", "demo"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "thesis.txt").write_bytes(b"work of years")
    (tmp_path / "out_rejected" / "part-0000001.parquet").write_bytes(b"PAR1 mine")
    (tmp_path / "demo" / "mock.parquet").write_bytes(b"PAR1 mine")
    # A folder of gcmock with a link to data.
    linked = tmp_path / "linked"
    linked.mkdir()
    (linked / ACCOUNT).write_text(account_text(["data"]), encoding="utf-8")
    (linked / "data").symlink_to(tmp_path / "own")
    (tmp_path / "dangling.parquet").symlink_to(tmp_path / "nowhere.parquet")
    (tmp_path / "dangling").symlink_to(tmp_path / "nowhere")
    return tmp_path


def fingerprint(folder: Path) -> dict[str, str]:
    found = {}
    for path in sorted(folder.rglob("*")):
        if path.is_symlink():
            found[str(path)] = str(path.readlink())
        elif path.is_file():
            found[str(path)] = hashlib.sha256(path.read_bytes()).hexdigest()
    return found


WINDOW = {"l": (0.3, 0.32), "b": (-0.2, -0.18)}
MORE = {"overwrite": True}
CALLS = {
    "build": lambda d: gcmock.build(d / "stars.parquet", d / "o.parquet", **MORE),
    "build into a folder": lambda d: gcmock.build(d / "stars.parquet", d / "out", **MORE),
    "build over a link": lambda d: gcmock.build(d / "stars.parquet", d / "linked", **MORE),
    "build through a link": lambda d: gcmock.build(d / "stars.parquet", d / "dangling.parquet"),
    "build through a link to a folder": lambda d: gcmock.build(d / "stars.parquet", d / "dangling"),
    "simulate": lambda d: gcmock.simulate(**WINDOW, output=d / "o.parquet", **MORE),
    "simulate into a folder": lambda d: gcmock.simulate(**WINDOW, output=d / "out", **MORE),
    "simulate surveys": lambda d: gcmock.simulate(
        **WINDOW, output=d / "out", surveys="2mass", **MORE
    ),
    "merge": lambda d: gcmock.merge(d / "merge.toml", d / "o.parquet", **MORE),
    "merge with a summary": lambda d: gcmock.merge(d / "merge.toml", d / "o.ecsv", **MORE),
    "merge into a folder": lambda d: gcmock.merge(d / "merge.toml", d / "out", **MORE),
    "merge with what is left out": lambda d: gcmock.merge(
        d / "merge.toml", d / "out.parquet", keep_rejected=True, **MORE
    ),
    "fetch": lambda d: gcmock.fetch("2mass", output=d / "out", **WINDOW, **MORE),
    "calibrate": lambda d: gcmock.calibrate(d / "stars.parquet", d / "o.fits", **MORE),
    "calibrate with a figure": lambda d: gcmock.calibrate(
        d / "stars.parquet", figure=d / "o.png", **MORE
    ),
    "solve": lambda d: gcmock.solve(d / "own", d / "out", **MORE),
    "observe": lambda d: gcmock.observe(d / "stars.parquet", d / "out", **MORE),
    "compare": lambda d: gcmock.compare(d / "own", d / "stars.parquet", d / "out", **MORE),
    "export": lambda d: gcmock.export(d / "stars.parquet", d / "o.parquet", **MORE),
    "propagate": lambda d: gcmock.propagate(
        d / "stars.parquet", d / "o.parquet", epochs=[2030.0], **MORE
    ),
    "report": lambda d: gcmock.report(d / "stars.parquet", d / "o.html", **MORE),
    "report with figures": lambda d: gcmock.report(
        d / "stars.parquet", d / "new.html", figures=d / "out", **MORE
    ),
    "validate": lambda d: gcmock.validate(output=d / "o.json", only="genstars", **MORE),
    "validate as Markdown": lambda d: gcmock.validate(output=d / "o.md", only="genstars", **MORE),
    "demo": lambda d: gcmock.demo(d / "demo"),
}


@pytest.mark.parametrize("name", CALLS)
def test_what_others_wrote_is_never_replaced(data, name):
    before = fingerprint(data)
    with pytest.raises(InputError, match=r"gcmock did not write|not written by gcmock|is a link"):
        CALLS[name](data)
    assert fingerprint(data) == before
    assert not (data / "nowhere").exists()
    assert not (data / "nowhere.parquet").exists()


def test_hats_catalogues_of_others_are_kept(data):
    pytest.importorskip("hats_import")
    pytest.importorskip("distributed")
    (data / "out" / "hats.properties").write_text("hats_nrows = 1", encoding="utf-8")
    before = fingerprint(data)
    with pytest.raises(InputError, match="gcmock did not write"):
        gcmock.import_hats(data / "stars.parquet", data / "out", overwrite=True)
    with pytest.raises(InputError, match="gcmock did not write"):
        gcmock.calibrate(data / "stars.parquet", hats=data / "out", overwrite=True)
    assert fingerprint(data) == before


@pytest.mark.parametrize(
    "log", ["stars.parquet", "o.json", "own/log.txt", "dangling", "new.parquet", "merge.toml"]
)
def test_logs_go_to_logs_only(data, capsys, log):
    before = fingerprint(data)
    words = ["build", f"{data}/stars.parquet", "-o", f"{data}/new.parquet"]
    words += ["--config", f"{data}/own"] if log.startswith("own/") else []
    assert cli.run([*words, "--log", f"{data}/{log}"]) == 2
    assert "--log" in capsys.readouterr().err or log == "dangling"
    assert fingerprint(data) == before


def test_tables_of_gcmock_are_no_logs(data, capsys):
    # Such a file may be named in settings, where the command line does not see it.
    (data / "own.json").write_text('{"creator": "gcmock 0"}', encoding="utf-8")
    assert cli.run(["info", "laws", "--log", f"{data}/own.json"]) == 2
    assert "is no log of gcmock" in capsys.readouterr().err
