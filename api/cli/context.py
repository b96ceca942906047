"""What every command is given, and how it ends."""

from __future__ import annotations

import getpass
import sys
from collections.abc import Callable
from contextlib import ExitStack
from contextvars import ContextVar
from dataclasses import dataclass, field
from functools import cache, wraps
from inspect import Parameter, Signature, signature
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Annotated, Any, TypeVar, get_type_hints

import orjson
import typer
from pydantic import ValidationError

from api.cli.next_acts import words_of
from api.cli.printing.lines import calendar
from api.cli.whole_numbers import bounded
from api.documents.parts.base import Document, Shape
from api.settings import Settings
from domain.entries.field_errors import misfit
from domain.errors import Finding, Invalid, MeritError, Refused, StoreError, Text, visible
from domain.identifiers import BadIdentifier
from domain.rulebook.source import BrokenRulebook
from projections.records.accounts.accounts import Caller
from projections.service import Service
from projections.store.schema import NoLedger

if TYPE_CHECKING:
    from rich.console import Console

D = TypeVar("D")
DONE, PARTLY, WRONG_CALL, NO_STORE = range(4)

to_close = ExitStack()
# The language that was asked for, for what is said once a command has failed; both where none was.
spoken = ContextVar("spoken", default="both")

Json = Annotated[
    bool, typer.Option("--json", help="一个 JSON 文档 / one JSON document on standard output")
]
Database = Annotated[
    str | None, typer.Option("--database", help="账本地址 / sqlite:///PATH or postgresql://…")
]
Who = Annotated[
    str | None, typer.Option("--as", help="经办人 / who acts (default: the system user)")
]
Language = Annotated[str | None, typer.Option("--lang", help="zh | en")]
AsOf = Annotated[str | None, typer.Option("--as-of", help="账本位置或时间 / position or instant")]
Rules = Annotated[str | None, typer.Option("--rulebook", help="ID 或 ID@VERSION")]


SHARED_OPTIONS: dict[str, tuple[object, object]] = {
    "json": (Json, False),
    "database": (Database, None),
    "who": (Who, None),
    "language": (Language, None),
}


@dataclass
class Call:
    """What every command is given: where the ledger is, who acts, in which language."""

    settings: Settings
    by: str
    language: str
    named: bool = False  # who acts was said, and is not the system user
    caller: Caller = field(init=False)  # who acts, known once the ledger is open

    @classmethod
    def of(
        cls, database: str | None = None, who: str | None = None, language: str | None = None
    ) -> Call:
        """From the options, else from the environment."""
        try:
            settings = Settings(database=database) if database else Settings()
        except ValidationError as error:
            said = ((e, misfit(e).in_language(language or "zh")) for e in error.errors())
            listed = (
                f"MERIT_{str(e['loc'][0]).upper()}={e['input']}: {words}" for e, words in said
            )
            raise typer.BadParameter(visible("; ".join(listed))) from None
        chosen = language or settings.language
        if chosen not in {"zh", "en"}:
            raise typer.BadParameter(f"--lang {visible(chosen)}: zh | en")
        spoken.set(chosen if language or "language" in settings.model_fields_set else "both")
        return cls(settings, who or getpass.getuser(), chosen, named=who is not None)

    def start(self, *, begin: bool = False) -> tuple[Service, Caller]:
        """The ledger, closed when the command ends, and who acts on it.

        `begin`: the command records what a ledger may begin with. Any other raises NoLedger where
        there is none, and makes none.
        """
        calendar.set(self.settings.calendar)
        return self._act_on(
            Service.open(self.settings.database, self.settings.calendar, begin=begin)
        )

    def start_with_rulebooks(self) -> tuple[Service, Caller]:
        """The same for reading rulebooks. Where there is no ledger, one that is gone when the
        command ends: with the rulebooks that every ledger begins with.
        """
        try:
            return self.start()
        except NoLedger as none:
            text = Text(
                f"{none.where} 没有账本；以下是新账本自带的办法",
                f"there is no ledger at {none.where}: these are the rulebooks that a new one "
                "begins with",
            )
            errors().print(visible(text.in_language(self.language)))
        folder = to_close.enter_context(TemporaryDirectory())
        return self._act_on(Service.open(f"sqlite:///{folder}/shipped.db"))

    def _act_on(self, service: Service) -> tuple[Service, Caller]:
        to_close.callback(service.close)
        self.caller = service.accounts.at_the_console(self.by)
        if self.named and not self.caller.has_account and service.accounts.all():
            text = Text(
                f"没有账号 {self.by}，按管理员记录",
                f"there is no account {self.by}: acting as the administrator",
            )
            errors().print(visible(text.in_language(self.language)))
        return service, self.caller


def succeeded(document: object) -> int:  # noqa: ARG001
    """The exit status of a command that was done."""
    return DONE


