"""`merit rebuild`, `merit serve`, `merit demo`: operation on the command line."""

from __future__ import annotations

from typing import Annotated

import typer

from api.acts import operation as acts
from api.cli.context import DONE, PARTLY, Call, Database, Language, Who, command
from api.cli.printing import operation as printing
from api.documents.operation import Rebuilt

topic_app = typer.Typer()


def _status(rebuilt: Rebuilt) -> int:
    return DONE if all(model.same for model in rebuilt.values()) else PARTLY


@command(topic_app, "rebuild", show=printing.rebuilt, status=_status)
def rebuild(call: Call) -> Rebuilt:
    """重建：丢弃全部读模型，从账本重新推出 / drops every projection and derives it again."""
    return acts.rebuild(*call.start())


@topic_app.command()
def serve(
    host: Annotated[str | None, typer.Option("--host")] = None,
    port: Annotated[int | None, typer.Option("--port")] = None,
    database: Database = None,
    who: Who = None,
    language: Language = None,
) -> None:
    """服务：HTTP 接口 / the HTTP service."""
    from api.http.serve import listening, serve

    call = Call.of(database, who, language)
    # Opened here first: a database that does not answer is a line, not a trace of the server.
    service, caller = call.start(begin=True)
    acts.check_maintenance(caller)
    service.close()
    settings = call.settings
    with listening(host or settings.host, settings.port if port is None else port) as door:
        serve(settings, door)


@topic_app.command()
def demo(database: Database = None, who: Who = None, language: Language = None) -> None:
    """演示：造一个分公司三个月的数据，结算并解释 / a made-up branch, settled and explained."""
    from api.cli.demo.story import run

    call = Call.of(database, who, language)
    service, caller = call.start(begin=True)
    acts.check_maintenance(caller)
    run(service, call.by, call.language, call.settings.database)
