"""重放的问题: what a replay asks, and what is kept of it so that it can be answered again."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypedDict, cast

from domain.entries.parsing import recorded_entry
from domain.evaluation.programs import program_of
from domain.identifiers import Period

if TYPE_CHECKING:
    from domain.entries.entry import AnyEntry
    from domain.rulebook.checks import Program

Key = tuple[str, str]  # of an entry: source, source_id


class Supposed(TypedDict):
    """A supposed entry as it is kept, its personal text apart."""

    entry: dict[str, object]
    personal: dict[str, object]


class Kept(TypedDict):
    """What it takes, beside the question, to answer it again on any later day."""

    position: int
    draft: str | None  # the text
    supposed: list[Supposed]


# The parameters of a run or a job. `draft` is a digest; entries are named SOURCE:SOURCE_ID.
Parameters = TypedDict(
    "Parameters",
    {
        "periods": list[str],
        "branches": list[str],
        "rulebook": str | None,
        "draft": str | None,
        "against": str | None,
        "as_of": str | None,
        "with": list[str],
        "without": list[str],
        "kept": Kept,
    },
)


@dataclass(frozen=True)
class Question:
    """Periods and branches (none: all), under which rules, as of when, with what added or left
    out.
    """

    periods: tuple[Period, ...]
    branches: tuple[str, ...] = ()
    rulebook: str | None = None  # ID or ID@VERSION
    draft: Program | None = None  # instead, a rulebook that is not published
    against: str | None = None  # settled, paid, or ID[@VERSION]
    as_of: str | None = None  # a position, or an instant
    added: tuple[AnyEntry, ...] = ()
    left_out: tuple[Key, ...] = ()
    causes: bool = True  # whether a comparison says where each difference comes from
    checked: bool = False  # the ledger would take what is added: it was checked before

    def parameters(self, position: int, added: tuple[AnyEntry, ...]) -> dict[str, object]:
        """The question as it is recorded, answered as of a position with these entries added."""
        draft = self.draft.rulebook if self.draft else None
        parts = (entry.parts() for entry in added)
        kept: Kept = {
            "position": position,
            "draft": self.draft.text if self.draft else None,
            "supposed": [{"entry": public, "personal": personal} for public, personal in parts],
        }
        return {
            "periods": [str(period) for period in self.periods],
            "branches": list(self.branches),
            "rulebook": self.rulebook or (f"{draft.id}@{draft.version}" if draft else None),
            "draft": self.draft.digest if self.draft else None,
            "against": self.against,
            "as_of": self.as_of,
            "with": [f"{source}:{number}" for source, number in (e.key for e in self.added)],
            "without": [f"{source}:{number}" for source, number in self.left_out],
            "kept": kept,
        }


def without_kept(parameters: dict[str, object]) -> dict[str, object]:
    """Recorded parameters as they were asked."""
    return {name: value for name, value in parameters.items() if name != "kept"}


def supposed_in(parameters: dict[str, object]) -> tuple[tuple[AnyEntry, ...], tuple[Key, ...]]:
    """The entries that recorded parameters suppose, and the keys of those that they leave out."""
    recorded = cast("Parameters", parameters)
    supposed = recorded["kept"]["supposed"]
    added = tuple(recorded_entry(parts["entry"] | parts["personal"]) for parts in supposed)
    keys = [key.partition(":") for key in recorded["without"]]
    return added, tuple((source, number) for source, _, number in keys)


def branches_in(parameters: dict[str, object]) -> list[str]:
    """The branches that recorded parameters name; none: all."""
    return cast("Parameters", parameters)["branches"]


def question_in(parameters: dict[str, object]) -> Question:
    """The question of recorded parameters, as of the position at which it was answered."""
    recorded = cast("Parameters", parameters)
    kept = recorded["kept"]
    added, left_out = supposed_in(parameters)
    return Question(
        tuple(Period.parse(period) for period in recorded["periods"]),
        tuple(recorded["branches"]),
        recorded["rulebook"],
        program_of(kept["draft"], "draft") if kept["draft"] else None,
        recorded["against"],
        str(kept["position"]),
        added,
        left_out,
        checked=True,
    )
