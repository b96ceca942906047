"""导入时的未读记录: which entries of a batch none of the rulebooks of their branch will read.

It asks what the versions in force read and compiles none, so an import stays quick. What hangs on
who is in a rulebook's population is for the month check.
"""

from __future__ import annotations

from collections import defaultdict
from functools import lru_cache
from operator import itemgetter
from typing import TYPE_CHECKING, NamedTuple

from domain.entries.entry import BACK_PAY, CLAWBACK, Assignment, Reversal
from domain.entries.kinds import KINDS
from domain.errors import NotFound
from domain.fact_kinds import FACT_KINDS, KIND_CODES
from domain.identifiers import Month, Period
from projections.facts.counting import counting
from projections.month.check.branch_facts import periods_around
from projections.month.check.unread import nearest
from projections.store.database import database_of
from projections.store.fact_rows import COLUMNS, FACT

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from domain.entries.entry import AnyEntry
    from projections.models import ReadModels

Workplaces = dict[str, list[tuple[int, str]]]  # manager → month index and branch ("": left)


class UnreadItem(NamedTuple):
    """Entries of an item that will not be read. `why`: `left` (the person has left) or `item`."""

    why: str
    kind: str
    item: str
    near: str | None  # the code that would be read and is spelt alike
    entries: tuple[str, ...]  # source:source_id


def unread_among(models: ReadModels, entries: Sequence[AnyEntry]) -> list[UnreadItem]:
    """The entries that will not be read, by item; the assignments among them count too."""
    facts = [entry for entry in entries if not isinstance(entry, Assignment | Reversal)]
    managers = {manager for entry in facts if (manager := getattr(entry, "manager", None))}
    workplaces = _workplaces(models, managers, entries)
    readable = lru_cache(maxsize=None)(lambda branch, month: _readable(models, branch, month))
    found: defaultdict[tuple[str, str, str, str | None], list[str]] = defaultdict(list)
    for entry in facts:
        month, manager = entry.month, getattr(entry, "manager", None)
        item = getattr(entry, KINDS[entry.kind].about)
        branch = getattr(entry, "branch", None) or _branch_in(
            workplaces.get(manager or "", []), month
        )
        if item in {BACK_PAY, CLAWBACK} or branch is None:
            continue
        key = f"{entry.source}:{entry.source_id}"
        if not branch:
            found["left", entry.kind, item, None].append(key)
        elif not FACT_KINDS[entry.kind].reads_any_item:
            items = readable(branch, month)
            if not _is_read(entry.kind, item, items):
                near = nearest(item, (code for kind, code in items if kind == entry.kind))
                found["item", entry.kind, item, near].append(key)
    return [
        UnreadItem(*what, tuple(keys))
        for what, keys in sorted(found.items(), key=lambda pair: pair[0][:3])
    ]


def _is_read(kind: str, item: str, items: frozenset[tuple[str, str]]) -> bool:
    """Whether the item is among these, `target.*` being all that begin with `target.`."""
    prefixes = (f"{item[:length]}*" for length in range(len(item) + 1))
    return any((kind, code) in items for code in (item, *prefixes))


def _readable(models: ReadModels, branch: str, month: Month) -> frozenset[tuple[str, str]]:
    """Kind and item of all that the branch's rulebooks of a month read."""
    names = {*models.rulebooks.pays_by(branch, month)}
    for period in periods_around(Period(month, month)):
        names |= {s.rulebook for s in models.statements.settlements(str(period), branch)}
    positions = []
    for name in names:
        try:
            positions.append(models.rulebooks.version(name, month=month).position)
        except NotFound:  # nothing of it is in force in the month
            continue
    return models.rulebooks.items.read_by(positions)


def _workplaces(
    models: ReadModels, managers: Iterable[str], entries: Sequence[AnyEntry]
) -> Workplaces:
    """Where these people work from which month on, by the ledger and these entries."""
    texts, database = models.facts.symbols(), database_of(models.ledger)
    wanted = {*managers}
    numbers = [number for number, text in enumerate(texts) if text in wanted]
    sql = f"SELECT {', '.join(COLUMNS)} FROM facts WHERE kind = ? AND manager {database.one_of}"
    with database.reading() as connection:
        rows = connection.numbers(sql, (KIND_CODES["assignment"], database.array(numbers)), FACT)
    places: Workplaces = {manager: [] for manager in wanted}
    for manager, month, branch in counting(rows)[["manager", "month", "branch"]].tolist():
        places[texts[manager]].append((month, texts[branch]))
    for entry in entries:
        if isinstance(entry, Assignment) and entry.manager in wanted:
            places[entry.manager].append((entry.month.index, entry.branch or ""))
    return {manager: sorted(held, key=itemgetter(0)) for manager, held in places.items()}


def _branch_in(workplaces: list[tuple[int, str]], month: Month) -> str | None:
    """The branch that somebody works in; "" where they have left, None where it is not known."""
    held = [branch for start, branch in workplaces if start <= month.index]
    return held[-1] if held else None
