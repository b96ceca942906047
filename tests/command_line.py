"""The command line inside the test's process: what it prints, and its exit status."""

from __future__ import annotations

import sys
from contextlib import redirect_stderr, redirect_stdout
from functools import cache
from importlib import import_module
from io import BytesIO, TextIOWrapper
from typing import Any, NamedTuple
from unittest.mock import patch

import click
import orjson
import typer.main

from api.cli.main import TOPICS, main

# Typer reads all commands from their functions whenever one is called, which takes longer than
# most commands do: here it reads them once.
read_commands = cache(typer.main.get_command)


class Run(NamedTuple):
    """What came of a command."""

    status: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """The one document on standard output."""
        return orjson.loads(self.out)


@cache
def every_command() -> click.Command:
    """The commands of all topics together."""
    app = typer.Typer()
    for module in sorted({topic.module for topic in TOPICS.values()}):
        app.add_typer(import_module(f"api.cli.commands.{module}").topic_app)
    return typer.main.get_command(app)


def merit(*words: object, database: str | None = None) -> Run:
    """Runs `merit WORDS…`, with `--database` where one is given."""
    given = [str(word) for word in words] + (["--database", database] if database else [])
    out, err = TextIOWrapper(BytesIO(), "utf-8"), TextIOWrapper(BytesIO(), "utf-8")
    with (
        patch.object(sys, "argv", ["merit", *given]),
        patch.object(typer.main, "get_command", read_commands),
        redirect_stdout(out),
        redirect_stderr(err),
    ):
        try:
            main()
        except SystemExit as left:
            status = left.code if isinstance(left.code, int) else int(left.code is not None)
        else:
            status = 0
    texts = []
    for stream in (out, err):
        stream.flush()
        stream.seek(0)
        texts.append(stream.read())
    return Run(status, *texts)
