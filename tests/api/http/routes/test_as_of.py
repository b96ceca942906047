"""Whatever was read of a month, an appeal or a grant at some moment is read again as of that
moment.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from domain.rights import Role, Seat
from tests.api.service import Service
from tests.closing import works
from tests.ten_people import APPEALED, HER, ten_people

CYCLE = "/v1/cycles/2026-10/B01"
READS = (
    CYCLE,
    f"{CYCLE}/publication",
    f"{CYCLE}/memo",
    f"{CYCLE}/late",
    f"/v1/statements/2026-10/{HER}/history",
    "/v1/branches/B01/rulebooks?month=2026-12",
    "/v1/appeals/A2026-10-1",
    "/v1/grants/report",
)
LOADS = ("deductions_loaded", "industry_loaded", "kpi_loaded", "deep_loaded")
OVER = {"what": "减免", "customer": "C1", "why": "投诉", "day": "2026-11-20"}


def writes(service: Service) -> Iterator[Callable[[], Any]]:
    """What happens, one write after the other: each must be done."""
    accounts = service.app.state.service.accounts
    named = (
        ("payroll", Role.HR),
        ("decider", Role.HR),
        ("lead", Role.TEAM_LEADER),
        ("boss", Role.BRANCH_LEADER),
    )
    keys = {}
    for name, role in named:
        seat = Seat(
            role,
            *(
                ("B01", "T1")
                if role is Role.TEAM_LEADER
                else ("B01",)
                if role is Role.BRANCH_LEADER
                else ()
            ),
        )
        keys[name] = {"X-API-Key": accounts.keys.create(name, by="root", seats=[seat])[0]}

    def post(url: str, who: str | None = None, **body: Any) -> Callable[[], Any]:
        return lambda: service.post(url, json=body, headers=keys.get(who or ""))

    lacking = works("M01", "2026-10", "B01") | {"attributes": {"industry": "education"}}
    yield lambda: service.post("/v1/entries", json=[*ten_people(), lacking])
    yield post(f"{CYCLE}/steps/gs_rated", "boss")
    yield from (post(f"{CYCLE}/steps/{step}") for step in (*LOADS, "position_calculated"))
    yield post(f"{CYCLE}/steps/position_reviewed", "lead")
    yield post(f"{CYCLE}/steps/total_calculated")
    yield post("/v1/checks/2026-10/B01/acknowledgements", "payroll", code="missing", note="n")
    yield post(f"{CYCLE}/steps/total_reviewed", "boss")
    yield post(f"{CYCLE}/steps/submitted")
    yield post(f"{CYCLE}/sample", size=3)
    yield post(f"{CYCLE}/findings", text="缺凭证", manager=HER)
    yield from (post(f"{CYCLE}/steps/{step}") for step in ("audited", "reported"))
    yield post(f"{CYCLE}/findings/1/resolve", text="已补")
    yield post(f"{CYCLE}/close", "payroll")
    yield post("/v1/appeals", manager=HER, period="2026-10", reason="有误", lines=["deduction"])
    yield post("/v1/appeals/A2026-10-1/accept")
    source, _, number = APPEALED.partition(":")
    undone = {"kind": "reversal", "reverses": {"source": source, "source_id": number}}
    yield post("/v1/appeals/A2026-10-1/evidence", note="重复", entries=[undone])
    yield post(
        "/v1/appeals/A2026-10-1/decide", "decider", decision="upheld", reason="属实", proposal=1
    )
    yield lambda: service.put(
        "/v1/branches/B01/rulebooks",
        json={"from": "2026-12", "rulebooks": ["elastic-pay", "quarterly-bonus"]},
        headers={"If-Match": "*"},
    )
    grant = {"id": "g1", "kind": "policy_use", "branch": "B01", "account": "boss", "limit_count": 1}
    yield post("/v1/grants", **grant, **{"from": "2026-11-01", "until": "2026-11-30"})
    yield from (post("/v1/grants/g1/uses", "boss", **OVER) for _ in range(2))


def test_what_was_read_then_is_read_again_as_of_then(service: Service) -> None:
    seen: dict[tuple[int, str], tuple[int, Any]] = {}
    for write in writes(service):
        done = write()
        assert done.status_code in {200, 201}, done.text
        position = service.position
        for url in READS:
            read = service.get(url)
            seen[position, url] = read.status_code, read.json() if read.status_code == 200 else None
    last_use = service.position
    corrected = service.get("/v1/grants/uses?over_limit=true").json()["uses"][0]["id"]
    assert (
        service.post(f"/v1/grants/uses/{corrected}/correct", json={"text": "已收回"}).status_code
        == 200
    )
    assert service.get("/v1/grants/report").json()["totals"][0]["open"] == 0
    assert service.get(f"/v1/grants/report?as_of={last_use}").json()["totals"][0]["open"] == 1
    read_at_all = {url for (_, url), (status, _) in seen.items() if status == 200}
    assert read_at_all == {*READS}
    for (position, url), (status, content) in seen.items():
        again = service.get(
            url,
            params={"as_of": position}
            | dict(p.split("=") for p in url.partition("?")[2].split("&") if p),
        )
        assert (again.status_code, position, url) == (status, position, url), again.text
        if content is not None:
            assert again.json() == content, (position, url)
