"""Timing in turns: A B A B …, so that a machine that slows down slows both; medians are quoted."""

from __future__ import annotations

import gc
from collections.abc import Callable
from statistics import median
from time import perf_counter
from typing import NamedTuple


class Row(NamedTuple):
    """A line of the table."""

    what: str
    ours: str
    reference: str
    ratio: str
    goal: str


def seconds(work: Callable[[], object]) -> float:
    """How long one run takes."""
    gc.collect()
    start = perf_counter()
    work()
    return perf_counter() - start


def in_turns(
    ours: Callable[[], object], reference: Callable[[], object], times: int = 3
) -> tuple[float, float]:
    """The median seconds of both, run one after the other."""
    pairs = [(seconds(ours), seconds(reference)) for _ in range(times)]
    return median(a for a, _ in pairs), median(b for _, b in pairs)
