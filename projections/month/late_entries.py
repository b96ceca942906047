"""迟到: which entries came after what the closing of their month took in, and what each does to the
branch's pay.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache
from typing import TYPE_CHECKING, cast

from domain.entries.entry import APPEALS
from domain.identifiers import Month
from domain.ledger.event_json import instant
from domain.ledger.events import EntryRecorded, ReversalRecorded
from domain.numbers import plain
from domain.processes.payout import ZERO
from projections.evaluation.branches import WhatIf
from projections.records.payments import is_posting
from projections.store.database import database_of

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping, Sequence

    from domain.rights import Place
    from domain.rulebook.checks import Program
    from projections.evaluation.branches import Loaded
    from projections.facts.places import HeldMonths
    from projections.models import ReadModels
    from projections.month.cycle import Cycle

    HeldOf = Callable[[Collection[str]], Mapping[str, HeldMonths]]


@dataclass(frozen=True)
class LateEntry:
    """An entry that came late: after the close or the publication; `effect` in yuan."""

    position: int
    entry: dict[str, object]
    about: dict[str, str | None]  # manager, branch and item
    by: str
    at: str
    appeal: str | None
    after: str  # close or publication
    effect: str | None  # none where the month cannot be evaluated


def late_among(models: ReadModels, positions: Sequence[int]) -> set[int]:
    """Those of the entries at these ledger positions that are late; a posting is never late."""
    closings = models.payments.closings()
    if not closings or not positions:
        return set()
    first = min(closing.taken_in for closing in closings)
    wanted = [position for position in positions if position > first]
    database, texts = database_of(models.ledger), models.facts.symbols()
    columns = "position, month, manager, kind, item, branch"
    sql = f"SELECT {columns} FROM facts WHERE position {database.one_of}"
    with database.reading() as connection:
        rows = connection.fetch(sql, (database.array(wanted),)) if wanted else []
    workplaces = lru_cache(maxsize=None)(models.places.workplaces)
    late = set()
    for position, month, manager, kind, item, branch in rows:
        held = [
            c for c in closings if c.first_month <= month <= c.last_month and position > c.taken_in
        ]
        if held and not is_posting(kind, texts[item]):
            where = texts[branch] if branch else _branch(workplaces(texts[manager]), month)
            late |= {position} if any(closing.branch == where for closing in held) else set()
    return late


def _branch(workplaces: Sequence[tuple[int, Place]], month: int) -> str | None:
    held = [place.branch for start, place in workplaces if start <= month]
    return held[-1] if held else None


def late_evidence(cycle: Cycle, held_of: HeldOf | None = None) -> list[LateEntry]:
    """Every entry that came after the closing, or was backdated into it: who recorded it when, what
    it is worth.

    The effect is on the whole branch's pay, as it is now, against the same without the entry.
    `held_of`: the months of people of which entries are listed.
    """
    since = _late_since(cycle)
    if since is None:
        return []
    positions = cycle.positions_after(since)
    events = cast("dict[int, EntryRecorded]", cycle.models.ledger.events_at(positions))
    if held_of is not None:
        positions = _held(positions, events, held_of)
    programs, now = cycle.programs(), cycle.known
    loaded = cycle.models.evaluator.loaded(cycle.period, [cycle.branch], now)
    whole = _total(cycle, programs, now, loaded, None)
    after = "close" if cycle.state().closed else "publication"
    late = []
    for position in positions:
        event = events[position]
        without = _total(cycle, programs, now, loaded, WhatIf((), (event.entry.key,)))
        effect = plain(whole - without) if whole is not None and without is not None else None
        late.append(
            LateEntry(
                position=position,
                entry=event.entry.content(),
                about=_about(event),
                by=event.by,
                at=instant(event.at),
                appeal=_appeal(event),
                after=after,
                effect=effect,
            )
        )
    return late


def _held(
    positions: Sequence[int], events: Mapping[int, EntryRecorded], held_of: HeldOf
) -> list[int]:
    """Those of branch and team, and of people those of the months that are held."""
    about = {position: events[position].subject for position in positions}
    held = held_of({subject.manager for subject in about.values() if subject.manager})
    shown = []
    for position, subject in about.items():
        month = Month.parse(subject.month).index
        if subject.manager is None:
            is_shown = True
        elif subject.root == "assignment":
            is_shown = held[subject.manager].has_assignment(month, subject.branch)
        else:
            is_shown = held[subject.manager].has(month)
        if is_shown:
            shown.append(position)
    return shown


def _about(event: EntryRecorded) -> dict[str, str | None]:
    """Whom and what an entry is about; a reversal: what the entry is about that it takes out in the
    end.
    """
    said = event if isinstance(event, ReversalRecorded) else event.entry
    return {name: getattr(said, name, None) for name in ("manager", "branch", "item")}


def _appeal(event: EntryRecorded) -> str | None:
    """The appeal that an entry is for: an adjustment says so, and the key of whatever carried out a
    decision does.
    """
    if event.entry.source == APPEALS:
        return event.entry.source_id.rsplit("-", 2)[0]
    return getattr(event.entry, "appeal", None)


def _late_since(cycle: Cycle) -> int | None:
    """After which position an entry is late: what the closing took in, else the publication."""
    if (closing := cycle.closing()) is not None:
        return closing.taken_in
    published = cycle.state().published_at
    return cycle.models.position_of(published) if published else None


def _total(
    cycle: Cycle, programs: list[Program], now: int, loaded: Loaded, what_if: WhatIf | None
) -> Decimal | None:
    """The branch's whole pay; None where it is refused."""
    total = ZERO
    for program in programs:
        evaluation = cycle.models.evaluator.branches(
            program, cycle.period, [cycle.branch], now, what_if, loaded
        )[0]
        if evaluation.findings:
            return None
        total += sum(
            (Decimal(s.steps["pay"]) for s in evaluation.statements if "pay" in s.steps), ZERO
        )
    return total
