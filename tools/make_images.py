"""Write the pictures of the documentation, from a real run of ``gcmock demo``.

``python tools/make_images.py``
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

IMAGES = Path(__file__).resolve().parents[1] / "docs" / "images"


def main() -> None:
    """Run the demonstration in a temporary folder and keep its picture."""
    gcmock = Path(sys.executable).with_name("gcmock")
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run([gcmock, "demo"], cwd=folder, check=True)
        (picture,) = Path(folder).rglob("*.png")
        IMAGES.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(picture, IMAGES / "demo.png")


if __name__ == "__main__":
    main()
