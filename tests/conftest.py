"""Fixtures that every test may use."""

from __future__ import annotations

from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def shared_dir() -> Path:
    """Folder with the specifications and reference numbers, next to the project."""
    shared = Path(__file__).resolve().parents[2] / "shared"
    if not (shared / "reference").is_dir():
        pytest.skip(f"reference numbers not found in {shared / 'reference'}")
    return shared
