"""The route of each act that a refusal names as what would help."""

from __future__ import annotations

from typing import TYPE_CHECKING

from api.acts.next_acts import add_next_act

if TYPE_CHECKING:
    from domain.errors import MeritError, Text

ROUTES = {
    "acknowledge_finding": "POST /v1/checks/{period}/{branch}/acknowledgements",
    "give_role": "POST /v1/accounts/{account}/roles",
    "import_entries": "POST /v1/entries",
    "list_grants": "GET /v1/grants",
    "create_key": "POST /v1/accounts",
    "open_account": "POST /v1/accounts",
    "propose_correction": "POST /v1/appeals/{appeal}/evidence",
    "rebuild": "merit rebuild",  # only where the service runs
    "reject": "POST /v1/appeals/{appeal}/reject",
    "replay": "POST /v1/replays",
    "resettle_month": "POST /v1/cycles/{period}/{branch}/resettle",
    "revoke_key": "DELETE /v1/accounts/{account}/keys/{number}",
    "set_branch_rulebooks": "PUT /v1/branches/{branch}/rulebooks",
    "settle": "POST /v1/settlements",
}


def words_of(error: MeritError) -> Text:
    """The words of a refusal, with the route that would help."""
    return add_next_act(error, ROUTES)
