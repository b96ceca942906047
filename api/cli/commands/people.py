"""`merit person …`: interviews about a person's months, and the rulebooks that they agree with."""

from __future__ import annotations

from typing import Annotated

import typer

from api.acts import people as acts
from api.cli.context import Call, command
from api.cli.printing import people as printing
from api.documents.parts.checked import checked
from api.documents.people import Done, Feedback, PersonPage
from domain.errors import Declined, Text
from domain.identifiers import Period, check_id

person_app = typer.Typer(
    no_args_is_help=True, help="客户经理 / a person's interviews and agreements"
)
topic_app = typer.Typer()
topic_app.add_typer(person_app, name="person")


@command(person_app, "show", show=printing.person)
def show(call: Call, manager: str) -> PersonPage:
    """面谈记录、认同的办法 / interviews, and the rulebooks agreed with or still to be."""
    return acts.show_person(*call.start(), check_id(manager))


@command(person_app, "feedback", show=printing.recorded)
def feedback(
    call: Call,
    manager: str,
    period: str,
    held_on: Annotated[str, typer.Option("--held-on", help="面谈日期 / day, YYYY-MM-DD")],
    held_by: Annotated[str, typer.Option("--held-by", help="面谈人 / who held it")],
    agreed: Annotated[str, typer.Option("--agreed", help="达成的一致 / what was agreed")],
    plan: Annotated[
        list[str] | None, typer.Option("--plan", help="改进计划 YYYY-MM-DD=事项 / what, until when")
    ] = None,
) -> Done:
    """记录绩效面谈 / records an interview about a month."""
    service, who = call.start()
    interview = checked(
        Feedback,
        period=str(Period.parse(period)),
        held_on=held_on,
        held_by=held_by,
        agreed=agreed,
        plan=[_plan_item(text) for text in plan or []],
    )
    return acts.record_feedback(service, who, check_id(manager), interview).document


def _plan_item(text: str) -> dict[str, str]:
    until, separator, what = text.partition("=")
    if not separator:
        raise Declined(
            Text(f"--plan {text}：请写 日期=事项", f"--plan {text}: write YYYY-MM-DD=WHAT")
        )
    return {"what": what, "until": until}


@command(person_app, "acknowledge", show=printing.recorded)
def acknowledge(
    call: Call, manager: str, rulebook: Annotated[str, typer.Argument(help="ID@VERSION")]
) -> Done:
    """了解并认同考核标准 / the person agrees with a version of a rulebook."""
    name, _, version = rulebook.partition("@")
    return acts.acknowledge(*call.start(), check_id(manager), name, version or None).document
