"""Whole numbers of the command line: refused with their bounds, however long the word is."""

from __future__ import annotations

import re
from copy import copy
from typing import TYPE_CHECKING, Annotated, Any, get_args, get_origin

import typer
from typer.models import ArgumentInfo, OptionInfo

from domain.entries.field_errors import shown
from domain.errors import Invalid, Reason, Text
from domain.numbers import LAST_NUMBER

if TYPE_CHECKING:
    from collections.abc import Callable

_WORD = re.compile(r"\s*[+-]?[0-9]{1,30}\s*")


def bounded(name: str, kind: Any) -> Any:
    """The annotation of a command's parameter; where it takes a whole number, with its bounds."""
    takes = get_args(kind)[0] if get_origin(kind) is Annotated else kind
    if takes is not int and int not in get_args(takes):
        return kind
    declared = [d for d in get_args(kind)[1:] if isinstance(d, OptionInfo | ArgumentInfo)]
    info = copy(declared[0]) if declared else typer.Argument()
    least = 0 if info.min is None else int(info.min)
    most = LAST_NUMBER if info.max is None else int(info.max)
    option = info.default if isinstance(info.default, str) else name  # as it is written
    info.parser = _parser(option, least, most)
    info.metavar = info.metavar or "<int>"
    info.min = info.max = None
    return Annotated[takes, info]


def _parser(name: str, least: int, most: int) -> Callable[[Any], int]:
    def parse(word: Any) -> int:
        number = int(word) if _WORD.fullmatch(str(word)) else None
        if number is None or not least <= number <= most:
            text = Text(
                f"{shown(word)} 应是 {least} 至 {most} 的整数",
                f"{shown(word)} must be a whole number from {least} to {most}",
            )
            raise Invalid([Reason("bad_value", name, text)])
        return number

    return parse
