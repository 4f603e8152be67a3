"""Bits of the columns `flags` and `match_flags`, each defined once."""

from __future__ import annotations

from enum import IntFlag
from typing import Final


class Flag(IntFlag):
    """Bits of the column `flags`."""

    UNEXPLAINED = 1
    """Fewer than one star of the model in 10,000 with such measurements has so low an evidence."""
    NO_PHOTOMETRY = 2
    """No usable magnitude: the true star is drawn from the prior of its sightline."""
    PARALLAX_USED = 4
    """The measured parallax entered the posterior."""
    PARALLAX_REJECTED = 8
    """A parallax was given but not used: it failed the quality cut or has no valid error."""
    OUTSIDE_MAP = 16
    """The position lies outside the extinction map."""
    ERROR_ASSUMED = 32
    """At least one magnitude had no valid error; the default error was used for it."""
    HW_USED = 64
    """The magnitude in Hw, or in another synthetic band, entered the posterior."""
    HW_REDUNDANT = 128
    """A magnitude in a synthetic band was given but not used, because J and H are present."""
    HW_EXTRAPOLATED = 256
    """A relation of a synthetic band was used outside the colours for which it was measured."""
    NO_SUBCELL = 512
    """The extinction map has no sub-cells here: the mean of the cell was used."""
    MOTION_USED = 1024
    """The measured proper motion or radial velocity entered the posterior and the true motion."""
    MOTION_REJECTED = 2048
    """A motion was given but not used: it failed the quality cut or has no valid error."""

    NOT_LEARNED = 4096
    """The reddening here was not learned from the list: the map, with what maps are wrong by."""
    ERRORS_INFLATED = 8192
    """Nothing explains the star with its errors, whatever its measurements are: the true star is
    drawn with inflated errors, round what was observed."""

    @property
    def description(self) -> str:
        """Meaning of a single bit, for listings and file metadata."""
        return _FLAG_DESCRIPTIONS[self]


_FLAG_DESCRIPTIONS: Final = {
    Flag.UNEXPLAINED: "evidence lower than that of all but 1e-4 of the model's stars",
    Flag.NO_PHOTOMETRY: "no usable magnitude, drawn from the prior",
    Flag.PARALLAX_USED: "the measured parallax was used",
    Flag.PARALLAX_REJECTED: "a parallax was given but failed the quality cut",
    Flag.OUTSIDE_MAP: "outside the extinction map",
    Flag.ERROR_ASSUMED: "a magnitude without a valid error got the default error",
    Flag.HW_USED: "the magnitude in a synthetic band (Hw) was used",
    Flag.HW_REDUNDANT: "a synthetic band (Hw) given but not used, because J and H are present",
    Flag.HW_EXTRAPOLATED: "relation of a synthetic band (Hw) used outside its range of colours",
    Flag.NO_SUBCELL: "no sub-cells in the extinction map, mean of the cell used",
    Flag.MOTION_USED: "the measured proper motion or radial velocity was used",
    Flag.NOT_LEARNED: "reddening of the map with its error: not learned from the list here",
    Flag.MOTION_REJECTED: "a motion was given but failed the quality cut",
    Flag.ERRORS_INFLATED: "nothing explains the star with its errors, which were inflated",
}


class MatchFlag(IntFlag):
    """Bits of the column `match_flags` of a merged catalogue."""

    AMBIGUOUS = 1
    """A link is less probable than the limit of the settings."""
    BLENDED = 2
    """A magnitude contains light of a neighbour, and no better one exists."""
    SINGLE_SURVEY = 4
    """Only one survey has the star."""
    NEAR_BRIGHT = 8
    """Within the radius of ghosts of a bright star, but seen by several surveys."""
    HW_NO_J = 16
    """No Hw: J is missing (or H)."""
    HW_EXTRAPOLATED = 32
    """The Hw relation was used outside the colours for which it was measured."""
    SATURATED = 64
    """A magnitude is from a saturated measurement, and no better one exists."""
    ZERO_POINT = 128
    """The zero point of Gaia was removed from the parallax."""
    DISCORDANT = 256
    """Two surveys disagree in a band by more than 0.5 mag and five errors."""
    ERROR_ASSUMED = 512
    """A magnitude has the default error of its survey."""
    DOUBTFUL = 1024
    """A magnitude may be contaminated (spike, latent image, extended source, bad pixels), and no
    better one exists."""

    @property
    def description(self) -> str:
        """Meaning of a single bit, for listings and file metadata."""
        return _MATCH_FLAG_DESCRIPTIONS[self]


_MATCH_FLAG_DESCRIPTIONS: Final = {
    MatchFlag.AMBIGUOUS: "a link is less probable than the limit",
    MatchFlag.BLENDED: "a magnitude contains light of a neighbour",
    MatchFlag.SINGLE_SURVEY: "only one survey has the star",
    MatchFlag.NEAR_BRIGHT: "close to a bright star, seen by several surveys",
    MatchFlag.HW_NO_J: "no Hw, because J or H is missing",
    MatchFlag.HW_EXTRAPOLATED: "Hw relation used outside its range of colours",
    MatchFlag.SATURATED: "a magnitude is saturated",
    MatchFlag.ZERO_POINT: "the zero point of Gaia was removed from the parallax",
    MatchFlag.DISCORDANT: "two surveys disagree by more than 0.5 mag and five errors",
    MatchFlag.ERROR_ASSUMED: "a magnitude has the default error of its survey",
    MatchFlag.DOUBTFUL: "a magnitude is doubtful by a flag of its survey",
}
