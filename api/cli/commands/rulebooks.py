"""`merit rulebook …`: rulebooks are checked, compared, published and shown."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from api.acts.replays import is_file, read_text
from api.cli.context import Call, Database, Json, Language, Who, put
from api.cli.printing import statements as printing
from domain.evaluation.programs import program_of, publishable_program
from domain.identifiers import Month
from domain.rulebook.differences import PARTS, find_changes

if TYPE_CHECKING:
    from collections.abc import Iterator

    from domain.rulebook.checks import Program
    from domain.rulebook.differences import RulebookChange
    from projections.service import Publication, Service

rulebook_app = typer.Typer(no_args_is_help=True, help="管理办法 / rulebooks")


@rulebook_app.command("check")
def check_rulebook(
    file: Path,
    json: Json = False,
    database: Database = None,
    who: Who = None,
    language: Language = None,
) -> None:
    """检查规则文件并运行其中的例子，不读账本 / checks a rulebook and runs its examples, without the
    ledger.
    """
    call = Call.of(database, who, language)
    program = publishable_program(read_text(file), str(file))
    rules = program.rulebook
    summary = {
        "id": rules.id,
        "version": rules.version,
        "digest": program.digest,
        "steps": len(rules.steps),
        "examples": len(rules.examples),
    }
    put({"ok": True, "problems": []} | summary) if json else printing.checked(
        summary, call.language
    )


@rulebook_app.command("publish")
def publish_rulebook(
    file: Path,
    effective_from: Annotated[
        str | None, typer.Option("--from", help="生效月 / effective month YYYY-MM")
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="只检查并算出影响 / check and show the impact")
    ] = False,
    json: Json = False,
    database: Database = None,
    who: Who = None,
    language: Language = None,
) -> None:
    """发布：此后不再更改 / publishes a version, never changed afterwards, and says what it does to
    pay.
    """
    call = Call.of(database, who, language)
    month = Month.parse(effective_from) if effective_from else None
    service = call.open("publish_rulebooks")
    done = service.publish(
        read_text(file), file=str(file), by=call.by, effective_from=month, dry_run=dry_run
    )
    published = done.program.rulebook
    document = {
        "id": published.id,
        "version": published.version,
        "digest": done.program.digest,
        "effective_from": str(month_of(service, done, month)),
        "position": done.position,
        "new": done.new,
        "impact": done.impact,
    }
    put(document) if json else print_publication(
        document, call.language, asked=month, dry_run=dry_run
    )


def month_of(service: Service, done: Publication, asked: Month | None) -> Month:
    """The month from which on a publication is in force; of one that stood before, that one."""
    published = done.program.rulebook
    if done.new:
        return asked or published.effective_from
    return next(
        row.effective_from
        for row in service.rulebooks.versions(published.id)
        if row.version == published.version
    )


def print_publication(
    document: dict[str, Any], language: str, *, asked: Month | None, dry_run: bool
) -> None:
    """A publication and its impact."""
    d, impact = document, document["impact"]
    done = ("可以发布", "may be published") if dry_run else ("已发布", "published")
    if not d["new"]:
        since = d["effective_from"]
        done = (
            f"此前已发布，自 {since} 起生效，未作更改",
            f"was published before, from {since} on; nothing changed",
        )
    printing.say(
        language,
        f"{done[0]}：{d['id']} {d['version']}，账本位置 {d['position']}，摘要 {d['digest']}",
        f"{done[1]}: {d['id']} {d['version']}, ledger position {d['position']}, digest "
        f"{d['digest']}",
    )
    if asked and str(asked) != d["effective_from"]:
        printing.say(
            language,
            f"--from {asked} 没有采用：已发布的版本自 {d['effective_from']} 起生效，不再更改；"
            "要换月份请换版本号",
            f"--from {asked} was not taken: the published version stands from "
            f"{d['effective_from']} on and never "
            "changes; for another month publish it under a version of its own",
        )
    if impact is None:
        printing.say(
            language,
            "影响：还没有按此办法结算过的月份可以比较",
            "impact: no month is settled under this rulebook yet, so there is nothing to compare",
        )
        return
    t, change = impact["totals"], printing.signed(impact["totals"]["difference"])
    printing.say(
        language,
        f"影响（最近结算的 {len(impact['months'])} 个分公司月）：{t['before']} → {t['after']}，"
        f"差额 {change}；"
        f"增 {t['gainers']} 人，减 {t['losers']} 人，共 {t['managers']} 人",
        f"impact on the {len(impact['months'])} branch periods last settled: {t['before']} → "
        f"{t['after']}, {change}; "
        f"{t['gainers']} gain, {t['losers']} lose, of {t['managers']}",
    )
    for row in impact["refused"]:
        printing.say(
            language,
            f"  {row['branch']} {row['period']} 将被拒绝计算：{row['findings']} 个问题",
            f"  {row['branch']} {row['period']} would be refused: {row['findings']} finding(s)",
        )


@rulebook_app.command("list")
def list_rulebooks(
    json: Json = False, database: Database = None, who: Who = None, language: Language = None
) -> None:
    """列出已发布的办法 / published rulebooks with source, period and effective month."""
    call = Call.of(database, who, language)
    rows = list(rulebook_rows(call.open("read_rulebooks", None)))
    put(rows) if json else printing.rulebooks(rows, call.language)


@rulebook_app.command("show")
def show_rulebook(
    name: Annotated[str, typer.Argument(metavar="ID[@VERSION]")],
    json: Json = False,
    database: Database = None,
    who: Who = None,
) -> None:
    """显示办法原文，可编辑后作为草案重放 / the text as published: edit it, replay with it."""
    program = Call.of(database, who).open("read_rulebooks", None).rulebooks.named(name, None)
    rules = program.rulebook
    if json:
        put(
            {
                "id": rules.id,
                "version": rules.version,
                "digest": program.digest,
                "text": program.text,
            }
        )
    else:
        sys.stdout.write(program.text)


@rulebook_app.command("diff")
def compare_rulebooks(
    a: Annotated[str, typer.Argument(metavar="A", help="ID、ID@VERSION 或 FILE.yaml")],
    b: Annotated[str, typer.Argument(metavar="B", help="ID、ID@VERSION 或 FILE.yaml")],
    json: Json = False,
    database: Database = None,
    who: Who = None,
    language: Language = None,
) -> None:
    """比较两个版本：步骤、表格、条款有何不同 / what B changes of A: steps, tables, clauses."""
    call = Call.of(database, who, language)
    old, new = (
        program_of(read_text(Path(name)), name)
        if is_file(name)
        else call.open("read_rulebooks", None).rulebooks.named(name, None)
        for name in (a, b)
    )
    changes = find_changes(old.rulebook, new.rulebook)
    put(difference_json(old, new, changes)) if json else print_changes(
        old, new, changes, call.language
    )


def difference_json(old: Program, new: Program, changes: list[RulebookChange]) -> dict[str, Any]:
    """A comparison of rulebooks as data."""
    before, after = (
        {"id": p.rulebook.id, "version": p.rulebook.version, "digest": p.digest} for p in (old, new)
    )
    return {"from": before, "to": after, "changes": [change.as_json() for change in changes]}


SIGNS = {"added": "+", "removed": "-", "changed": "~", "moved": "↕"}


def print_changes(old: Program, new: Program, changes: list[RulebookChange], language: str) -> None:
    """What differs, a part a line, its fields below."""
    a, b = (f"{p.rulebook.id} {p.rulebook.version}" for p in (old, new))
    if not changes:
        printing.say(language, f"{a} 与 {b} 没有差别", f"{a} and {b} do not differ")
        return
    printing.say(
        language, f"{a} → {b}，{len(changes)} 处不同：", f"{a} → {b}, {len(changes)} difference(s):"
    )
    for change in changes:
        part, label = PARTS[change.part].in_language(language), change.label.in_language(language)
        named = change.name if label == change.name else f"{change.name} {label}"
        clause = f" 〔{change.clause}〕" if change.clause else ""
        printing.say(language, *[f"  {SIGNS[change.change]} {part} {named}{clause}"] * 2)
        for field, before, after in change.fields:
            printing.say(language, *[f"      {field}: {before or '–'} → {after or '–'}"] * 2)


def rulebook_rows(service: Service) -> Iterator[dict[str, Any]]:
    """Every published version, as data."""
    for row in service.rulebooks.all():
        rulebook = service.rulebooks.find(row.rulebook, row.version).rulebook
        yield {
            "id": row.rulebook,
            "version": row.version,
            "title": rulebook.title.model_dump(),
            "source": rulebook.source.model_dump(),
            "period": rulebook.period,
            "effective_from": str(row.effective_from),
            "digest": row.digest,
            "published": {"by": row.by, "at": row.at, "position": row.position},
        }
