"""`merit`: the command line. A command turns its words into one call of an act and prints what
comes back.

Only the topic that is asked for is imported, so that a command starts fast.
"""

from __future__ import annotations

import gc
import os
import sys
from contextlib import suppress
from functools import cache
from importlib import import_module
from io import TextIOWrapper
from typing import NamedTuple, NoReturn

import typer


class Topic(NamedTuple):
    """A command, or a group of them: the module that has it, and its line in the help."""

    module: str
    help: str


# In the order in which the help lists them.
TOPICS = {
    "import": Topic(
        "entries",
        "导入业务记录：好的记入，坏的列出原因 / appends entries, lists what is refused and why",
    ),
    "settle": Topic(
        "settlements", "结算：计算并记录，每人一张新版考核单 / evaluates and records a settlement"
    ),
    "explain": Topic(
        "statements", "推导：每个数字从何而来 / the derivation of a statement, down to the entries"
    ),
    "history": Topic(
        "statements", "沿革：全部版本和记录 / all statement versions and entries, in order"
    ),
    "replay": Topic("replays", "重放与试算：只计算，不记账 / evaluates without recording"),
    "check": Topic(
        "checks",
        "月检：付款前须看的问题，及其确认 / what must be seen before money moves",
    ),
    "close": Topic(
        "cycles",
        "封账发放：锁定结算，此后的变化由重新结算补发或扣回 / closes the month and pays it",
    ),
    "resettle": Topic(
        "cycles",
        "重新结算已封账的月份，差额补发或扣回到未封账月份 / posts what differs into the open month",
    ),
    "cycle": Topic("cycles", "考核周期 / a branch's month"),
    "appeal": Topic("appeals", "申诉 / appeals"),
    "person": Topic("people", "客户经理 / a person's interviews and agreements"),
    "rulebook": Topic("rulebooks", "管理办法 / rulebooks"),
    "branch": Topic("rulebooks", "分公司 / branches"),
    "grant": Topic("grants", "分层授权 / grants and their uses"),
    "account": Topic("accounts", "账号与角色 / accounts and roles"),
    "key": Topic("accounts", "接口密钥 / API keys"),
    "rebuild": Topic(
        "operation",
        "重建：丢弃全部读模型，从账本重新推出 / drops every projection and derives it again",
    ),
    "serve": Topic("operation", "服务：HTTP 接口 / the HTTP service"),
    "demo": Topic(
        "operation",
        "演示：造一个分公司三个月的数据，结算并解释 / a made-up branch, settled and explained",
    ),
}


def main() -> None:
    """The command; exit status 0 done, 1 done in part or a check did not hold, 2 wrong call, 3 the
    store.
    """
    _speak_to_any_console()
    if strays := [word for word in sys.argv[1:] if not _is_text(word)]:
        _stop(
            f"参数 {strays[0]!a} 不是 UTF-8；请改用 UTF-8，文件可先改名",
            f"the argument {strays[0]!a} is not UTF-8: write it in UTF-8, rename the file",
            2,
        )
    words = [word for word in sys.argv[1:] if not word.startswith("-")]
    topic = TOPICS.get(words[0]) if words else None
    if topic is None:
        _app_of_topics()()
    else:
        _run(topic)


def _run(topic: Topic) -> None:
    """Runs a command of this topic; a refusal is said, and becomes the exit status."""
    gc.disable()  # all that is imported stays: a search for garbage in it only costs time
    from eventsourcing.persistence import PersistenceError

    from api.cli.context import (
        NO_STORE,
        PARTLY,
        complain,
        put,
        report_of,
        spoken,
        status_of,
        to_close,
    )
    from domain.errors import MeritError
    from domain.identifiers import BadIdentifier
    from domain.ledger.store_protocol import store_error

    app = _app_of(topic)
    gc.freeze()
    gc.enable()
    spoken.set("both")
    try:
        try:
            with to_close:
                app()
        finally:
            sys.stdout.flush()
    except OSError as error:  # what reads and writes files says so itself
        _let_go_of_output()
        _stop(
            f"写不出结果：{error.strerror}；命令或已执行，请先查看账本再重试",
            f"cannot write what came of it: {error.strerror}. It may have been done: look at the "
            "ledger before you try again",
            PARTLY,
        )
    except PersistenceError as error:
        complain(store_error(error))
        sys.exit(NO_STORE)
    except (MeritError, BadIdentifier) as error:
        if "--json" in sys.argv and (report := report_of(error)):
            put(report)
        complain(error)
        sys.exit(status_of(error))


def _speak_to_any_console() -> None:
    """What the console's encoding cannot show is shown as an escape."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def _is_text(word: str) -> bool:
    """Whether the words of the shell were UTF-8: bytes that are not arrive as halves of
    characters.
    """
    return not any("\ud800" <= sign <= "\udfff" for sign in word)


def _let_go_of_output() -> None:
    """Else Python would try again to write it when the program ends."""
    with suppress(OSError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _stop(zh: str, en: str, status: int) -> NoReturn:
    sys.stderr.write(f"{zh} / {en}\n")
    sys.exit(status)


def _app() -> typer.Typer:
    return typer.Typer(
        no_args_is_help=True,
        add_completion=False,
        help="绩效账本 Merit Ledger",
        pretty_exceptions_enable=False,
    )


@cache
def _app_of(topic: Topic) -> typer.Typer:
    """The commands of one topic."""
    app = _app()
    app.add_typer(import_module(f"api.cli.commands.{topic.module}").topic_app)
    return app


def _app_of_topics() -> typer.Typer:
    """Every topic by name, for the help and for what is misspelt. None of them is run."""
    app = _app()
    for name, topic in TOPICS.items():
        app.command(name, help=topic.help)(lambda: None)
    return app


if __name__ == "__main__":
    main()