def command(
    app: typer.Typer,
    name: str,
    *,
    show: Callable[..., None],
    status: Callable[[Any], int] = succeeded,
) -> Callable[[Callable[..., D]], Callable[..., D]]:
    """Makes a command of a function that is given the call, then its own arguments and options.

    The command has the options that all share (`--json`, `--database`, `--as`, `--lang`). It prints
    the document that the function returns: as JSON, or in words by `show(document, language)`;
    further parameters of `show` are given the command's options of the same name. It ends with the
    `status` of the document.
    """
    _, _, *shown_options = signature(show).parameters

    def decorate(run: Callable[..., D]) -> Callable[..., D]:
        @wraps(run)
        def start(
            *args: object,
            json: bool,
            database: str | None,
            who: str | None,
            language: str | None,
            **options: object,
        ) -> None:
            call = Call.of(database, who, language)
            document = run(call, *args, **options)
            if json:
                put(document)
            else:
                show(document, call.language, **{name: options[name] for name in shown_options})
            if ended := status(document):
                raise typer.Exit(ended)

        _, *parameters = signature(run).parameters.values()
        kinds = get_type_hints(run, include_extras=True)
        start.__signature__ = Signature(  # type: ignore[attr-defined]
            [
                *(
                    parameter.replace(annotation=bounded(parameter.name, kinds[parameter.name]))
                    for parameter in parameters
                ),
                *(
                    Parameter(name, Parameter.KEYWORD_ONLY, default=default, annotation=kind)
                    for name, (kind, default) in SHARED_OPTIONS.items()
                ),
            ]
        )
        del (
            start.__wrapped__
        )  # the command line is read from this signature, not from that of `run`
        start.__annotations__ = {
            parameter.name: parameter.annotation
            for parameter in start.__signature__.parameters.values()  # type: ignore[attr-defined]
        }
        app.command(name)(start)
        return run

    return decorate


@cache
def errors() -> Console:
    """Standard error, for what goes wrong and how far a long command is."""
    from rich.console import Console  # slow to import, and most commands have nothing to say here

    return Console(stderr=True, soft_wrap=True, highlight=False, markup=False, emoji=False)


def status_of(error: Exception) -> int:
    """The exit status of a refusal."""
    match error:
        case StoreError():
            return NO_STORE
        case Refused() | BrokenRulebook():
            return PARTLY
        case _:
            return WRONG_CALL


def complain(error: MeritError | BadIdentifier) -> None:
    """Says on standard error, in the language of the command, why it was refused; a line a
    reason.
    """
    language = spoken.get()
    match error:
        case Invalid():
            lines = [reason.told(language) for reason in error.reasons]
        case BrokenRulebook():
            lines = [problem.at(error.file, language) for problem in error.problems]
        case Refused():
            lines = [_refused(error).in_language(language)]
            bullet = "-" if language == "en" else "·"
            lines += [f"  {bullet} {finding_line(f, language)}" for f in error.findings]
        case _:
            lines = [_words_of(error).in_language(language)]
    errors().print("\n".join(map(visible, lines)))


def _refused(error: Refused) -> Text:
    number = len(error.findings)
    return Text(
        f"考核未通过，没有写入任何内容；共 {number} 个问题：",
        f"the evaluation is refused, nothing is written; {number} finding(s):",
    )


def finding_line(finding: Finding, language: str) -> str:
    """A finding in words, with the entry that it is about."""
    text = finding.text.in_language(language)
    return f"{text} [{finding.entry}]" if finding.entry else text


def _words_of(error: MeritError | BadIdentifier) -> Text:
    return words_of(error) if isinstance(error, MeritError) else error.text


def report_of(error: Exception) -> dict[str, Any] | None:
    """What a command that was to print JSON prints of a refusal that says what is wrong with what
    was given.
    """
    match error:
        case Refused():
            return {"findings": [finding.as_json() for finding in error.findings]}
        case BrokenRulebook():
            return {
                "ok": False,
                "problems": [problem_json(error.file, problem) for problem in error.problems],
            }
        case _:
            return None


def problem_json(file: str, problem: Any) -> dict[str, Any]:
    """A mistake in a rulebook as data."""
    place = {"file": file, "line": problem.location.line, "column": problem.location.column}
    return place | {"message": {"zh": problem.text.zh, "en": problem.text.en}}


def put(document: object) -> None:
    """Prints the one JSON document."""
    if isinstance(document, Document):
        sys.stdout.buffer.write(document.json_bytes(indent=2) + b"\n")
    else:
        content = orjson.dumps(document, default=_plain, option=orjson.OPT_INDENT_2)
        sys.stdout.buffer.write(content + b"\n")


def _plain(value: object) -> object:
    """A document inside a list, for orjson, which knows none."""
    assert isinstance(value, Shape)
    return orjson.loads(value.json_bytes())
