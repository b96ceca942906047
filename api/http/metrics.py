"""运行指标: what the service counts, in Prometheus' text format."""

from __future__ import annotations

from time import perf_counter
from typing import TYPE_CHECKING

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

    from projections.records.accounts.accounts import Caller

# Anybody can send any word as a method, or any address: the labels stay few.
METHODS, OTHER = {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"}, "other"


class Metrics:
    """The counters of one service."""

    def __init__(self) -> None:
        registry = CollectorRegistry()
        self._registry = registry
        self.requests = Counter(
            "merit_http_requests",
            "Requests answered.",
            ("method", "route", "status"),
            registry=registry,
        )
        self.seconds = Histogram(
            "merit_http_request_seconds", "Time until the answer.", ("route",), registry=registry
        )
        self.entries = Counter(
            "merit_entries", "Entries that came, by outcome.", ("outcome",), registry=registry
        )
        self.settlements = Counter("merit_settlements", "Settlements recorded.", registry=registry)
        self.replays = Counter("merit_replays", "Replays run.", registry=registry)
        self.position = Gauge(
            "merit_ledger_position", "The ledger's last position.", registry=registry
        )

        self.readers: dict[str, Caller] = {}  # by the hash of their key

    def text(self) -> bytes:
        """Everything, as it is scraped."""
        return generate_latest(self._registry)


class RequestCounter:
    """Middleware that counts each request under its route, not its address, which names people."""

    def __init__(self, app: ASGIApp, metrics: Metrics) -> None:
        self.app, self.metrics = app, metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Passes the request on, and counts it once it is answered."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        status, began = 500, perf_counter()  # 500 where nothing is sent

        async def send_and_note_status(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self.app(scope, receive, send_and_note_status)
        finally:
            route = getattr(scope.get("route"), "path", OTHER)
            method = scope["method"] if scope["method"] in METHODS else OTHER
            self.metrics.requests.labels(method, route, str(status)).inc()
            self.metrics.seconds.labels(route).observe(perf_counter() - began)
