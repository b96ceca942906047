"""`merit person …`: interviews about a person's months, and the rulebooks that they agree with."""

from __future__ import annotations

from typing import Annotated

import typer

from api.acts.access import person_page
from api.acts.replays import checked
from api.cli.context import Call, Database, Json, Language, Who, put
from api.cli.printing.cycles import person, person_done
from api.documents.cycles import Feedback
from domain.errors import Declined, Text
from domain.identifiers import Period, check_id

person_app = typer.Typer(
    no_args_is_help=True, help="客户经理 / a person's interviews and agreements"
)


@person_app.command("show")
def show(
    manager: str,
    json: Json = False,
    database: Database = None,
    who: Who = None,
    language: Language = None,
) -> None:
    """面谈记录、认同的办法 / interviews, and the rulebooks agreed with or still to be."""
    call = Call.of(database, who, language)
    service = call.open("read_statements", None)
    call.check("read_statements", service.places.place_of(check_id(manager)))
    found = person_page(service, call.caller, manager)
    put(found) if json else person(found, call.language)


@person_app.command("feedback")
def feedback(
    manager: str,
    period: str,
    held_on: Annotated[str, typer.Option("--held-on", help="面谈日期 / day, YYYY-MM-DD")],
    held_by: Annotated[str, typer.Option("--held-by", help="面谈人 / who held it")],
    agreed: Annotated[str, typer.Option("--agreed", help="达成的一致 / what was agreed")],
    plan: Annotated[
        list[str] | None, typer.Option("--plan", help="改进计划 YYYY-MM-DD=事项 / what, until when")
    ] = None,
    json: Json = False,
    database: Database = None,
    who: Who = None,
    language: Language = None,
) -> None:
    """记录绩效面谈 / records an interview about a month."""
    call = Call.of(database, who, language)
    service = call.open("record_feedback", None)
    call.check("record_feedback", service.places.place_of(check_id(manager), Period.parse(period)))
    given = checked(
        Feedback,
        period=str(Period.parse(period)),
        held_on=held_on,
        held_by=held_by,
        agreed=agreed,
        plan=[_item(p) for p in plan or []],
    )
    position = service.people.record_feedback(manager, given.model_dump(), by=call.by)
    put({"position": position}) if json else person_done(position, call.language)


def _item(text: str) -> dict[str, str]:
    until, separator, what = text.partition("=")
    if not separator:
        raise Declined(
            Text(f"--plan {text}：请写 日期=事项", f"--plan {text}: write YYYY-MM-DD=WHAT")
        )
    return {"what": what, "until": until}


@person_app.command("acknowledge")
def acknowledge(
    manager: str,
    rulebook: Annotated[str, typer.Argument(help="ID@VERSION")],
    json: Json = False,
    database: Database = None,
    who: Who = None,
    language: Language = None,
) -> None:
    """了解并认同考核标准 / the person agrees with a version of a rulebook."""
    call = Call.of(database, who, language)
    service = call.open("acknowledge", None)
    call.check("acknowledge", service.places.place_of(check_id(manager)))
    name, _, version = rulebook.partition("@")
    version = version or service.rulebooks.named(name, None).rulebook.version
    position = service.people.acknowledge(manager, name, version, by=call.by)
    put({"position": position}) if json else person_done(position, call.language)
