"""服务: opens a ledger, and does what needs several rooms: settles, closes, publishes, resumes,
rebuilds.

The room of an act is imported when the act is done, so that a command that only reads starts fast.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from domain.evaluation.programs import publishable_program
from domain.identifiers import Month
from projections.models import ReadModels
from projections.records.job_rows import JobRows
from projections.store.database import open_ledger
from projections.store.read_model import rebuild

if TYPE_CHECKING:
    from collections.abc import Callable

    from domain.identifiers import Period
    from domain.rulebook.checks import Program
    from projections.facts.calendar import Calendar
    from projections.month.cycle import Cycle
    from projections.month.resettle import Resettlement
    from projections.month.settle import Settled
    from projections.replay.impact import Impact


class Publication(NamedTuple):
    """The program that was published, the ledger position, and what it does to the months last
    settled.
    """

    program: Program
    effective_from: Month
    position: int
    impact: Impact | None
    new: bool  # not the same text again


class Service(ReadModels):
    """A ledger that is open for acts."""

    @classmethod
    def open(cls, url: str, calendar: Calendar | None = None, *, begin: bool = True) -> Service:
        """The ledger at a database address; a new one begins with the shipped rulebooks. Days are
        those of the calendar.

        Raises StoreError; and NoLedger where there is none, and `begin` says that none is made.
        """
        service = cls(open_ledger(url, begin=begin), calendar)
        service.rulebooks.begin()
        return service

    def close(self) -> None:
        """Lets go of the database."""
        self.ledger.close()

    def rebuild(self) -> dict[str, tuple[str, str]]:
        """Drops every read model and derives it again; each one's digest before and after."""
        models = (
            self.rulebooks,
            self.rulebooks.items,
            self.statements,
            self.accounts,
            self.payments,
            self.grants,
            self.statement_reads,
            self.appeals,
        )
        return rebuild(self.ledger, [*(model.rows for model in models), JobRows()])

    def settle(
        self, period: Period, branch: str, rulebook: str | None, *, by: str
    ) -> list[Settled]:
        """Settles a branch's open period: see `settle_branch`."""
        from projections.month.settle import settle_branch

        return settle_branch(self, period, branch, rulebook, by=by)

    def do_step(
        self,
        cycle: Cycle,
        step: str,
        *,
        by: str,
        note: str | None = None,
        known_version: int | None = None,
    ) -> int:
        """Does a step of a branch's month: see `do_step`. The position reached."""
        from projections.month.steps import do_step

        if step == "paid":
            self.resume()
        return do_step(self, cycle, step, by=by, note=note, known_version=known_version)

    def close_month(
        self,
        cycle: Cycle,
        *,
        by: str,
        note: str | None = None,
        known_version: int | None = None,
    ) -> int:
        """Closes a branch's month and pays it: see `close`. The position reached."""
        from projections.month.close import close

        self.resume()
        return close(cycle, by=by, note=note, known_version=known_version)

    def resettle(
        self,
        cycle: Cycle,
        reason: str,
        *,
        by: str,
        appeal: str | None = None,
        check: Callable[[str], None] | None = None,
    ) -> Resettlement:
        """Settles a closed period again and posts what differs: see `resettle`."""
        from projections.month.resettle import resettle

        self.resume()
        return resettle(cycle, reason, by=by, appeal=appeal, check=check)

    def resume(self) -> None:
        """Carries out what was decided when a crash came between: postings, appeals."""
        from projections.appeals.carry_out import resume

        resume(self)

    def publish(
        self,
        text: str,
        *,
        file: str,
        by: str,
        effective_from: Month | None = None,
        dry_run: bool = False,
    ) -> Publication:
        """Publishes a rulebook that passes the gate, with its impact; the same text again changes
        nothing.

        Raises BrokenRulebook, AlreadyPublished, SameRoleTwice, VersionClash.
        """
        from projections.replay.impact import find_impact

        program = publishable_program(text, file)
        impact = find_impact(self, program)
        event = self.rulebooks.publication(
            program,
            by=by,
            effective_from=effective_from,
            impact=impact.recorded() if impact else None,
        )
        if event is None:
            rules = program.rulebook
            earlier = self.rulebooks.version(rules.id, rules.version)
            position = self.ledger.position()
            return Publication(program, earlier.effective_from, position, impact, new=False)
        position = self.ledger.position() if dry_run else self.rulebooks.record_publication(event)
        self.rulebooks.items.rows.catch_up(self.ledger)
        month = Month.parse(event.effective_from)
        return Publication(program, month, position, impact, new=True)
