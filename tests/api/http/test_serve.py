"""`merit serve`: where it cannot listen it says so in one line, and what to do."""

from __future__ import annotations

import asyncio
import re
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from api.http.serve import listening
from domain.errors import Declined
from tests.command_line import merit
from tests.conftest import Files


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


def test_an_answer_does_not_wait_for_the_acknowledgement_of_the_one_before() -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]

    async def option() -> int:
        accepted = asyncio.get_running_loop().create_future()

        def on_connection(_: object, writer: asyncio.StreamWriter) -> None:
            opened = writer.get_extra_info("socket")
            accepted.set_result(opened.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY))
            writer.close()

        async with await asyncio.start_server(on_connection, sock=listening("127.0.0.1", port)):
            _, writer = await asyncio.open_connection("127.0.0.1", port)
            found: int = await accepted
            writer.close()
            return found

    assert asyncio.run(option()) != 0


def test_told_to_stop_it_ends_with_0_though_a_body_is_half_sent(
    sqlite_ledgers: Files,
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    url = sqlite_ledgers.begun_ledger()
    key = merit("key", "create", "hr", "--role", "hr", "--json", database=url).json["key"]
    code = (
        "import sys; from api.http import serve; serve.STOP_SECONDS = 1; "
        "from api.cli.main import main; main()"
    )
    server = subprocess.Popen(
        [sys.executable, "-c", code, "serve", "--port", str(port), "--database", url],
        stderr=subprocess.PIPE,
    )
    try:
        assert server.stderr is not None
        while b"running on" not in (line := server.stderr.readline()):
            assert line
        with socket.create_connection(("127.0.0.1", port)) as caller:
            head = f"POST /v1/entries HTTP/1.1\r\nHost: x\r\nX-API-Key: {key}\r\n"
            body = "Content-Type: application/json\r\nContent-Length: 100\r\n\r\n{"
            caller.sendall((head + body).encode())
            with socket.create_connection(("127.0.0.1", port)) as other:
                other.sendall(b"GET /health/live HTTP/1.1\r\nHost: x\r\n\r\n")
                assert other.recv(100).startswith(b"HTTP/1.1 200")
            server.send_signal(signal.SIGTERM)
            assert server.wait(60) == 0
        rest = server.stderr.read()
        assert b"Traceback" not in rest, rest
    finally:
        server.kill()
        server.communicate()
