"""How the catalogue of `gcmock demo` compares with its truth: the table of docs/results.md.

    python benchmarks/demo.py

Runs the demonstration with the default settings, in a temporary folder.
"""

from __future__ import annotations

import tempfile
from pathlib import Path

from gcmock.reporting.demo import run_demo
from gcmock.settings.build import load_config
from printed import table


def main() -> None:
    """Print the table."""
    with tempfile.TemporaryDirectory() as folder:
        result = run_demo(Path(folder) / "demo", load_config(None, {}))
    found = result.calibration
    rows = [
        ("stars", f"{result.summary.n_star:,}", ""),
        ("68 % interval of the distance covers", f"{found.coverage:.3f}", "0.68"),
        ("Brier score of P(nsd + nsc)", f"{found.brier:.3f}",
         f"below {found.base_brier:.3f}, that of the fraction for every star"),
        ("calibration error (ECE) of P(nsd + nsc)", f"{found.ece:.3f}", "0"),
    ]  # fmt: skip
    for group, fraction in found.inferred_fraction.items():
        error, true = found.fraction_error[group], found.true_fraction[group]
        rows.append((f"fraction of {group}", f"{fraction:.2%} ± {error:.2%}", f"{true:.2%}"))
    rows += [
        (f"standard deviation of (observed - true)/error, {band.capitalize()}", f"{x:.2f}", "1")
        for band, x in found.pull.items()
    ]
    table(("quantity", "catalogue", "truth, or what is right"), rows)


if __name__ == "__main__":
    main()
