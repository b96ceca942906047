"""Conventions that matter are executable: topics, event schemas, no float, no clock, codes that are
documented.
"""

import ast
import json
import re
from pathlib import Path
from typing import Any

import pytest
from pydantic import TypeAdapter

from domain.evaluation.messages import FINDINGS, WARNINGS
from domain.ledger.events import BY_TOPIC, EVENTS, Event
from domain.processes.month_check import CODES

ROOT = Path(__file__).parent.parent
SCHEMAS = ROOT / "tests" / "snapshots" / "event_schemas.json"
PAST_WITHOUT_ED = {
    *("branch-rulebooks-set", "replay-run", "seat-given", "seat-taken", "password-set"),
    *("statement-read", "cycle-step-done", "appeal-carried-out", "appeal-withdrawn", "grant-made"),
}
HAN = re.compile(r"[一-鿿]")
# Reads a clock on purpose: the moment at which an event is recorded is part of it.
CLOCKS = {"domain/ledger/events.py", "domain/ledger/ledger.py"}
# Tells a float that arrived from a number, to refuse it.
FLOAT_WATCHERS = {"domain/numbers.py", "domain/entries/entry.py"}
SECONDS = re.compile(r"[A-Z_]*SECONDS\b")  # a waiting time is no amount


def sources(package: str) -> list[Path]:
    return sorted((ROOT / package).rglob("*.py"))


def schemas() -> dict[str, object]:
    """The shape of every event, without the words of its docstring: these may be put better."""
    shapes = {event.TOPIC: TypeAdapter(event).json_schema() for event in EVENTS}
    return {topic: _without_words(shape) for topic, shape in shapes.items()}


def _without_words(schema: Any) -> Any:
    if isinstance(schema, list):
        return [_without_words(part) for part in schema]
    if not isinstance(schema, dict):
        return schema
    return {
        key: _without_words(part)
        for key, part in schema.items()
        if not (key == "description" and isinstance(part, str))
    }


def test_every_event_has_a_topic_of_its_own_that_says_what_happened() -> None:
    assert len(BY_TOPIC) == len(EVENTS)
    assert all(re.fullmatch(r"[a-z]+(-[a-z]+)+", topic) for topic in BY_TOPIC)
    assert {topic for topic in BY_TOPIC if not topic.endswith("ed")} == PAST_WITHOUT_ED


def test_every_event_is_a_kind_of_event_that_the_ledger_can_read_back() -> None:
    defined = {cls for cls in _subclasses(Event) if "TOPIC" in cls.__dict__}
    assert defined == set(EVENTS)


def _subclasses(cls: type[Event]) -> set[type[Event]]:
    return {cls}.union(*(_subclasses(sub) for sub in cls.__subclasses__()))


@pytest.mark.parametrize("event", EVENTS, ids=lambda event: event.TOPIC)
def test_an_events_docstring_opens_with_the_word_of_the_field(event: type[Event]) -> None:
    assert HAN.match(event.__doc__ or ""), f"{event.__name__} opens with its Chinese term"


def test_the_shape_of_a_stored_event_never_changes() -> None:
    """A changed shape is a new event or an upcast: what stands in ledgers must be read for ever."""
    assert schemas() == json.loads(SCHEMAS.read_text("utf-8"))


@pytest.mark.parametrize(
    "path", sources("domain") + sources("projections"), ids=lambda p: str(p.relative_to(ROOT))
)
def test_no_float_touches_an_amount(path: Path) -> None:
    if str(path.relative_to(ROOT)) in FLOAT_WATCHERS:
        return  # it refuses floats, so it names them
    lines = path.read_text("utf-8").splitlines()
    for node in ast.walk(ast.parse("\n".join(lines))):
        if isinstance(node, ast.expr) and SECONDS.search(lines[node.lineno - 1]):
            continue
        assert not (isinstance(node, ast.Constant) and isinstance(node.value, float)), (
            f"line {node.lineno}: a float"
        )
        assert not (isinstance(node, ast.Name) and node.id == "float"), f"line {node.lineno}: float"
        assert not (isinstance(node, ast.Attribute) and node.attr.startswith("float")), (
            f"line {node.lineno}: a float dtype"
        )
        assert not (
            isinstance(node, ast.BinOp) and isinstance(node.op, ast.Div) and not _is_path(node)
        ), f"line {node.lineno}: a quotient without its places"


def _is_path(node: ast.BinOp) -> bool:
    return isinstance(node.right, ast.Constant) and isinstance(node.right.value, str)


@pytest.mark.parametrize("path", sources("domain"), ids=lambda p: str(p.relative_to(ROOT)))
def test_the_domain_reads_no_clock(path: Path) -> None:
    text = path.read_text("utf-8")
    if str(path.relative_to(ROOT)) not in CLOCKS:
        assert not re.search(
            r"\b(datetime\.now|utcnow|time\.time|date\.today|monotonic|perf_counter)\b", text
        )


def test_no_scheme_is_named_in_python() -> None:
    named = {folder.name for folder in (ROOT / "domain" / "rulebooks").iterdir() if folder.is_dir()}
    allowed = {
        "domain/processes/pay_rulebooks.py",
        "api/cli/demo/story.py",
        "api/cli/demo/data.py",
        "api/documents/parts/base.py",
    }  # default, demo, examples
    for package in ("domain", "projections", "api"):
        for path in sources(package):
            if (
                str(path.relative_to(ROOT)) not in allowed and "routes" not in path.parts
            ):  # examples of the API
                found = [
                    n for n in named if f'"{n}"' in path.read_text("utf-8") and n != "commission"
                ]
                assert not found, f"{path} names {found}"


def test_every_code_of_a_finding_or_warning_is_documented() -> None:
    text = (ROOT / "docs" / "codes.md").read_text("utf-8")
    codes = (*FINDINGS, *WARNINGS, *CODES)
    missing = [code for code in codes if f"`{code}`" not in text]
    assert not missing


# A refusal names an act that would help (`NextAct`); the doors word it.
DOOR = re.compile(
    r"\bmerit (account|appeal|branch|close|cycle|demo|explain|grant|history|import|key|person|rebuild"
    r"|replay|resettle|rulebook|serve|settle)\b"
    r"|(?<![\w-])--[a-z]{2}|/v1/|\bPOST\b"
)


@pytest.mark.parametrize(
    "path", sources("domain") + sources("projections"), ids=lambda p: str(p.relative_to(ROOT))
)
def test_no_text_names_a_command_an_option_or_a_route(path: Path) -> None:
    """A refusal names the act that would help, and each door words it: api/*/next_acts.py."""
    tree = ast.parse(path.read_text("utf-8"))
    assert not [text for text in _texts(tree) if DOOR.search(text)]


def _texts(tree: ast.AST) -> list[str]:
    """Every text of a module that is no docstring; of an f-string its constant parts, joined."""
    docstrings, parts, texts = set(), set(), []
    for node in ast.walk(tree):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            docstrings.add(node.value)
        if isinstance(node, ast.JoinedStr):
            constants = [part for part in node.values if isinstance(part, ast.Constant)]
            parts.update(constants)
            texts.append("…".join(str(part.value) for part in constants))
    for node in ast.walk(tree):
        is_text = isinstance(node, ast.Constant) and isinstance(node.value, str)
        if is_text and node not in docstrings and node not in parts:
            texts.append(node.value)
    return texts


if __name__ == "__main__":
    SCHEMAS.write_text(
        json.dumps(schemas(), ensure_ascii=False, indent=1, sort_keys=True) + "\n", "utf-8"
    )
