"""What would help after a refusal is worded at both doors, as a command and as a route."""

from __future__ import annotations

import ast
import re
from pathlib import Path
from string import Formatter

import pytest

from api.acts.next_acts import PLACEHOLDERS, add_next_act
from api.cli.next_acts import COMMANDS
from api.http.next_acts import ROUTES
from domain.errors import Declined, NextAct, Text
from tests.api.service import Service, documented
from tests.command_line import every_command, merit

ROOT = Path(__file__).parents[2]
NOT_OVER_HTTP = {"rebuild"}


def named_acts() -> dict[str, str]:
    """Every act that production code names as what would help, and a file that does."""
    acts = {}
    for package in ("domain", "projections", "api"):
        for path in sorted((ROOT / package).rglob("*.py")):
            for node in ast.walk(ast.parse(path.read_text("utf-8"))):
                if isinstance(node, ast.Call) and ast.unparse(node.func).endswith("NextAct"):
                    act = node.args[0]
                    assert isinstance(act, ast.Constant), f"{path}:{node.lineno}: a name as text"
                    acts[str(act.value)] = str(path.relative_to(ROOT))
    return acts


def test_every_act_that_a_refusal_names_is_worded_at_both_doors() -> None:
    acts = named_acts()
    assert {"revoke_key", "list_grants", "settle"} <= set(acts)
    for act, path in acts.items():
        assert act in COMMANDS, f"{path} names {act}: how does the command line say it?"
        assert act in ROUTES, f"{path} names {act}: how does HTTP say it?"


@pytest.mark.parametrize("template", [*COMMANDS.values(), *ROUTES.values()])
def test_a_fact_that_may_be_missing_has_a_word(template: str) -> None:
    assert {name for _, name, _, _ in Formatter().parse(template) if name} <= set(PLACEHOLDERS)


@pytest.mark.parametrize("template", COMMANDS.values())
def test_the_command_is_there(template: str) -> None:
    words = template.split()
    assert words[0] == "merit"
    command = every_command()
    for word in words[1:]:
        below = getattr(command, "commands", {})
        if not below:
            break
        command = below[word]
    options = {option for parameter in command.params for option in parameter.opts}
    assert set(re.findall(r"--[a-z-]+", template)) <= options


@pytest.mark.parametrize("act", sorted(set(ROUTES) - NOT_OVER_HTTP))
def test_the_route_is_there(act: str) -> None:
    method, address = ROUTES[act].split()
    paths = documented()["paths"]
    # A parameter may have a name of its own in the route.
    routes = {re.sub(r"\{\w+\}", "{}", path): operations for path, operations in paths.items()}
    assert method.lower() in routes[re.sub(r"\{\w+\}", "{}", address)]


def test_a_missing_fact_is_a_placeholder_in_the_language() -> None:
    refusal = Declined(Text("先结算", "settle first"), NextAct("settle", {"period": "2026-10"}))
    assert add_next_act(refusal, COMMANDS) == Text(
        "先结算：merit settle 2026-10 --branch 分公司",
        "settle first: merit settle 2026-10 --branch BRANCH",
    )
    assert add_next_act(Declined(Text("不行", "no")), COMMANDS) == Text("不行", "no")


def test_the_command_line_says_the_command_in_the_language(database_url: str) -> None:
    for words in (("--role", "integration"), ()):
        assert merit("key", "create", "crm", *words, database=database_url).status == 0
    zh = merit("key", "create", "crm", "--lang", "zh", database=database_url)
    assert zh.err.endswith("：merit key revoke crm 编号\n")
    en = merit("key", "create", "crm", "--lang", "en", database=database_url)
    assert en.err.endswith(": merit key revoke crm NUMBER\n")


def test_http_says_the_route_in_detail_and_adds_no_member(service: Service) -> None:
    # hr has a key from its fixture; the one that comes with the call is no session.
    problem = service.delete("/v1/sessions").json()
    assert problem["detail"].count("DELETE /v1/accounts/hr/keys/1") == 2  # in both languages
    assert "merit " not in problem["detail"]
    assert set(problem) == {"type", "title", "status", "detail"}


def test_every_wording_is_of_an_act_that_a_refusal_names() -> None:
    assert set(COMMANDS) == set(ROUTES) == set(named_acts())
