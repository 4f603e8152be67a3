"""The verb info: settings, model, laws, relations, columns and the origin of the data."""

from __future__ import annotations

from html import escape
from typing import Literal

from gcmock.errors import InputError

Topic = Literal["", "config", "model", "components", "laws", "hw", "schema", "missions", "data"]


class Words(str):
    """A text that is shown as it is, line by line, in a terminal and in a notebook."""

    __slots__ = ()

    def __repr__(self) -> str:
        """Return the text itself."""
        return str(self)

    def _repr_html_(self) -> str:
        return f"<pre>{escape(self)}</pre>"


def info(topic: Topic = "") -> Words:
    """Return settings, model, laws, relations, columns or the origin of the data, as a text.

    Parameters
    ----------
    topic : {"", "config", "model", "components", "laws", "hw", "schema", "missions", "data"}
        What to show; an overview of the topics if not given.

    Returns
    -------
    Words
        A text that a terminal and a notebook show line by line.

    Raises
    ------
    InputError
        If there is no such topic.

    Examples
    --------
    >>> import gcmock
    >>> gcmock.info("config").splitlines()[0]
    '[model]'
    """
    from gcmock.reporting import info as texts

    if topic not in texts.TOPICS:
        known = ", ".join(name for name in texts.TOPICS if name)
        raise InputError(f"info: no topic {topic!r}; known: {known}")
    return Words(texts.info(topic))
