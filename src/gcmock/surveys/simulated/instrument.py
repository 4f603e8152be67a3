"""What a survey does to true stars, in numbers: `instruments.toml` with a source for each."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

from gcmock.errors import InputError
from gcmock.surveys.definition import SURVEYS

Three = tuple[float, float, float]
Box = tuple[float, float, float, float]


@dataclass(frozen=True)
class Instrument:
    """Depth, resolution, errors and faults of a survey; ``instruments.toml`` says what each means.

    Attributes
    ----------
    name : str
        One of `gcmock.surveys.definition.SURVEYS`.
    bands : tuple of 3 str
        Its bands; arrays of magnitudes have them along their last axis.
    detection_band : int
        The band whose order of brightness decides which star of a blend is the source.
    epoch : tuple of 2 floats
        First and last epoch [Julian year]; a field has one of them.
    limit_mag, saturation_mag, floor_mag, zero_point_mag : tuple of 3 floats
        By band [mag].
    width_mag, lost_mag, known_mag, depth_scatter_mag : float
        [mag].
    fwhm_arcsec, overlap_arcsec : float
        [arcsec].
    blend_fwhm, blend_slope : float
        Blending [FWHM], [FWHM/mag].
    beams_per_source : tuple of 3 floats
        Confusion, by band.
    field_deg : tuple of 2 floats
        Pitch of the fields in l and b [deg].
    position_mas, field_offset_mas : float
        [mas].
    ghost_mag, ghosts, noise_per_deg2, marked : float
        Artefacts.
    n_epochs : tuple of 3 floats
        Mean number of epochs of a bright star by band.
    boxes_deg : tuple of (l_min, l_max, b_min, b_max)
        Footprint [deg]; the whole sky if empty.
    """

    name: str
    bands: tuple[str, str, str]
    detection_band: int
    epoch: tuple[float, float]
    limit_mag: Three
    width_mag: float
    saturation_mag: Three
    lost_mag: float
    floor_mag: Three
    zero_point_mag: Three
    fwhm_arcsec: float
    blend_fwhm: float
    blend_slope: float
    beams_per_source: Three
    field_deg: tuple[float, float]
    overlap_arcsec: float
    position_mas: float
    field_offset_mas: float
    ghost_mag: float
    ghosts: float
    noise_per_deg2: float
    marked: float
    known_mag: float = 0.0
    depth_scatter_mag: float = 0.0
    n_epochs: Three = (1.0, 1.0, 1.0)
    boxes_deg: tuple[Box, ...] = ()

    @property
    def number(self) -> int:
        """Place in `SURVEYS`: part of the name of its random streams."""
        return SURVEYS.index(self.name)


@cache
def _tables() -> dict[str, Any]:
    text = files(__package__).joinpath("instruments.toml").read_text(encoding="utf-8")
    return tomllib.loads(text)


@cache
def load_instrument(name: str) -> Instrument:
    """Load the numbers of a survey.

    Raises
    ------
    InputError
        If there is no survey of that name.
    """
    if name not in _tables():
        raise InputError(f"unknown survey {name!r}: expected one of {', '.join(SURVEYS)}")
    return Instrument(name=name, **{key: _frozen(v) for key, v in _tables()[name].items()})


def _frozen(value: Any) -> Any:
    return tuple(_frozen(v) for v in value) if isinstance(value, list) else value
