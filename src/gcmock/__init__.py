"""gcmock: ground-truth star catalogues of the Galactic centre."""

from __future__ import annotations

__version__ = "0.1.0"
