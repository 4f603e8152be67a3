"""Write the figure and the table of docs/validation.md, from real runs of ``gcmock validate``.

    python tools/make_validation.py --shared FOLDER

FOLDER has ``reference/`` (star lists of genstars) and ``real/`` (the JASMINE list).
"""

from __future__ import annotations

import argparse
import re
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PAGE = ROOT / "docs" / "validation.md"
IMAGE = ROOT / "docs" / "images" / "validation.png"
_BLOCK = re.compile(r"(<!-- begin: validation -->\n).*?(<!-- end: validation -->)", re.DOTALL)


def main() -> None:
    """Run everything on the demonstration and the list, and keep table and map."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--shared", type=Path, default=ROOT.parent / "shared")
    options = parser.parse_args()
    shared = options.shared.resolve()
    gcmock = [sys.executable, "-m", "gcmock"]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        subprocess.run([*gcmock, "demo", "-o", folder / "demo"], check=True)
        table = folder / "validation.md"
        words = ["validate", folder / "demo" / "mock.parquet"]
        words += ["--input", folder / "demo" / "survey.parquet"]
        words += ["--reference", shared / "reference"]
        words += ["--counts", shared / "real" / "jasmine_hw_catalogue.parquet"]
        words += ["-o", table, "--figure", folder / "map.png"]
        # Exit code 1: the list fails, and the page says why.
        subprocess.run([*gcmock, *map(str, words)], check=False)
        text = table.read_text(encoding="utf-8")
        IMAGE.write_bytes((folder / "map.png").read_bytes())
    page = PAGE.read_text(encoding="utf-8")
    PAGE.write_text(_BLOCK.sub(lambda m: f"{m[1]}\n{text}\n{m[2]}", page), encoding="utf-8")


if __name__ == "__main__":
    main()
