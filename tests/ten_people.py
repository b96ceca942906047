"""The worked case of the V3.0 month: ten people of one branch, one of them barred from the upper
tiers by 370 points.

Everyone is of grade 6 (base 1025) and sells nothing but M03. Seats for ten: 1, 2, 6, 1 (1200, 1000,
800, 600 points).
"""

from __future__ import annotations

from typing import Any

from tests.worksheet import Ledger as Sheet

HER, DISPLACED = "M03", "M04"
APPEALED = "billing:250"
MINIMUM_WAGE = "1500"

# As settled. M03 is third by rating, but 120 + 250 = 370 > 300 bars her: M04 has her seat in tier
# 2. Her: 1025 - 370 + 800 + 3 x 20 + 40 x 2 + 1 x 40.
PAY = {"M01": "2225", "M02": "2025", "M03": "1635", "M04": "2025"} | {
    f"M{n:02d}": "1825" for n in range(5, 10)
}
PAY |= {"M10": "1625"}


def ten_people() -> Sheet:
    """The entries of October."""
    sheet = Sheet()
    sheet.branch("minimum_wage", MINIMUM_WAGE)
    for number in range(1, 11):
        sheet.hire(f"M{number:02d}")
        sheet.rate_gs(f"M{number:02d}", str(100 - 5 * number))
    for points in ("120", "250"):
        named = {"source": "billing", "source_id": points}
        sheet.put(
            "deduction", HER, "arrears_recovery", points=points, occurred_on="2026-10-12", **named
        )
    for item, quantity in (("group_count", "3"), ("group_members", "40"), ("mas_groups", "1")):
        sheet.put("sale", HER, item, quantity=quantity)
    return sheet


def reversal(key: str, number: str, source: str = "appeal") -> dict[str, Any]:
    """A reversal of the entry with this key."""
    named, _, source_id = key.partition(":")
    reverses = {"source": named, "source_id": source_id}
    return {
        "kind": "reversal",
        "source": source,
        "source_id": number,
        "reverses": reverses,
        "reason": "申诉成立",
    }
