"""`merit`: the command line. Each command turns its words into one call and prints what comes back."""

from __future__ import annotations

import getpass
import sys
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import orjson
import typer
from pydantic import ValidationError
from rich.console import Console

from api import printing
from api.settings import Settings
from domain.errors import Declined, Invalid, MeritError, NotFound, Refused, StoreError, Text
from domain.identifiers import BadIdentifier, Month, Period, check_id
from domain.rulebook.source import BrokenRulebook
from projections.book import Book

if TYPE_CHECKING:
    from collections.abc import Iterator

DONE, PARTLY, WRONG_CALL, NO_STORE = range(4)

app = typer.Typer(
    no_args_is_help=True, add_completion=False, help="绩效账本 Merit Ledger", pretty_exceptions_enable=False
)
rulebook_app = typer.Typer(no_args_is_help=True, help="管理办法 / rulebooks")
branch_app = typer.Typer(no_args_is_help=True, help="分公司 / branches")
key_app = typer.Typer(no_args_is_help=True, help="接口密钥 / API keys")
app.add_typer(rulebook_app, name="rulebook")
app.add_typer(branch_app, name="branch")
app.add_typer(key_app, name="key")

to_close = ExitStack()
errors = Console(stderr=True, soft_wrap=True, highlight=False, markup=False)

Json = Annotated[bool, typer.Option("--json", help="一个 JSON 文档 / one JSON document on standard output")]
Database = Annotated[str | None, typer.Option("--database", help="账本地址 / sqlite:///PATH or postgresql://…")]
Who = Annotated[str | None, typer.Option("--as", help="经办人 / who acts (default: the system user)")]
Language = Annotated[str | None, typer.Option("--lang", help="zh | en")]
Rules = Annotated[str | None, typer.Option("--rulebook", help="ID 或 ID@VERSION")]
Branch = Annotated[str, typer.Option("--branch", help="分公司 / branch")]


@dataclass
class Call:
    """What every command is given: where the ledger is, who acts, in which language."""

    settings: Settings
    by: str
    language: str

    @classmethod
    def of(cls, database: str | None = None, who: str | None = None, language: str | None = None) -> Call:
        """From the options, else from the environment."""
        try:
            settings = Settings(database=database) if database else Settings()
        except ValidationError as error:
            listed = (f"MERIT_{str(e['loc'][0]).upper()}={e['input']}: {e['msg']}" for e in error.errors())
            raise typer.BadParameter("; ".join(listed)) from None
        chosen = language or settings.language
        if chosen not in {"zh", "en"}:
            raise typer.BadParameter(f"--lang {chosen}: zh | en")
        return cls(settings, who or getpass.getuser(), chosen)

    def open(self) -> Book:
        """The ledger, closed when the command ends."""
        book = Book.open(self.settings.database)
        to_close.callback(book.close)
        return book


def main() -> None:
    """The command; exit status 0 done, 1 done in part or a check did not hold, 2 wrong call, 3 the store."""
    try:
        with to_close:
            app()
    except (StoreError, MeritError, BadIdentifier) as error:
        errors.print(error.text.both)
        sys.exit(status_of(error))


def status_of(error: Exception) -> int:
    """The exit status of a refusal."""
    match error:
        case StoreError():
            return NO_STORE
        case Refused() | BrokenRulebook():
            return PARTLY
        case _:
            return WRONG_CALL


def put(document: Any) -> None:
    """Prints the one JSON document."""
    sys.stdout.buffer.write(orjson.dumps(document, option=orjson.OPT_INDENT_2) + b"\n")


@app.command("import")
def import_files(
    files: Annotated[list[Path], typer.Argument(help="jsonl、csv、xlsx")],
    dry_run: Annotated[bool, typer.Option("--dry-run", help="只检查，不写入 / check, write nothing")] = False,
    json: Json = False,
    database: Database = None,
    who: Who = None,
    language: Language = None,
) -> None:
    """导入业务记录：好的记入，坏的列出原因 / appends entries, lists what is refused and why."""
    from api.importing.batch import import_entries

    call = Call.of(database, who, language)
    report = import_entries(call.open(), files, by=call.by, dry_run=dry_run)
    put(report.as_json()) if json else printing.import_report(report, call.language, dry_run=dry_run)
    raise typer.Exit(PARTLY if report.rejected else DONE)


