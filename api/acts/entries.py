"""A batch of entries, by whichever door it came: every good one appended, every other one with all
its reasons.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

from api.acts.access import may_record
from api.importing.files import read_file
from domain.entries.entry import AnyEntry, is_reserved_key, reserved_key
from domain.entries.parsing import parse_entry, probe_of
from domain.errors import Invalid, Reason
from domain.rights import Forbidden

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from pathlib import Path

    from api.importing.rows import RawRow
    from projections.records.accounts import Caller
    from projections.service import Service


class Malformed(NamedTuple):
    """What is no entry, and why."""

    raw: dict[str, Any] | None
    reasons: tuple[Reason, ...]


class Refusal(NamedTuple):
    """A line that was not taken, and why."""

    file: str
    line: int
    reasons: tuple[Reason, ...]


@dataclass
class ImportReport:
    """What became of the lines. `unknown_items`: recorded, though no published rulebook reads
    them.
    """

    accepted: int = 0
    duplicates: int = 0
    rejected: list[Refusal] = field(default_factory=list)
    position: int = 0
    unknown_items: list[str] = field(default_factory=list)

    def as_json(self) -> dict[str, Any]:
        """The report as the contract prints it."""
        return {
            "accepted": self.accepted,
            "duplicates": self.duplicates,
            "rejected": [
                one._asdict() | {"reasons": list(map(str, one.reasons))} for one in self.rejected
            ],
            "position": self.position,
            "unknown_items": self.unknown_items,
        }


def import_entries(
    service: Service, files: Iterable[Path], *, who: Caller, dry_run: bool = False
) -> ImportReport:
    """Appends the entries of files, as one batch: an assignment in one file counts for the others.

    Raises Forbidden where one of them is not the caller's to record; then none is.
    """
    report, entries, places = ImportReport(), list[AnyEntry](), list[tuple[str, int]]()
    malformed: list[tuple[str, int, Malformed]] = []
    for file in files:
        for row in read_file(file):
            found = parsed(row)
            if isinstance(found, Malformed):
                malformed.append((str(file), row.line, found))
            else:
                entries.append(found)
                places.append((str(file), row.line))
    may_record(service, who, entries)
    outcomes = service.ledger.append(entries, by=who.name, dry_run=dry_run) if entries else []
    for (path, line), outcome in zip(places, outcomes, strict=True):
        match outcome.status:
            case "accepted":
                report.accepted += 1
            case "duplicate":
                report.duplicates += 1
            case _:
                report.rejected.append(Refusal(path, line, outcome.reasons))
    told = every_reason(
        service, who, [found for _, _, found in malformed], beside=entries if dry_run else ()
    )
    for (path, line, _), reasons in zip(malformed, told, strict=True):
        report.rejected.append(Refusal(path, line, reasons))
    report.rejected.sort(key=lambda refusal: refusal[:2])
    report.position = service.ledger.position()
    report.unknown_items = unknown_items(service, entries)
    return report


def parsed(row: RawRow) -> AnyEntry | Malformed:
    """The entry of a row, or what is wrong with its form. What could not even be read is not looked
    at further.
    """
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
    asks: Callable[[Service, Caller, Sequence[AnyEntry]], None] = may_record,
) -> list[tuple[Reason, ...]]:
    """What is wrong with the form of each, and what the ledger would say beside: sent after
    `beside`, not recorded yet.

    The ledger says nothing of what `asks` (which raises Forbidden) does not leave to the caller.
    """
    probes: dict[int, AnyEntry] = {}
    for index, found in enumerate(malformed):
        if (probe := probe_of(found.raw)) is not None:
            with suppress(Forbidden):
                asks(service, who, [probe])
                probes[index] = probe
    lacks = service.ledger.reasons(list(probes.values()), beside) if probes else []
    more = dict(zip(probes, lacks, strict=True))
    return [(*found.reasons, *more.get(index, ())) for index, found in enumerate(malformed)]


def unknown_items(service: Service, entries: Iterable[AnyEntry]) -> list[str]:
    """The items among these entries that no published rulebook reads, as `kind:item`."""
    named = {(entry.kind, item) for entry in entries if (item := getattr(entry, "item", None))}
    return sorted(
        f"{kind}:{item}" for kind, item in named if not service.rulebooks.knows_item(kind, item)
    )
