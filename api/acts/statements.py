"""考核单: a person's figures, how they came about, and what happened to them.

Whoever reads another's statement is put on record, once it was found.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from api.acts.access import check_holds_any, put_on_record, reading
from api.documents.statements import Derivation, History, PostingsAlone, Statement
from projections.evaluation.provisional import VersionAndMoment, statement_as_of
from projections.explain.derivation import explain
from projections.explain.history import history
from projections.month.payable import payout_of, postings_alone
from projections.records.statement_choice import in_force_at

if TYPE_CHECKING:
    from domain.identifiers import Period
    from projections.records.accounts.accounts import Caller
    from projections.service import Service


def show_statement(
    service: Service,
    who: Caller,
    manager: str,
    period: Period,
    *,
    rulebook: str | None = None,
    version: int | None = None,
    as_of: str | None = None,
) -> Statement | PostingsAlone:
    """A statement version, the latest where none is named; as of a moment what it would say, and
    which version was in force.

    Raises VersionAndMoment where both are given.
    """
    with reading(service, who, manager, period, "statement"):
        if as_of is not None:
            if version is not None:
                raise VersionAndMoment
            position = service.position_of(as_of)
            provisional = statement_as_of(
                service.evaluator, service.rulebooks, manager, period, rulebook, position
            )
            program = provisional.evaluation.program
            in_force = in_force_at(
                service.statements, manager, str(period), program.rulebook.id, position
            )
            return Statement.of_provisional(provisional, in_force)
        if alone := _postings_alone(service, manager, period, rulebook, version):
            return alone
        issued = service.find_statement(manager, period, rulebook, version)
        digest = service.rulebooks.find(issued.rulebook, issued.version).digest
        payout, withdrawn = payout_of(service, issued), service.statements.is_withdrawn(issued)
        return Statement.of_issued(issued, digest, payout, withdrawn=withdrawn)


def explain_statement(
    service: Service,
    who: Caller,
    manager: str,
    period: Period,
    *,
    rulebook: str | None = None,
    version: int | None = None,
    as_of: str | None = None,
) -> Derivation | PostingsAlone:
    """How a statement came about, down to the entries and clauses.

    Postings alone have nothing to derive: they are listed. Raises what `explain` raises.
    """
    with reading(service, who, manager, period, "derivation"):
        if as_of is None and (
            alone := _postings_alone(service, manager, period, rulebook, version)
        ):
            return alone
        explanation = explain(service, manager, period, rulebook, version, as_of)
        return Derivation.of_explanation(explanation)


def show_history(
    service: Service,
    who: Caller,
    manager: str,
    period: Period,
    *,
    rulebook: str | None = None,
    as_of: str | None = None,
) -> History:
    """Everything that happened to a person's period, in ledger order, as of a moment: of the months
    in which they worked within the reader's scope.
    """
    held = check_holds_any(service, who, "read_statements", manager, period)
    document = History.of(history(service, manager, period, rulebook, as_of, held))
    put_on_record(service, who, manager, period, "history")
    return document


def _postings_alone(
    service: Service, manager: str, period: Period, rulebook: str | None, version: int | None
) -> PostingsAlone | None:
    """The postings of somebody without a statement, where no certain statement is asked for."""
    if rulebook is not None or version is not None:
        return None
    alone = postings_alone(service, manager, period)
    return None if alone is None else PostingsAlone.of_postings(alone)