@app.command()
def settle(
    period: str,
    branch: Branch,
    rulebook: Rules = None,
    json: Json = False,
    database: Database = None,
    who: Who = None,
    language: Language = None,
) -> None:
    """结算：计算并记录，每人一张新版考核单 / evaluates and records a settlement."""
    call = Call.of(database, who, language)
    book = call.open()
    try:
        settled = book.settle(Period.parse(period), check_id(branch), rulebook, by=call.by)
    except Refused as refused:
        if json:
            put({"settlements": [], "findings": [finding.as_json() for finding in refused.findings]})
        else:
            printing.findings(refused.findings, call.language)
        raise typer.Exit(PARTLY) from None
    if json:
        put({"settlements": [{"id": s.id} | s.evaluation.as_json() for s in settled], "position": settled[-1].position})
    else:
        printing.settled(settled, call.language)


@app.command()
def replay(
    periods: Annotated[list[str], typer.Argument(metavar="PERIOD...")],
    branch: Annotated[list[str] | None, typer.Option("--branch", help="分公司，可重复 / may be repeated")] = None,
    rulebook: Annotated[str | None, typer.Option("--rulebook", help="ID、ID@VERSION 或 FILE.yaml")] = None,
    against: Annotated[str | None, typer.Option("--against", help="settled、paid 或 ID[@VERSION]")] = None,
    as_of: Annotated[str | None, typer.Option("--as-of", help="账本位置或时间 / position or instant")] = None,
    added: Annotated[Path | None, typer.Option("--with", help="假设增加的记录 FILE.jsonl")] = None,
    without: Annotated[list[str] | None, typer.Option("--without", help="假设没有的记录 SOURCE:SOURCE_ID")] = None,
    json: Json = False,
    csv: Annotated[Path | None, typer.Option("--csv", help="另存为 CSV")] = None,
    database: Database = None,
    who: Who = None,
    language: Language = None,
) -> None:
    """重放与试算：只计算，不记账 / evaluates without recording."""
    from api.asking import question_of
    from api.tables import write_csv
    from projections.replay import replay as run

    call = Call.of(database, who, language)
    book = call.open()
    question = question_of(periods, branch or [], rulebook, against, as_of, added, without or [])
    with printing.progress(errors) as report:
        answer = run(book, question, by=call.by, progress=report)
    if csv:
        write_csv(csv, answer)
    put(answer.as_json()) if json else printing.answer(answer, call.language)
    raise typer.Exit(PARTLY if answer.refused else DONE)


@app.command()
def explain(
    manager: str,
    period: str,
    rulebook: Rules = None,
    version: Annotated[int | None, typer.Option("--version", help="考核单版本 / statement version")] = None,
    json: Json = False,
    database: Database = None,
    language: Language = None,
) -> None:
    """推导：每个数字从何而来 / the derivation of a statement, down to the entries."""
    from projections.explaining import explain as run

    call = Call.of(database, language=language)
    found = run(call.open(), manager, Period.parse(period), rulebook, version)
    put(found.as_json()) if json else printing.explanation(found, call.language)


@app.command()
def history(
    manager: str,
    period: str,
    rulebook: Rules = None,
    json: Json = False,
    database: Database = None,
    language: Language = None,
) -> None:
    """沿革：全部版本和记录 / all statement versions and entries, in order."""
    from projections.explaining import history as run

    call = Call.of(database, language=language)
    found = run(call.open(), manager, Period.parse(period), rulebook)
    put(found) if json else printing.history(found, call.language)


@app.command()
def rebuild(json: Json = False, database: Database = None, language: Language = None) -> None:
    """重建：丢弃全部读模型，从账本重新推出 / drops every projection and derives it again."""
    call = Call.of(database, language=language)
    digests = call.open().rebuild()
    same = all(before == after for before, after in digests.values())
    document = {name: {"before": b, "after": a, "same": b == a} for name, (b, a) in digests.items()}
    put(document) if json else printing.rebuilt(document, call.language)
    raise typer.Exit(DONE if same else PARTLY)


@app.command()
def serve(
    host: Annotated[str | None, typer.Option("--host")] = None,
    port: Annotated[int | None, typer.Option("--port")] = None,
    database: Database = None,
) -> None:
    """服务：HTTP 接口 / the HTTP service."""
    import uvicorn

    from api.app import create_app

    call = Call.of(database)
    call.open().close()  # a database that does not answer is said in one line, not by the server
    settings = call.settings
    uvicorn.run(create_app(settings), host=host or settings.host, port=port or settings.port)


@app.command()
def demo(database: Database = None, who: Who = None, language: Language = None) -> None:
    """演示：造一个分公司三个月的数据，结算并解释 / a made-up branch, settled and explained."""
    from api.demo import run

    call = Call.of(database, who, language)
    run(call.open(), call.by, call.language, call.settings.database)


