"""Provenance of a HATS catalogue, for tests that write one."""

from __future__ import annotations

METADATA = {
    "seed": "7",
    "input": "stars.fits",
    "input_sha256": "ab" * 32,
    "data_sha256": "cd" * 32,
    "versions": "{}",
    "content": "true stars",
    "citation": "a paper",
}
