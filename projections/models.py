"""账本与读模型: what can be read of one ledger. Acts that need several rooms are in `service.py`.

What few commands read is imported when it is first read, so that the others start fast.
"""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

from projections.evaluation.branches import Evaluator
from projections.facts.calendar import Calendar
from projections.facts.moments import position_of
from projections.facts.places import Places
from projections.facts.reader import FactStore
from projections.records.accounts.accounts import Accounts
from projections.records.payments import Payments
from projections.records.rulebooks import Rulebooks
from projections.records.statement_choice import find_statement
from projections.records.statement_reads import StatementReads
from projections.records.statements import Statements

if TYPE_CHECKING:
    from domain.identifiers import Period
    from domain.ledger.ledger import Ledger
    from projections.records.appeal_log import AppealLog
    from projections.records.grants import Grants
    from projections.records.people import People
    from projections.records.statements import Issued


class ReadModels:
    """One ledger with everything that is derived from it."""

    def __init__(self, ledger: Ledger, calendar: Calendar | None = None) -> None:
        self.ledger, self.calendar = ledger, calendar or Calendar()
        self.facts = FactStore(ledger)
        self.places = Places(ledger, self.facts)
        self.rulebooks = Rulebooks(ledger)
        self.statements = Statements(ledger)
        self.statement_reads = StatementReads(ledger)
        self.payments = Payments(ledger)
        self.accounts = Accounts(ledger)
        self.evaluator = Evaluator(ledger, self.facts, self.statements)

    @cached_property
    def appeals(self) -> AppealLog:
        """What was appealed."""
        from projections.records.appeal_log import AppealLog

        return AppealLog(self.ledger)

    @cached_property
    def grants(self) -> Grants:
        """Grants and their uses."""
        from projections.records.grants import Grants

        return Grants(self.ledger, self.accounts, self.calendar)

    @cached_property
    def people(self) -> People:
        """Interviews and agreements."""
        from projections.records.people import People

        return People(self.ledger, self.places, self.rulebooks)

    def position_of(self, moment: str | None) -> int:
        """The ledger position that is meant: a given one, the last by an instant or a day; now: the
        last. Raises Invalid, NoMoment.
        """
        return position_of(self.ledger, moment, self.calendar)

    def position_as_of(self, moment: str | None) -> int | None:
        """The ledger position that is meant; None for now. Raises Invalid, NoMoment."""
        return None if moment is None else self.position_of(moment)

    def find_statement(
        self, manager: str, period: Period, rulebook: str | None, number: int | None
    ) -> Issued:
        """A statement version, or the latest: see `find_statement`. Raises NotFound, Declined."""
        return find_statement(self.statements, self.rulebooks, manager, period, rulebook, number)
