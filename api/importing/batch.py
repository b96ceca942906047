"""Files into the ledger: every good line appended, every other one listed with all its reasons."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

from api.guarding import may_record
from api.importing.files import read_file
from domain.entries import AnyEntry, parse_entry, probe_of
from domain.errors import Invalid, Reason

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path

    from projections.accounts import Caller
    from projections.book import Book


class Malformed(NamedTuple):
    """What is no entry, and why."""

    raw: dict[str, Any] | None
    reasons: tuple[Reason, ...]


@dataclass
class ImportReport:
    """What became of the lines. `unknown_items`: recorded, though no published rulebook reads them."""

    accepted: int = 0
    duplicates: int = 0
    rejected: list[dict[str, Any]] = field(default_factory=list)
    position: int = 0
    unknown_items: list[str] = field(default_factory=list)

    def as_json(self) -> dict[str, Any]:
        """The report as the contract prints it."""
        return {
            "accepted": self.accepted,
            "duplicates": self.duplicates,
            "rejected": self.rejected,
            "position": self.position,
            "unknown_items": self.unknown_items,
        }

    def reject(self, file: Path, line: int, reasons: Iterable[Reason]) -> None:
        """Lists a line with its reasons."""
        self.rejected.append({"file": str(file), "line": line, "reasons": [str(reason) for reason in reasons]})


def import_entries(book: Book, files: Iterable[Path], *, who: Caller, dry_run: bool = False) -> ImportReport:
    """Appends the entries of files, as one batch: an assignment in one file counts for the others.

    Raises Forbidden where one of them is not the caller's to record; then none is.
    """
    report, entries, places = ImportReport(), list[AnyEntry](), list[tuple["Path", int]]()
    malformed: list[tuple[Path, int, Malformed]] = []
    for file in files:
        for line, found in _parsed(file):
            if isinstance(found, Malformed):
                malformed.append((file, line, found))
            else:
                entries.append(found)
                places.append((file, line))
    for entry in entries:
        may_record(book, who, entry)
    outcomes = book.ledger.append(entries, by=who.name, dry_run=dry_run) if entries else []
    for (file, line), outcome in zip(places, outcomes, strict=True):
        match outcome.status:
            case "accepted":
                report.accepted += 1
            case "duplicate":
                report.duplicates += 1
            case _:
                report.reject(file, line, outcome.reasons)
    more = ledger_reasons(book, [found.raw for _, _, found in malformed])
    for (file, line, found), reasons in zip(malformed, more, strict=True):
        report.reject(file, line, [*found.reasons, *reasons])
    report.rejected.sort(key=lambda row: (row["file"], row["line"]))
    report.position = book.ledger.position()
    report.unknown_items = unknown_items(book, entries)
    return report


def _parsed(file: Path) -> Iterator[tuple[int, AnyEntry | Malformed]]:
    for row in read_file(file):
        if row.raw is None:
            yield row.line, Malformed(None, row.reasons)
            continue
        try:
            entry = parse_entry(row.raw)
        except Invalid as invalid:
            yield row.line, Malformed(row.raw, (*row.reasons, *invalid.reasons))
        else:
            yield row.line, Malformed(row.raw, row.reasons) if row.reasons else entry


def ledger_reasons(book: Book, raws: Sequence[object]) -> list[tuple[Reason, ...]]:
    """What the ledger would say of malformed entries beside what is wrong with their form."""
    found: list[tuple[Reason, ...]] = []
    for raw in raws:
        probe = probe_of(raw)
        found.append(book.ledger.append([probe], by="probe", dry_run=True)[0].reasons if probe else ())
    return found


def unknown_items(book: Book, entries: Iterable[AnyEntry]) -> list[str]:
    """The items among these entries that no published rulebook reads, as `kind:item`."""
    named = {(entry.kind, item) for entry in entries if (item := getattr(entry, "item", None))}
    return sorted(f"{kind}:{item}" for kind, item in named if not book.shelf.knows_item(kind, item))
