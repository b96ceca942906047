"""The command of each act that a refusal names as what would help."""

from __future__ import annotations

from typing import TYPE_CHECKING

from api.acts.next_acts import add_next_act

if TYPE_CHECKING:
    from domain.errors import MeritError, Text

COMMANDS = {
    "acknowledge_finding": (
        "merit check {period} --branch {branch} --acknowledge {finding} --note {note}"
    ),
    "create_key": "merit account create {account} --role {role} …; "
    "merit key create {account} --role {role} …",
    "give_role": "merit account grant {account} --role {role}",
    "import_entries": "merit import {file}",
    "list_grants": "merit grant list",
    "open_account": "merit account create {account}",
    "propose_correction": "merit appeal propose {appeal} {file}",
    "rebuild": "merit rebuild",
    "reject": "merit appeal reject {appeal} --code {code} --reason {reason}",
    "replay": "merit replay {period} --against {against}",
    "resettle_month": "merit resettle {period} --branch {branch} --reason {reason}",
    "revoke_key": "merit key revoke {account} {number}",
    "set_branch_rulebooks": "merit branch rulebooks {branch} {rulebooks} --from {month}",
    "settle": "merit settle {period} --branch {branch}",
}


def words_of(error: MeritError) -> Text:
    """The words of a refusal, with the command that would help."""
    return add_next_act(error, COMMANDS)
