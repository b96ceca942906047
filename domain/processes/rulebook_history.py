"""规则沿革: the versions of a rulebook, which is in force, and when another may be published."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from domain.errors import Declined, Text
from domain.identifiers import Month, stream_id
from domain.ledger.events import RulebookPublished

if TYPE_CHECKING:
    from collections.abc import Sequence

    from domain.rulebook.checks import Program


class Published(NamedTuple):
    """A published version."""

    rulebook: str
    version: str
    effective_from: Month
    position: int  # 0 until it is in the ledger
    digest: str
    text: str
    by: str
    at: str


class AlreadyPublished(Declined):
    """What is published never changes: a revision takes a version of its own."""

    code = "already_published"

    def __init__(self, rulebook: str, version: str) -> None:
        super().__init__(
            Text(
                f"{rulebook} {version} 已发布，不能更改；请换一个版本号再发布",
                f"{rulebook} {version} is published and never changes: give the revision a version "
                "of its own",
            )
        )
        self.rulebook, self.version = rulebook, version


def publish(
    history: Sequence[Published],
    program: Program,
    *,
    effective_from: Month | None,
    by: str,
    impact: dict[str, object] | None = None,
) -> RulebookPublished | None:
    """发布: the event that publishes a checked rulebook; None if this very text is published
    already.

    Raises AlreadyPublished where the version is published with another text.
    """
    rules = program.rulebook
    for earlier in history:
        if earlier.version == rules.version:
            if earlier.digest == program.digest:
                return None
            raise AlreadyPublished(rules.id, rules.version)
    return RulebookPublished(
        originator_id=stream_id("rulebook", rules.id),
        originator_version=len(history) + 1,
        by=by,
        rulebook=rules.id,
        version=rules.version,
        effective_from=str(effective_from or rules.effective_from),
        text=program.text,
        digest=program.digest,
        impact=impact,
    )


def in_force(history: Sequence[Published], month: Month) -> Published | None:
    """The version for a month: the latest to take effect by then; of equal months the one published
    last.
    """
    candidates = [version for version in history if version.effective_from <= month]
    return max(
        candidates, key=lambda version: (version.effective_from, version.position), default=None
    )
