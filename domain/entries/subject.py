"""What an entry is about: its kind and month, whom or which branch it concerns, and which item."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from domain.entries.kinds import KINDS

if TYPE_CHECKING:
    from collections.abc import Mapping


class Subject(NamedTuple):
    """The subject of an entry. A reversal has that of the entry at the root of its chain, and its
    event stores it under these names.
    """

    root: str  # the kind of that entry
    month: str
    manager: str | None
    item: str | None  # of an assignment: its role
    branch: str | None
    team: str | None

    @classmethod
    def of_fields(cls, fields: Mapping[str, Any]) -> Subject:
        """Of an entry that is no reversal, by its fields as they are stored."""
        kind = fields["kind"]
        return cls(
            kind,
            fields["month"],
            fields.get("manager"),
            fields.get(KINDS[kind].about),
            fields.get("branch"),
            fields.get("team"),
        )

    @classmethod
    def of_state(cls, state: Mapping[str, Any]) -> Subject:
        """Of an entry or a reversal, by the stored state of its event."""
        if "root" not in state:
            return cls.of_fields(state["entry"])
        return cls(*(state[name] for name in cls._fields))
