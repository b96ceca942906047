"""Entries: a batch is taken in by whichever door it came; what was recorded is listed again.

Every good entry is appended, every other one is refused with all its reasons.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

from api.acts.access import check, check_holds_any, check_may_record
from api.documents.entries import (
    Appended,
    EntryResult,
    ImportReport,
    RefusedLine,
    Trail,
    TrailLine,
    UnreadItem,
)
from api.documents.entries import Reason as ReasonDocument
from api.documents.parts.base import Page, Written
from api.importing.files import read_file
from domain.entries.entry import AnyEntry, is_reserved_key, reserved_key
from domain.entries.parsing import parse_entry, probe_of
from domain.errors import Invalid, Reason, Text
from domain.rights import Forbidden, Place, Role
from projections.facts import audit_trail
from projections.facts.places import EVER
from projections.month.check.at_import import unread_among
from projections.month.late_entries import late_among

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from pathlib import Path

    from api.importing.rows import RawRow
    from domain.ledger.acceptance import Outcome
    from domain.rights import Seat
    from projections.records.accounts.accounts import Caller
    from projections.service import Service


SCANNED_PAGES, SCANNED_LINES = 10, 1000  # that are looked through for one page of what was sent


class NoEntries(Invalid):
    """A body without any entry."""

    def __init__(self) -> None:
        super().__init__([Reason("empty", "", Text("没有记录", "there is no entry"))])


class Malformed(NamedTuple):
    """A row that is no entry, and why."""

    raw: dict[str, object] | None
    reasons: tuple[Reason, ...]


class LineOfFile(NamedTuple):
    """A line of a file, and the entry on it or why there is none."""

    file: str
    line: int
    entry: AnyEntry | Malformed


def import_entries(
    service: Service, who: Caller, files: Iterable[Path], *, dry_run: bool = False
) -> ImportReport:
    """Appends the entries of files, as one batch: an assignment in one file counts for the others.

    Raises Forbidden where one of them is not the caller's to record; then none is.
    """
    check(who, "record_ratings", None)
    lines = [
        LineOfFile(str(file), row.line, parsed(row)) for file in files for row in read_file(file)
    ]
    entries = [line.entry for line in lines if not isinstance(line.entry, Malformed)]
    malformed = [line.entry for line in lines if isinstance(line.entry, Malformed)]
    check_may_record(service, who, entries)
    outcomes = service.ledger.append(entries, by=who.name, dry_run=dry_run) if entries else []
    taken = [
        (entry, outcome)
        for entry, outcome in zip(entries, outcomes, strict=True)
        if outcome.status in {"accepted", "duplicate"}
    ]
    # In a dry run the entries are not in the ledger: the others are looked at beside them.
    reasons = every_reason(service, who, malformed, beside=entries if dry_run else ())
    return ImportReport(
        accepted=sum(outcome.status == "accepted" for outcome in outcomes),
        duplicates=sum(outcome.status == "duplicate" for outcome in outcomes),
        rejected=_refused_lines(lines, outcomes, reasons),
        position=service.ledger.position(),
        unknown_items=_unknown_items(service, entries),
        unread=[
            UnreadItem.of(item) for item in unread_among(service, [entry for entry, _ in taken])
        ],
        late=_late(service, taken),
        dry_run=dry_run,
    )


def _late(service: Service, taken: Sequence[tuple[AnyEntry, Outcome]]) -> list[str]:
    """The keys of those whose month is closed."""
    positions = [outcome.position for _, outcome in taken if outcome.position is not None]
    late = late_among(service, positions)
    return [
        f"{entry.source}:{entry.source_id}" for entry, outcome in taken if outcome.position in late
    ]


def _refused_lines(
    lines: Iterable[LineOfFile],
    outcomes: Iterable[Outcome],
    reasons_of_malformed: Iterable[tuple[Reason, ...]],
) -> list[RefusedLine]:
    """The lines that were not taken, by file and line, each with every reason."""
    next_outcome, next_reasons = iter(outcomes), iter(reasons_of_malformed)
    refused = []
    for file, line, entry in lines:
        if isinstance(entry, Malformed):
            reasons = next(next_reasons)
        else:
            outcome = next(next_outcome)
            if outcome.status in {"accepted", "duplicate"}:
                continue
            reasons = outcome.reasons
        refused.append(RefusedLine(file=file, line=line, reasons=list(reasons)))
    return sorted(refused, key=lambda row: (row.file, row.line))


def append_entries(service: Service, who: Caller, rows: Sequence[RawRow]) -> Written[Appended]:
    """Appends the entries of these rows; what became of each, in their order.

    Raises NoEntries, and Forbidden where one of them is not the caller's to record; then none is.
    """
    check(who, "record_ratings", None)
    if not rows:
        raise NoEntries
    sent = [parsed(row) for row in rows]
    entries = [entry for entry in sent if not isinstance(entry, Malformed)]
    malformed = [entry for entry in sent if isinstance(entry, Malformed)]
    check_may_record(service, who, entries)
    outcomes = iter(service.ledger.append(entries, by=who.name) if entries else ())
    reasons = iter(every_reason(service, who, malformed))
    is_known_item = lru_cache(service.rulebooks.knows_item)
    results = [
        _rejected(entry, next(reasons))
        if isinstance(entry, Malformed)
        else _result(entry, next(outcomes), is_known_item)
        for entry in sent
    ]
    recorded = [result.position for result in results if result.position is not None]
    late = late_among(service, recorded)
    for result in results:
        result.late = result.position in late
    position = service.ledger.position()
    return Written(Appended(results=results, position=position), position)


def _rejected(malformed: Malformed, reasons: Iterable[Reason]) -> EntryResult:
    raw = malformed.raw or {}
    return EntryResult(
        source=_text(raw.get("source")),
        source_id=_text(raw.get("source_id")),
        status="rejected",
        position=None,
        reasons=[ReasonDocument.of_reason(reason) for reason in reasons],
        unknown_item=False,
    )


def _text(value: object) -> str | None:
    return value if isinstance(value, str) else None


def _result(
    entry: AnyEntry, outcome: Outcome, is_known_item: Callable[[str, str], bool]
) -> EntryResult:
    item = getattr(entry, "item", None)
    return EntryResult(
        source=entry.source,
        source_id=entry.source_id,
        status=outcome.status,
        position=outcome.position,
        reasons=[ReasonDocument.of_reason(reason) for reason in outcome.reasons],
        unknown_item=item is not None and not is_known_item(entry.kind, item),
    )


def list_entries(
    service: Service,
    who: Caller,
    wanted: audit_trail.Filter,
    *,
    limit: int,
    cursor: int = 0,
    as_of: str | None = None,
) -> Page[Trail]:
    """The entries as they were recorded, in ledger order, after the position `cursor`.

    Of a person, a reader is shown the entries of the months in which the person worked within
    their scope.
    """
    if wanted.manager:
        period = wanted.period or EVER
        held = check_holds_any(service, who, "read_entries", wanted.manager, period)
        wanted = replace(wanted, held=held)
    else:
        check(who, "read_entries", Place(wanted.branch))
    lines, following = audit_trail.Trail(service.ledger).page(
        wanted, after=cursor, limit=limit, as_of=service.position_of(as_of)
    )
    return _page_of(service, lines, following)


def list_sent_entries(service: Service, who: Caller, *, limit: int, cursor: int = 0) -> Page[Trail]:
    """What an integration itself has sent, in ledger order, after the position `cursor`: the
    entries under its name, of the sources and kinds that it records still.

    Nothing for whoever is no integration: they read the audit trail. Others' entries are passed
    over; a page may have fewer than `limit`, and there is a next one while the ledger has more.
    """
    check(who, "record_ratings", None)
    seats = [seat for seat in who.seats if seat.role is Role.INTEGRATION]
    if not seats:
        return Page(Trail(entries=[]), None)
    trail, sent = audit_trail.Trail(service.ledger), list[audit_trail.Line]()
    as_of, following = service.ledger.position(), cursor
    for _ in range(SCANNED_PAGES):
        lines, following_page = trail.page(
            audit_trail.Filter(), after=following, limit=SCANNED_LINES, as_of=as_of
        )
        sent += [line for line in lines if line.by == who.name and _records(seats, line)]
        if len(sent) > limit:
            sent = sent[:limit]
            return _page_of(service, sent, sent[-1].position)
        if following_page is None:
            return _page_of(service, sent, None)
        following = following_page
    return _page_of(service, sent, following)


def _records(seats: Iterable[Seat], line: audit_trail.Line) -> bool:
    """Whether one of the seats records entries like this one; a reversal by its source alone."""
    source = str(line.entry["source"])
    return any(
        seat.records([source], seat.kind if line.kind == audit_trail.REVERSAL else line.kind)
        for seat in seats
    )


def _page_of(
    service: Service, lines: Sequence[audit_trail.Line], following: int | None
) -> Page[Trail]:
    late = late_among(service, [line.position for line in lines])
    entries = [TrailLine.of(line) for line in lines]
    for entry in entries:
        entry.late = entry.position in late
    return Page(Trail(entries=entries), following)


def parsed(row: RawRow) -> AnyEntry | Malformed:
    """The entry of a row, or what is wrong with its form."""
    if row.reasons or row.raw is None:
        return Malformed(row.raw, row.reasons)
    try:
        entry = parse_entry(row.raw)
    except Invalid as invalid:
        return Malformed(row.raw, invalid.reasons)
    return Malformed(None, (reserved_key(),)) if is_reserved_key(entry.key) else entry


def every_reason(
    service: Service,
    who: Caller,
    malformed: Sequence[Malformed],
    *,
    beside: Sequence[AnyEntry] = (),
    asks: Callable[[Service, Caller, Sequence[AnyEntry]], None] = check_may_record,
) -> list[tuple[Reason, ...]]:
    """What is wrong with the form of each, and why the ledger would refuse it.

    The ledger looks at each as if it were sent after `beside`, and gives no reasons for an entry
    that the caller has no right to: `asks` raises Forbidden.
    """
    probes: dict[int, AnyEntry] = {}
    for index, row in enumerate(malformed):
        if (probe := probe_of(row.raw)) is not None:
            with suppress(Forbidden):
                asks(service, who, [probe])
                probes[index] = probe
    refused = service.ledger.reasons(list(probes.values()), beside) if probes else []
    by_index = dict(zip(probes, refused, strict=True))
    return [(*row.reasons, *by_index.get(index, ())) for index, row in enumerate(malformed)]


def _unknown_items(service: Service, entries: Iterable[AnyEntry]) -> list[str]:
    """The items among these entries that no published rulebook reads, as `kind:item`."""
    named = {(entry.kind, item) for entry in entries if (item := getattr(entry, "item", None))}
    return sorted(
        f"{kind}:{item}" for kind, item in named if not service.rulebooks.knows_item(kind, item)
    )
