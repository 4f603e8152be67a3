"""Bands as the kernels see them: the linear ones, and one place for a synthetic band.

The functions are those of `gcmock.words.bands`, compiled. In a mask of the kernels the bit behind
those of the linear bands is that of the synthetic band of the star, whichever it is.
"""

from __future__ import annotations

from numba import njit

from gcmock.posterior.kernel.fastmath import HOT
from gcmock.words import bands

J, H, KS = bands.band("j").index, bands.band("h").index, bands.band("ks").index
"""Places of the bands on the axes of the kernels."""

J_BIT, H_BIT, KS_BIT = 1 << J, 1 << H, 1 << KS
"""Their bits in a mask."""

SLOT = bands.N_LINEAR
"""Place of the synthetic band."""

N_SEEN = bands.N_LINEAR + 1
"""Bands of a star in the kernels."""

linear_part = njit(**HOT)(bands.linear_part)
has_synthetic = njit(**HOT)(bands.has_synthetic)
by_colour = njit(**HOT)(bands.by_colour)
is_single = njit(**HOT)(bands.is_single)
first_band = njit(**HOT)(bands.first_band)
equivalent = njit(**HOT)(bands.equivalent)
