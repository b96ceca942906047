"""`merit replay`: what would be under other rules, as of another moment, with other entries."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from api.acts import replays as acts
from api.cli.commands.rulebooks import is_file, read_rulebook_file
from api.cli.context import DONE, PARTLY, AsOf, Call, command, errors
from api.cli.csv_export import write_csv
from api.cli.printing import replays as printing
from api.documents.parts.checked import checked
from api.documents.replays import Replay, ReplayedRows
from api.importing import read_file
from domain.errors import Declined, Text
from domain.identifiers import check_id

topic_app = typer.Typer()  # beside the other commands


class NoKey(Declined):
    """A text that does not name an entry."""

    def __init__(self, text: str) -> None:
        super().__init__(Text(f"{text!r} 应写成 来源:编号", f"{text!r}: write SOURCE:SOURCE_ID"))
        self.text_given = text


def status_of(document: ReplayedRows) -> int:
    """Done in part where any evaluation is refused."""
    return PARTLY if document.is_refused else DONE


@command(topic_app, "replay", show=printing.replay, status=status_of)
def replay(
    call: Call,
    periods: Annotated[list[str], typer.Argument(metavar="PERIOD...")],
    branch: Annotated[
        list[str] | None, typer.Option("--branch", help="分公司，可重复 / may be repeated")
    ] = None,
    rulebook: Annotated[
        str | None, typer.Option("--rulebook", help="ID、ID@VERSION 或 FILE.yaml")
    ] = None,
    against: Annotated[
        str | None, typer.Option("--against", help="settled、paid 或 ID[@VERSION]")
    ] = None,
    as_of: AsOf = None,
    added: Annotated[Path | None, typer.Option("--with", help="假设增加的记录 FILE.jsonl")] = None,
    without: Annotated[
        list[str] | None, typer.Option("--without", help="假设没有的记录 SOURCE:SOURCE_ID")
    ] = None,
    csv: Annotated[Path | None, typer.Option("--csv", help="另存为 CSV")] = None,
) -> ReplayedRows:
    """重放与试算：只计算，不记账 / evaluates without recording."""
    service, who = call.start()
    rows = list(read_file(added)) if added else []
    draft = Path(rulebook) if rulebook and is_file(rulebook) else None
    asked = checked(
        Replay,
        periods=periods,
        branches=branch or [],
        rulebook=None if draft else rulebook,
        draft=read_rulebook_file(draft) if draft else None,
        against=against,
        as_of=as_of,
        without=[checked_key(text) for text in without or []],
        **{"with": [row.raw or {} for row in rows]},
    )
    with printing.progress(errors()) as report:
        replayed = acts.run_replay(
            service,
            who,
            asked,
            supposed=[(f"{added}:{row.line} ", row) for row in rows],
            draft_name=str(draft),
            progress=report,
        )
    if csv:
        write_csv(csv, replayed.document)
    return replayed.document


def checked_key(text: str) -> str:
    """`SOURCE:SOURCE_ID`. Raises NoKey, BadIdentifier."""
    source, colon, number = text.partition(":")
    if not colon:
        raise NoKey(text)
    return f"{check_id(source)}:{check_id(number)}"
