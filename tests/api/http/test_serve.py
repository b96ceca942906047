"""`merit serve`: where it cannot listen it says so in one line, and what to do."""

from __future__ import annotations

import re
import socket
from pathlib import Path

import pytest

from api.http.serve import listening
from domain.errors import Declined
from tests.command_line import merit


@pytest.mark.parametrize("language", ["zh", "en"])
@pytest.mark.parametrize("port", [0, -1, 65_536, 99_999])
def test_a_port_that_does_not_exist_is_one_line(tmp_path: Path, language: str, port: int) -> None:
    run = merit("serve", "--port", port, "--lang", language, database=f"sqlite:///{tmp_path}/a.db")
    assert (run.status, run.out, run.err.count("\n")) == (2, "", 1)
    assert f" {port}" in run.err
    assert bool(re.search("[一-鿿]", run.err)) == (language == "zh")


@pytest.mark.parametrize("language", ["zh", "en"])
def test_a_port_in_use_is_one_line_that_says_what_to_do(tmp_path: Path, language: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        run = merit(
            "serve", "--port", port, "--lang", language, database=f"sqlite:///{tmp_path}/a.db"
        )
    assert (run.status, run.out, run.err.count("\n")) == (2, "", 1)
    assert re.search(r"merit serve --port \d+", run.err)
    assert {"zh": "占用", "en": "in use"}[language] in run.err


def test_a_host_that_is_not_here_is_declined() -> None:
    with pytest.raises(Declined, match="--host"):
        listening("192.0.2.1", 8000)


def test_a_free_port_is_open_from_then_on() -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    with listening("127.0.0.1", port), socket.create_connection(("127.0.0.1", port), timeout=5):
        pass
