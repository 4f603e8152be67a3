"""Why a source is no star of the merged catalogue, and what is to be known of one that is."""

from __future__ import annotations

from enum import IntFlag
from typing import Final

REASONS: Final = {
    "outside_window": "outside the window",
    "no_position": "no valid position",
    "no_magnitude": "no valid magnitude",
    "too_faint": "fainter than the limit of the settings",
    "duplicate": "the survey, or its own resolution, says that another source is the same star",
    "artefact": "the survey takes it for a ghost or a spike in all of its bands",
    "extended": "the survey takes it for a galaxy or a minor planet",
    "quality": "another mark of the survey that the settings reject",
    "blend": "light of stars that a finer survey resolves",
    "ghost": "close to a bright star, in one survey only, and of a kind of which most are false",
    "single_detection": "seen in one band by one survey, and of a kind of which most are false",
    "unconfirmed": "seen in several bands by one survey, and of a kind of which most are false",
}
"""Codes of the column `rejected`, with their meaning."""

REAL_LOOKING: Final = "real_looking"
"""Entry of an account: sources left out that look like stars, by survey and reason."""

OF_NO_STAR: Final = (
    *("artefact", "extended", "quality", "ghost", "single_detection", "unconfirmed"),
)
"""Reasons that say that a source is no star; the others say that it is not wanted here, or known
by another source."""


class MatchFlag(IntFlag):
    """Bits of the column `match_flags`."""

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
        return _DESCRIPTIONS[self]


_DESCRIPTIONS: Final = {
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
