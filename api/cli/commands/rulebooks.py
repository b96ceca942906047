"""`merit rulebook …`, `merit branch rulebooks`: rulebooks are checked, compared, published and
shown; branches choose what they pay by.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from api.acts import rulebooks as acts
from api.acts.settlements import list_promotions
from api.cli.context import AsOf, Call, command
from api.cli.printing import rulebooks as printing
from api.documents.parts.checked import checked
from api.documents.rulebooks import (
    BranchRulebooks,
    Checked,
    Published,
    RulebookChanges,
    Rulebooks,
    RulebookText,
    SetRulebooks,
)
from api.documents.settlements import Promotions
from api.importing.files import read_given
from domain.errors import Declined, NotFound, Text
from domain.evaluation.programs import program_of
from domain.identifiers import Month, Period, check_id

if TYPE_CHECKING:
    from domain.rulebook.checks import Program

rulebook_app = typer.Typer(no_args_is_help=True, help="管理办法 / rulebooks")
branch_app = typer.Typer(no_args_is_help=True, help="分公司 / branches")
topic_app = typer.Typer()
topic_app.add_typer(rulebook_app, name="rulebook")
topic_app.add_typer(branch_app, name="branch")


MOST_BYTES = 32 * 1024 * 1024  # of a file; the check says how long a rulebook may be


class UnreadableRulebook(NotFound):
    """A rulebook file that is missing, or is no text."""

    def __init__(self, file: Path, error: Exception) -> None:
        super().__init__(
            Text(f"读不了规则文件 {file}：{error}", f"cannot read the rulebook {file}: {error}")
        )
        self.file = file


@command(rulebook_app, "check", show=printing.checked)
def check(call: Call, file: Path) -> Checked:  # noqa: ARG001
    """检查规则文件并运行其中的例子，不读账本 / checks a rulebook and runs its examples, without the
    ledger.
    """
    return acts.check_rulebook(read_rulebook_file(file), str(file))


@command(rulebook_app, "publish", show=printing.publication)
def publish(
    call: Call,
    file: Path,
    effective_from: Annotated[
        str | None, typer.Option("--from", help="生效月 / effective month YYYY-MM")
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="只检查并算出影响 / check and show the impact")
    ] = False,
) -> Published:
    """发布：此后不再更改 / publishes a version, never changed afterwards, and says what it does to
    pay.
    """
    month = Month.parse(effective_from) if effective_from else None
    text = read_rulebook_file(file)
    service, who = call.start(begin=not dry_run)
    return acts.publish_rulebook(
        service,
        who,
        text,
        file=str(file),
        effective_from=month,
        dry_run=dry_run,
    ).document


@command(rulebook_app, "list", show=printing.rulebooks)
def list_all(call: Call) -> Rulebooks:
    """列出已发布的办法 / published rulebooks with source, period and effective month."""
    return acts.list_rulebooks(*call.start_with_rulebooks()).document


@command(rulebook_app, "show", show=printing.text)
def show(call: Call, name: Annotated[str, typer.Argument(metavar="ID[@VERSION]")]) -> RulebookText:
    """显示办法原文，可编辑后作为草案重放 / the text as published: edit it, replay with it."""
    rulebook, _, version = name.partition("@")
    return acts.show_rulebook(*call.start_with_rulebooks(), rulebook, version or None)


@command(rulebook_app, "diff", show=printing.changes)
def diff(
    call: Call,
    a: Annotated[str, typer.Argument(metavar="A", help="ID、ID@VERSION 或 FILE.yaml")],
    b: Annotated[str, typer.Argument(metavar="B", help="ID、ID@VERSION 或 FILE.yaml")],
) -> RulebookChanges:
    """比较两个版本：步骤、表格、条款有何不同 / what B changes of A: steps, tables, clauses."""
    return acts.compare_rulebooks(_rulebook(call, a), _rulebook(call, b))


def _rulebook(call: Call, name: str) -> Program:
    """A published version, or a file's: then no ledger is opened."""
    if is_file(name):
        return program_of(read_rulebook_file(Path(name)), name)
    rulebook, _, version = name.partition("@")
    return acts.find_rulebook(*call.start_with_rulebooks(), rulebook, version or None)


@command(branch_app, "rulebooks", show=printing.branch_rulebooks)
def branch_rulebooks(
    call: Call,
    branch: str,
    rulebooks: Annotated[list[str] | None, typer.Argument(metavar="ID...")] = None,
    month: Annotated[
        str | None, typer.Option("--from", help="起始月 / from this month on, YYYY-MM")
    ] = None,
    as_of: AsOf = None,
) -> BranchRulebooks:
    """分公司按哪些办法计薪 / what a branch pays by; with ids, sets it from a month on."""
    check_id(branch)
    if not rulebooks:
        at = Month.parse(month) if month else None
        return acts.show_branch_rulebooks(*call.start(), branch, at, as_of).document
    if month is None:
        raise Declined(Text("请写明起始月：--from YYYY-MM", "say from which month: --from YYYY-MM"))
    if as_of is not None:
        raise typer.BadParameter("--as-of | ID...")
    asked = checked(SetRulebooks, rulebooks=rulebooks, **{"from": month})
    return acts.set_branch_rulebooks(*call.start(begin=True), branch, asked).document


@command(branch_app, "promotions", show=printing.promotions)
def promotions(call: Call, branch: str, period: str) -> Promotions:
    """晋升与淘汰：全年谁是晋升对象、谁是淘汰对象 / who stands for promotion and for exit."""
    check_id(branch)
    return list_promotions(*call.start(), Period.parse(period), branch)


def is_file(rulebook: str) -> bool:
    """Whether a rulebook is named by its file."""
    return rulebook.endswith((".yaml", ".yml"))


def read_rulebook_file(file: Path) -> str:
    """A rulebook file's text. Raises NotFound."""
    try:
        return read_given(file, MOST_BYTES).decode("utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise UnreadableRulebook(file, error) from None
