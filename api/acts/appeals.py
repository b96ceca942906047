"""What is read of appeals, at every door."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from api.acts.access import check, put_on_record
from domain.identifiers import Period
from domain.rights import may
from projections.appeals.page import appeal_page

if TYPE_CHECKING:
    from collections.abc import Sequence

    from projections.records.accounts import Caller
    from projections.service import Service


def read(service: Service, who: Caller, name: str, as_of: int | None = None) -> dict[str, Any]:
    """An appeal's page, as of a position; that somebody else read it is on record. Raises NotFound,
    Forbidden.
    """
    appeal = service.appeals.get(name)
    check(who, "read_appeals", service.appeals.place(appeal))
    put_on_record(service, who, appeal.filed.manager, Period.parse(appeal.filed.period), "appeal")
    return appeal_page(service, name, as_of)


def summaries(
    service: Service, who: Caller, rows: Sequence[tuple[int, str, str]]
) -> list[dict[str, Any]]:
    """Of these appeals (position, id, state) those that the caller may read, by where they were
    filed.
    """
    found = []
    for _, name, state in rows:
        appeal = service.appeals.get(name)
        if may(who.seats, "read_appeals", service.appeals.place(appeal)):
            said = {
                key: getattr(appeal.filed, key) for key in ("manager", "period", "branch", "reason")
            }
            found.append({"appeal": name, "state": state, **said})
    return found
