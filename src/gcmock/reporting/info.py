"""What gcmock consists of: model, components, laws, relations, columns, data."""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Iterable

from gcmock.data import path, read_toml
from gcmock.settings.build import Config, default_config_toml
from gcmock.words.bands import SYNTHETIC_BANDS
from gcmock.words.bands import band as band_named
from gcmock.words.columns import INPUT_COLUMNS, OUTPUT_COLUMNS, Column
from gcmock.words.components import COMPONENT_TABLE
from gcmock.words.flags import Flag

_WIDTH = 96


def info(topic: str) -> str:
    """Return the text of a topic.

    Parameters
    ----------
    topic : str
        One of `TOPICS`.
    """
    return TOPICS[topic]()


def _entry(name: str, text: str) -> str:
    return name + "\n" + textwrap.fill(text, _WIDTH, initial_indent="  ", subsequent_indent="  ")


def _overview() -> str:
    from gcmock import __version__

    topics = "\n".join(f"  gcmock info {name:<11}{_ABOUT[name]}" for name in TOPICS if name)
    return f"gcmock {__version__}: ground-truth star catalogues of the Galactic centre\n{topics}"


def _model() -> str:
    """Galactic model and the choices that its config section offers."""
    section = default_config_toml().split("\n\n[populations]")[0]
    return (
        "Koshimoto, Baba & Bennett 2021 (ApJ 917, 78) with the nuclear stellar disc of Sormani et "
        "al. 2022\n(MNRAS 512, 1857) and the nuclear star cluster of Chatzopoulos et al. 2015 "
        f"(MNRAS 447, 948).\n\n{section}"
    )


def _components() -> str:
    """Name, number of stars per square degree towards one field, and population."""
    from gcmock.model import load_model
    from gcmock.posterior.sightline import prior_counts

    model = load_model()
    counts = prior_counts(model.galaxy, [0.0], [-0.1], model.grid)[0].sum(axis=-1)
    lines = [f"{'component':<11}{'':<25}{'stars per deg2':>14}  {'mean age':>9}  mean [M/H]"]
    for row, n in zip(COMPONENT_TABLE, counts, strict=True):
        nodes = model.populations.nodes(row.name)
        age = (nodes.age_gyr * nodes.weight).sum() / nodes.weight.sum()
        metallicity = (nodes.metallicity * nodes.weight).sum() / nodes.weight.sum()
        lines.append(
            f"{row.name:<11}{row.label:<25}{n:>14.3g}  {age:>5.2f} Gyr  {metallicity:>+10.2f}"
        )
    lines.append("Living stars of all magnitudes towards l = 0, b = -0.1 deg.")
    return "\n".join(lines)


def _laws() -> str:
    laws = read_toml("extinction_laws.toml")
    default = Config().extinction.law
    entries = []
    for name, law in laws.items():
        rows = "; ".join(" ".join(f"{x:.5f}" for x in row) for row in law["rows"])
        mark = " (default)" if name == default else ""
        entries.append(_entry(name + mark, f"A_J A_H A_Ks per E(J-Ks): {rows}. {law['source']}"))
    return "\n".join(entries)


def _relations() -> str:
    """Relations of Hw and of all other synthetic bands."""
    from gcmock.stars.bands import load_relation, relation_names

    entries = []
    for band in map(band_named, SYNTHETIC_BANDS):
        entries.append(
            f"{band.label} = H + p1 x + p2 x^2 + p3 x^3, x = J - H, in reddened magnitudes"
        )
        for name in relation_names(band.name):
            relation = load_relation(band.name, name)
            mark = " (default)" if name == band.relation else ""
            p = ", ".join(f"{x:g}" for x in relation.coefficients)
            low, high = relation.valid_j_minus_h
            text = (
                f"p = {p}; scatter {relation.scatter_mag:g} mag; {low:g} < J-H < {high:g}. "
                f"{relation.source}. {relation.status.capitalize()}."
            )
            entries.append(_entry(name + mark, text))
    return "\n".join(entries)


def _schema() -> str:
    parts = ["INPUT (a position and one magnitude are required)", *_columns(INPUT_COLUMNS)]
    parts += ["", "OUTPUT", *_columns(OUTPUT_COLUMNS), "", "FLAGS (sum of bits)"]
    parts += [f"  {flag.value:>4}  {flag.name:<18} {flag.description}" for flag in Flag]
    return "\n".join(parts)


def _columns(columns: Iterable[Column]) -> list[str]:
    return [f"  {c.name:<26}{c.dtype:<9}{c.unit:<9}{c.description}" for c in columns]


def _missions() -> str:
    """Return the files of the missions, with the source of every value."""
    from gcmock.astrometry.missions.mission import mission_names, mission_path

    texts = [mission_path(name).read_text(encoding="utf-8").strip() for name in mission_names()]
    rule = "\n\n" + "#" * _WIDTH + "\n\n"
    return f"# Missions: {', '.join(mission_names())}\n\n" + rule.join(texts)


def _data() -> str:
    return path("README.md").read_text(encoding="utf-8").strip()


_ABOUT = {
    "config": "all settings with their defaults: the start of your own config file",
    "model": "the Galactic model and its variants",
    "components": "the components",
    "laws": "extinction laws",
    "hw": "relations of Hw, and of other synthetic bands, to J and H",
    "schema": "columns of input and output, flags",
    "missions": "missions for propagate, observe and export, with all their settings",
    "data": "origin of the tables in the package",
}

TOPICS: dict[str, Callable[[], str]] = {
    "": _overview,
    "config": lambda: default_config_toml().rstrip(),
    "model": _model,
    "components": _components,
    "laws": _laws,
    "hw": _relations,
    "schema": _schema,
    "missions": _missions,
    "data": _data,
}
"""Texts by topic; the empty topic is the overview."""
