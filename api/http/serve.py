"""`merit serve`: the service at an address, or one line that says why it cannot listen there."""

from __future__ import annotations

import errno
import logging
import os
import signal
import socket
import sys
from typing import TYPE_CHECKING

from domain.errors import Declined, Text

if TYPE_CHECKING:
    from api.settings import Settings

LAST_PORT = 65_535
BACKLOG = 2048
STOP_SECONDS = 10  # for requests that have begun, once the service is told to stop


def listening(host: str, port: int) -> socket.socket:
    """A door at the address. Raises Declined where there can be none."""
    if not 1 <= port <= LAST_PORT:
        raise Declined(
            Text(
                f"端口 {port} 不存在，应在 1–{LAST_PORT} 之间，例如 --port 8000",
                f"there is no port {port}: give one of 1 to {LAST_PORT}, for example --port 8000",
            )
        )
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # Said to be of TCP, so that asyncio sets TCP_NODELAY on what it accepts here: else the second
    # answer on a connection waits for the acknowledgement of the first.
    door = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        if os.name == "posix":
            door.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:
            door.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        door.bind((host, port))
        door.listen(BACKLOG)
    except OSError as error:
        door.close()
        raise Declined(_why(host, port, error)) from None
    return door


def _why(host: str, port: int, error: OSError) -> Text:
    if error.errno == errno.EADDRINUSE:
        return Text(
            f"{host} 的端口 {port} 已被别的程序占用；请先停掉它，或另选端口：merit serve --port "
            f"{_other(port)}",
            f"port {port} of {host} is in use: stop what uses it, or take another: merit serve "
            f"--port {_other(port)}",
        )
    if error.errno == errno.EACCES:
        return Text(
            f"无权使用端口 {port}；请选 1024 以上的端口，例如 --port 8000",
            f"port {port} is not allowed: take one above 1023, for example --port 8000",
        )
    return Text(
        f"不能在 {host} 上监听（{error.strerror}）；请检查 --host 或 MERIT_HOST",
        f"cannot listen on {host} ({error.strerror}): check --host or MERIT_HOST",
    )


def _other(port: int) -> int:
    return port + 1 if port < LAST_PORT else port - 1


def serve(settings: Settings, door: socket.socket) -> None:
    """Serves until it is stopped, which by SIGTERM or Ctrl+C is no failure: exit status 0."""
    import uvicorn

    from api.http.app import create_app

    config = uvicorn.Config(create_app(settings), timeout_graceful_shutdown=STOP_SECONDS)
    server = uvicorn.Server(config)
    for stop in (signal.SIGTERM, signal.SIGINT):
        # Uvicorn raises the signal again for whoever had it before.
        signal.signal(stop, lambda *_: sys.exit(0))
    host, port = door.getsockname()[:2]
    address = f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
    logging.getLogger("uvicorn.error").info("Uvicorn running on %s (Press CTRL+C to quit)", address)
    server.run(sockets=[door])
