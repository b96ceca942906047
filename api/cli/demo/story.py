"""`merit demo`: a made-up branch in an empty ledger, settled, explained, and replayed under a lower
cap.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from api.cli.demo.data import demo_entries
from api.cli.printing import replays as replay_printing
from api.cli.printing import statements as printing
from api.cli.printing.lines import put_line, say
from api.cli.printing.settlements import settlements as print_settlements
from api.documents.replays import ReplayedRows
from api.documents.statements import Derivation
from domain.entries.parsing import parse_entry
from domain.errors import Declined, Text
from domain.evaluation.programs import program_of
from domain.identifiers import Period
from projections.explain.derivation import explain
from projections.facts.audit_trail import entries_under_keys, has_entries
from projections.replay.question import Question
from projections.replay.replay import replay

if TYPE_CHECKING:
    from collections.abc import Sequence

    from domain.entries.entry import AnyEntry
    from projections.service import Service

BRANCH, MONTHS = "B01", ("2026-08", "2026-09", "2026-10")
CAPPED, LIFTED = "M0007", "M0023"  # the two cases worth looking at
CAP, LOWER_CAP = "value: 8000}", "value: 6000}"


def run(service: Service, by: str, language: str, database: str) -> None:
    """Fills an empty ledger and shows what it can answer; where that was done before, says how to
    go on.

    Raises Declined where the ledger has other entries.
    """
    entries = [parse_entry(raw) for raw in demo_entries()]
    known = _has_all(service, entries)
    if known and service.statements.of_manager(CAPPED, MONTHS[-1]):
        say(
            language, f"演示账本已在 {database}。", f"The demo ledger is there already: {database}."
        )
        next_steps(language, database)
        return
    if has_entries(service.ledger) and not known:
        raise Declined(
            Text(
                f"账本 {database} 已有数据，演示只写入空账本；请另指定：merit demo --database "
                "sqlite:///demo.db",
                f"the ledger {database} has entries, and the demo fills an empty one only: "
                "merit demo --database sqlite:///demo.db",
            )
        )
    service.ledger.append(entries, by=by)
    say(
        language,
        f"虚构分公司 {BRANCH}：{len(entries)} 条记录，三个月，40 人。",
        f"A made-up branch {BRANCH}: {len(entries)} entries, three months, 40 people.",
    )
    for month in MONTHS:
        print_settlements(service.settle(Period.parse(month), BRANCH, None, by=by), language)
    last = Period.parse(MONTHS[-1])
    put_line()
    say(
        language,
        f"──── {CAPPED} 为什么只得这么多？",
        f"──── Why does {CAPPED} get no more than that?",
    )
    explanation = Derivation.of_explanation(explain(service, CAPPED, last))
    printing.explanation(explanation, language)
    put_line()
    say(
        language,
        "──── 如果业绩积分封顶改为 6000，谁少得多少？",
        "──── With the performance cap at 6000, who would lose how much?",
    )
    draft = program_of(
        service.rulebooks.find("elastic-pay", month=last.last).text.replace(CAP, LOWER_CAP)
    )
    answer = replay(service, Question((last,), (BRANCH,), draft=draft, against="settled"), by=by)
    replay_printing.replay(ReplayedRows.of(answer), language)
    next_steps(language, database)


def _has_all(service: Service, entries: Sequence[AnyEntry]) -> bool:
    """Whether the ledger has every entry of the demo."""
    if not entries_under_keys(service.ledger, [entries[0].key]):
        return False
    return {
        outcome.status for outcome in service.ledger.append(entries, by="demo", dry_run=True)
    } == {"duplicate"}


def next_steps(language: str, database: str) -> None:
    """What to try next."""
    option = "" if database == "sqlite:///merit.db" else f" --database {database}"
    put_line()
    say(language, "接着可以试：", "Try next:")
    for command in (
        f"merit explain {LIFTED} {MONTHS[-1]}{option}",
        f"merit explain {CAPPED} {MONTHS[-1]} --lang en{option}",
        f"merit history {CAPPED} {MONTHS[-1]}{option}",
        f"merit rulebook show elastic-pay{option} > draft.yaml",
        (
            f"merit replay {MONTHS[-1]} --branch {BRANCH} --rulebook draft.yaml --against "
            f"settled{option}"
        ),
        f"merit serve{option}",
    ):
        say(language, f"  .venv/bin/{command}", f"  .venv/bin/{command}")
