"""The options ``--quiet`` and ``--verbose`` of every command."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, redirect_stdout
from typing import Final, Literal

from gcmock.errors import InputError
from gcmock.progress import LOUDNESS

Loudness = Literal["quiet", "usual", "verbose"]

OPTIONS: Final[dict[str, Loudness]] = {"--quiet": "quiet", "--verbose": "verbose"}


def split_loudness(tokens: Sequence[str]) -> tuple[list[str], Loudness]:
    """Take ``--quiet`` and ``--verbose`` out of the words of a command.

    Raises
    ------
    InputError
        If both are given.
    """
    words = list(tokens)
    end = words.index("--") if "--" in words else len(words)
    found = {OPTIONS[word] for word in words[:end] if word in OPTIONS}
    if len(found) > 1:
        raise InputError(f"{' and '.join(OPTIONS)} contradict each other; give one of them")
    rest = [word for word in words[:end] if word not in OPTIONS] + words[end:]
    return rest, found.pop() if found else "usual"


@contextmanager
def said(loudness: Loudness) -> Iterator[None]:
    """Say more or less while the context is open; errors and warnings always appear."""
    with ExitStack() as stack:
        token = LOUDNESS.set(loudness)
        stack.callback(LOUDNESS.reset, token)
        if loudness == "quiet":
            sys.stdout.flush()
            nowhere = stack.enter_context(open(os.devnull, "w", encoding="utf-8"))
            stack.enter_context(redirect_stdout(nowhere))
        yield
