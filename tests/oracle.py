"""The independent oracle: every pay scheme, evaluated person by person in fractions, straight from
the rules' words.

It shares no code with the product and imports nothing but the standard library, because it exists
to catch the product's mistakes. It is written to be read beside the rules, one function a scheme,
in their order, not to be fast.

    Facts (what counts, for whom)  →  one scheme's function writes into a Book  →  Result

Codes of a refusal (nothing is evaluated; every finding at once):

- `missing_measure`, `missing_attribute`   a required measure or attribute is not there
- `out_of_bounds`      a mark, coefficient, reward or challenge outside what the scheme states
- `unknown_key`        a grade, level, post, education or staff group that the scheme's table does
not have
- `bad_attribute`      an attribute that is not what the scheme says it is (`entered_post`: a date)
- `division_by_zero`   a quotient that does not exist
- `not_positive`       a target that must be above 0, because the scheme divides by it
- `partial_ranking`    a final order (`final_rank`) that has only some of the people: one finding
for each one missing
- `missing_amount`     a sale paid by its amount has none
- `fractional_cents`   a pool that is not whole cents
- `points_not_read`    a points adjustment where only yuan are read

Codes of a warning (they stand on a statement):

- `missing_rating`     a rating that is not there counted 0
- `missing_measure`    an actual that is not there counted 0 (`service-kpi`)
- `uncounted_rating`   a rating whose rater level has no weight was left out
- `tie`                equal keys ended in different tiers or flags; the manager id decided
- `undistributed`      nobody had a weight, so the pool stayed where it is
- `no_peers`           a senior's team has nobody whose mean could be taken (`quantified-pay`)
- `no_statements`      no settled month to average (`elastic-pay-year`)

A finding about a branch's or a team's fact has no manager. A warning or finding is given once for
its step, however many ratings are behind it; the step is the first published one that reads what is
missing or wrong.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

from tests.oracle_schemes import (
    section_01,
    section_02,
    sections_03_to_05,
    sections_06_to_09,
    sections_10_to_13,
)
from tests.oracle_schemes.arithmetic import plain
from tests.oracle_schemes.book import Book
from tests.oracle_schemes.facts import Facts

NOTHING: Mapping[str, Any] = MappingProxyType({})

SCHEMES: dict[str, Callable[[Book], None]] = {
    "piece-rate": section_02.piece_rate,
    "support-binding": section_02.support_binding,
    "quantified-pay": sections_03_to_05.quantified_pay,
    "call-centre": sections_03_to_05.call_centre,
    "graded-management": sections_03_to_05.graded_management,
    "graded-wage": sections_03_to_05.graded_wage,
    "plan-appraisal": sections_06_to_09.plan_appraisal,
    "plan-appraisal-year": sections_06_to_09.plan_appraisal_year,
    "pay-structure": sections_06_to_09.pay_structure,
    "third-tier-review": sections_06_to_09.third_tier_review,
    "service-kpi": sections_06_to_09.service_kpi,
    "four-virtues": sections_10_to_13.four_virtues,
    "commission": sections_10_to_13.commission,
    "quarterly-bonus": sections_10_to_13.quarterly_bonus,
    "quarterly-bonus-year": sections_10_to_13.quarterly_bonus_year,
    "indicator-tree": sections_10_to_13.indicator_tree,
    "balanced-scorecard": sections_10_to_13.balanced_scorecard,
}
RULEBOOKS = ("elastic-pay", "elastic-pay-year", *SCHEMES)


@dataclass
class Result:
    """What one branch's period comes to. Where it is refused, there are refusals and nothing
    else.
    """

    statements: dict[str, dict[str, str]] = field(
        default_factory=dict
    )  # manager → step → plain decimal, or text
    warnings: dict[str, list[tuple[str, str]]] = field(
        default_factory=dict
    )  # manager → (code, step)
    refusals: list[tuple[str, str | None, str | None]] = field(
        default_factory=list
    )  # (code, manager, step)


def evaluate(
    rulebook: str,
    entries: Sequence[Mapping[str, Any]],
    period: str,
    branch: str,
    *,
    settled: Mapping[str, Mapping[str, str]] = NOTHING,
    overrides: Mapping[str, Any] = NOTHING,
) -> Result:
    """Evaluate one branch's period under a rulebook, from all entries of the ledger in ledger
    order.

    `settled` is read by `elastic-pay-year` alone: month → manager → the settled total points.
    `overrides` changes parameters of `elastic-pay` by the names of `section_01.Parameters`; tables
    are merged key by key.
    """
    if overrides and rulebook != "elastic-pay":
        raise ValueError(f"{rulebook}: only elastic-pay has parameters that a test can change")
    book = Book(Facts(entries, period, branch))
    if rulebook == "elastic-pay":
        section_01.elastic_pay(book, section_01.Parameters().changed(overrides))
    elif rulebook == "elastic-pay-year":
        section_01.elastic_pay_year(book, settled)
    else:
        SCHEMES[rulebook](book)
    if book.refusals:
        return Result(refusals=list(book.refusals))
    return Result(
        statements={
            manager: {
                step: value if isinstance(value, str) else plain(value)
                for step, value in steps.items()
            }
            for manager, steps in sorted(book.statements.items())
        },
        warnings={manager: list(found) for manager, found in sorted(book.warnings.items())},
    )
