"""`merit serve`: the service at an address, or one line that says why it cannot listen there."""

from __future__ import annotations

import errno
import logging
import socket
from typing import TYPE_CHECKING

from domain.errors import Declined, Text

if TYPE_CHECKING:
    from api.settings import Settings

LAST_PORT = 65_535


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
    try:
        return socket.create_server((host, port), family=family, backlog=2048)
    except OSError as error:
        raise Declined(_why(host, port, error)) from None


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
    """Serves until it is stopped."""
    import uvicorn

    from api.http.app import create_app

    server = uvicorn.Server(uvicorn.Config(create_app(settings)))
    host, port = door.getsockname()[:2]
    address = f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
    logging.getLogger("uvicorn.error").info("Uvicorn running on %s (Press CTRL+C to quit)", address)
    server.run(sockets=[door])
