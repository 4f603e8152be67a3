"""Why a source is no star of the merged catalogue, and what is to be known of one that is."""

from __future__ import annotations

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