@rulebook_app.command("check")
def check_rulebook(file: Path, json: Json = False, language: Language = None) -> None:
    """检查规则文件并运行其中的例子 / checks a rulebook and runs its examples."""
    from domain.evaluation.programs import proven

    call = Call.of(language=language)
    try:
        program = proven(read_text(file), str(file))
    except BrokenRulebook as broken:
        if json:
            put({"ok": False, "problems": [problem_json(broken.file, problem) for problem in broken.problems]})
        else:
            errors.print(broken.text.both)
        raise typer.Exit(PARTLY) from None
    book = program.rulebook
    summary = {
        "id": book.id,
        "version": book.version,
        "digest": program.digest,
        "steps": len(book.steps),
        "examples": len(book.examples),
    }
    put({"ok": True, "problems": []} | summary) if json else printing.checked(summary, call.language)


@rulebook_app.command("publish")
def publish_rulebook(
    file: Path,
    effective_from: Annotated[str | None, typer.Option("--from", help="生效月 / effective month YYYY-MM")] = None,
    json: Json = False,
    database: Database = None,
    who: Who = None,
    language: Language = None,
) -> None:
    """发布：此后不再更改 / publishes a version, never changed afterwards."""
    call = Call.of(database, who, language)
    month = Month.parse(effective_from) if effective_from else None
    program, position = call.open().shelf.publish(read_text(file), file=str(file), by=call.by, effective_from=month)
    book = program.rulebook
    document = {"id": book.id, "version": book.version, "digest": program.digest, "position": position}
    put(document) if json else printing.published(document, call.language)


@rulebook_app.command("list")
def list_rulebooks(json: Json = False, database: Database = None, language: Language = None) -> None:
    """列出已发布的办法 / published rulebooks with source, period and effective month."""
    call = Call.of(database, language=language)
    rows = list(rulebook_rows(call.open()))
    put(rows) if json else printing.rulebooks(rows, call.language)


@rulebook_app.command("show")
def show_rulebook(
    name: Annotated[str, typer.Argument(metavar="ID[@VERSION]")], json: Json = False, database: Database = None
) -> None:
    """显示办法原文，可编辑后作为草案重放 / the text as published: edit it, replay with it."""
    program = Call.of(database).open().shelf.named(name, None)
    book = program.rulebook
    if json:
        put({"id": book.id, "version": book.version, "digest": program.digest, "text": program.text})
    else:
        sys.stdout.write(program.text)


@branch_app.command("rulebooks")
def branch_rulebooks(
    branch: str,
    rulebooks: Annotated[list[str] | None, typer.Argument(metavar="ID...")] = None,
    month: Annotated[str | None, typer.Option("--from", help="起始月 / from this month on, YYYY-MM")] = None,
    json: Json = False,
    database: Database = None,
    who: Who = None,
    language: Language = None,
) -> None:
    """分公司按哪些办法计薪 / what a branch pays by; with ids, sets it from a month on."""
    call = Call.of(database, who, language)
    book = call.open()
    if rulebooks:
        if month is None:
            raise Declined(Text("请写明起始月：--from YYYY-MM", "say from which month: --from YYYY-MM"))
        book.shelf.pay_by(check_id(branch), rulebooks, Month.parse(month), by=call.by)
    at = Month.parse(month) if month else Month(2099, 12)
    document = {
        "branch": branch,
        "month": str(at) if month else None,
        "rulebooks": list(book.shelf.pays_by(branch, at)),
    }
    put(document) if json else printing.pays_by(document, call.language)


@key_app.command("create")
def create_key(
    name: str, json: Json = False, database: Database = None, who: Who = None, language: Language = None
) -> None:
    """新建接口密钥，只显示一次 / a new API key, shown once."""
    from projections.api_keys import ApiKeys

    call = Call.of(database, who, language)
    secret, position = ApiKeys(call.open().ledger).create(check_id(name), by=call.by)
    put({"name": name, "key": secret, "position": position}) if json else printing.key(name, secret, call.language)


def read_text(file: Path) -> str:
    """A file's text. Raises NotFound."""
    try:
        return file.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise NotFound(Text(f"读不了文件 {file}：{error}", f"cannot read {file}: {error}")) from None


def problem_json(file: str, problem: Any) -> dict[str, Any]:
    """A mistake in a rulebook as data."""
    place = {"file": file, "line": problem.place.line, "column": problem.place.column}
    return place | {"message": {"zh": problem.text.zh, "en": problem.text.en}}


def rulebook_rows(book: Book) -> Iterator[dict[str, Any]]:
    """Every published version, as data."""
    for row in book.shelf.all():
        rulebook = book.shelf.find(row.rulebook, row.version).rulebook
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


__all__ = ["Invalid", "main"]
