"""Every operation, called with what its OpenAPI document allows and forbids: nothing undocumented
comes back.
"""

from __future__ import annotations

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis.checks import CHECKS, load_all_checks

from api.http import dependencies
from tests.api.service import Service
from tests.ten_people import ten_people

load_all_checks()
# What is well formed may still be refused (422) by what the ledger knows: the contract has it so,
# entry by entry.
WANTED = [
    CHECKS.get_one(name) for name in CHECKS.get_all_names() if name != "positive_data_acceptance"
]
EXAMPLES = 4  # an operation


@pytest.mark.filterwarnings("ignore")
def test_nothing_undocumented_comes_back_whatever_is_sent(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dependencies, "WAIT_SECONDS", 0.05)  # for a position that never comes
    service.append(ten_people())
    service.settle()
    key = {"X-API-Key": service.headers["X-API-Key"]}
    failures: list[str] = []
    operations = [
        found.ok()
        for found in schemathesis.openapi.from_asgi(
            "/openapi.json", service.app
        ).get_all_operations()
    ]
    assert len(operations) > 50
    for operation in operations:

        @settings(
            max_examples=EXAMPLES,
            deadline=None,
            derandomize=True,
            database=None,
            phases=[Phase.explicit, Phase.generate],
            suppress_health_check=list(HealthCheck),
        )
        @given(operation.as_strategy())
        def called(case: schemathesis.Case) -> None:
            case.call_and_validate(headers=key, checks=WANTED)

        try:
            called()
        except BaseExceptionGroup as group:
            failures += [
                f"{operation.method.upper()} {operation.path}: {failure}"
                for failure in group.exceptions
            ]
    assert not failures, "\n".join(failures)
