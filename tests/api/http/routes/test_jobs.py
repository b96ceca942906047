"""Jobs over HTTP: asked for, followed, read, cancelled, by whoever may replay what they are
about.
"""

from __future__ import annotations

from time import monotonic, sleep
from typing import Any

from domain.rights import Role, Seat
from tests.api.service import Service

ASKED = {"periods": ["2026-10"], "branches": ["B01"], "against": "settled"}
PATIENCE_SECONDS = 60


def ended(service: Service, url: str) -> dict[str, Any]:
    until = monotonic() + PATIENCE_SECONDS
    while (body := service.get(url).json())["state"] == "waiting" and monotonic() < until:
        sleep(0.02)
    found: dict[str, Any] = body
    return found


def test_a_job_is_followed_to_its_replay(settled: Service):
    asked = settled.post("/v1/jobs/replays", json=ASKED)
    assert asked.status_code == 202
    body = ended(settled, asked.headers["Location"])
    assert (body["state"], body["by"], body["why"]) == ("done", "hr", None)
    run = settled.get(f"/v1/replays/{body['replay']}").json()
    assert run["by"] == "hr"
    assert (
        settled.get(f"/v1/replays/{body['replay']}/differences").json()["comparison"]["differences"]
        == []
    )
    assert settled.delete(asked.headers["Location"]).status_code == 409


def test_nobody_asks_for_reads_or_cancels_a_job_about_other_branches(settled: Service):
    seat = Seat(Role.BRANCH_LEADER, "B02")
    key, _ = settled.app.state.service.accounts.keys.create("leader", by="root", seats=[seat])
    other = {"X-API-Key": key}
    assert settled.post("/v1/jobs/replays", json=ASKED, headers=other).status_code == 403
    url = settled.post("/v1/jobs/replays", json=ASKED).headers["Location"]
    ended(settled, url)
    assert settled.get(url, headers=other).status_code == 403
    assert settled.delete(url, headers=other).status_code == 403
    assert settled.get("/v1/jobs/0000000000000000").status_code == 404
