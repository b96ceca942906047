"""`merit import`: entries from files."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from api.acts import entries as acts
from api.cli.context import DONE, PARTLY, Call, command
from api.cli.printing import entries as printing
from api.documents.entries import ImportReport

topic_app = typer.Typer()


def _status(report: ImportReport) -> int:
    return PARTLY if report.rejected else DONE


@command(topic_app, "import", show=printing.import_report, status=_status)
def import_files(
    call: Call,
    files: Annotated[list[Path], typer.Argument(help="jsonl、csv、xlsx")],
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="只检查，不写入 / check, write nothing")
    ] = False,
) -> ImportReport:
    """导入业务记录：好的记入，坏的列出原因 / appends entries, lists what is refused and why."""
    return acts.import_entries(*call.start(begin=not dry_run), files, dry_run=dry_run)
