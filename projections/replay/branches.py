"""Which branches a replay may ask about: those that somebody was, or is supposed to be, in."""

from __future__ import annotations

import difflib
from typing import TYPE_CHECKING

from domain.entries.entry import Assignment
from domain.errors import NotFound, Text

if TYPE_CHECKING:
    from collections.abc import Sequence

    from projections.facts.places import Places
    from projections.replay.question import Question

SHOWN = 5  # branches that are named instead


class UnknownBranch(NotFound):
    """A branch to which nobody was ever assigned; `near`: those whose ids are like it, else some
    that there are.
    """

    def __init__(self, branch: str, known: Sequence[str]) -> None:
        near = difflib.get_close_matches(branch, known, SHOWN)
        listed = ", ".join(near or known[:SHOWN]) + ("" if near or len(known) <= SHOWN else ", …")
        if near:
            hint = Text(f"是否 {listed}？", f"did you mean {listed}?")
        elif known:
            hint = Text(f"已知的分公司：{listed}", f"the branches are {listed}")
        else:
            hint = Text(
                "账本中还没有任职记录，请先导入",
                "nobody is assigned anywhere yet: import that first",
            )
        text = Text(
            f"从未有人任职于分公司 {branch}；{hint.zh}",
            f"nobody was ever assigned to branch {branch}: {hint.en}",
        )
        super().__init__(text)
        self.branch, self.near = branch, tuple(near or known[:SHOWN])


def check_branches(places: Places, question: Question) -> None:
    """Raises UnknownBranch for a branch of the question that nobody knows."""
    if not question.branches:
        return
    known = places.known()
    supposed = {entry.branch for entry in question.added if isinstance(entry, Assignment)}
    for branch in question.branches:
        if branch not in supposed and branch not in known:
            raise UnknownBranch(branch, known)
