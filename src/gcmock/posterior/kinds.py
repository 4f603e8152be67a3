"""Kinds of stars: those that a kernel can take together."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from gcmock.posterior.kernel.arrangement import KS
from gcmock.posterior.kernel.lattice import Steps
from gcmock.posterior.kernel.terms import ALIKE


class StarKind(NamedTuple):
    """What the stars of a block have in common.

    Attributes
    ----------
    mask, row : int
        Band mask, row of the extinction law.
    steps : Steps
        Steps of the lattice; -1 for a sum over nodes.
    """

    mask: int
    row: int
    steps: Steps

    @property
    def on_lattice(self) -> bool:
        """Whether the stars are summed over a lattice."""
        return self.mask > 0 and self.steps.w >= 0

    @property
    def bands(self) -> int:
        """Band mask of the tables: Hw beside two others is turned into those."""
        return ALIKE.get(self.mask, self.mask or KS)


def group_by_kind(
    codes: NDArray[np.int64], l_deg: NDArray[np.float64], b_deg: NDArray[np.float64]
) -> list[tuple[StarKind, NDArray[np.int64]]]:
    """Return the kinds of stars and the indices of their stars, neighbours in the sky together.

    Parameters
    ----------
    codes : ndarray of int64, shape (n_star, 6)
        Mask, row and steps of every star.
    l_deg, b_deg : ndarray, shape (n_star,)
        Position [deg].
    """
    kinds, of_star = np.unique(codes, axis=0, return_inverse=True)
    groups = []
    for i, kind in enumerate(kinds):
        members = np.flatnonzero(of_star == i)
        # Neighbours share cached priors.
        members = members[np.lexsort((b_deg[members], l_deg[members]))]
        mask, row, *steps = (int(x) for x in kind)
        groups.append((StarKind(mask, row, Steps(*steps)), members))
    return groups


def one_lattice_each(
    kinds: list[tuple[StarKind, NDArray[np.int64]]],
) -> list[tuple[StarKind, NDArray[np.int64]]]:
    """Merge kinds that differ in their lattices alone."""
    merged: dict[tuple[int, int, bool], list[tuple[StarKind, NDArray[np.int64]]]] = {}
    for kind, members in kinds:
        merged.setdefault((kind.mask, kind.row, kind.on_lattice), []).append((kind, members))
    out = []
    for group in merged.values():
        steps = np.array([kind.steps for kind, _ in group])
        tilt = max(group, key=lambda pair: pair[1].size)[0].steps.tilt
        finest = Steps(*(int(x) for x in (*steps[:, :3].min(axis=0), tilt)))
        out.append((group[0][0]._replace(steps=finest), np.concatenate([m for _, m in group])))
    return out
