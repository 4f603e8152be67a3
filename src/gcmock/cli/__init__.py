"""The command line: parses, calls, prints. Everything slow is imported inside the commands."""

from __future__ import annotations

from gcmock.cli.app import app, main, run

__all__ = ["app", "main", "run"]
