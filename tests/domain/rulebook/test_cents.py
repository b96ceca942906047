"""Whether pay comes to whole cents is decided from what computes it."""

from __future__ import annotations

import pytest

from domain.rulebook.figures.cents import DecimalPlaces
from domain.rulebook.gate import find_weaknesses
from tests.rules import Parts, program

INPUTS: dict[str, Parts] = {
    "adjusted": {"unit": "yuan", "read": "adjustment", "take": "yuan"},
    "amount": {"unit": "yuan", "read": "sale", "take": "amount", "item": "card"},
    "wage": {"unit": "yuan", "read": "measure"},
    "finer": {"unit": "yuan", "read": "measure", "default": "0.125"},
    "sold": {"unit": "piece", "read": "sale"},
    "score": {"unit": "score", "read": "rating"},
    "often": {"unit": "ratio", "read": "rating", "take": "count", "item": "score"},
    "before": {"unit": "yuan", "read": "statement", "rulebook": "r", "step": "pay"},
    "hired": {"unit": "date", "read": "attribute"},
    "wages": {
        "unit": "yuan",
        "read": "measure",
        "items": {"meals": {"zh": "餐", "en": "Meals"}, "heat": {"zh": "暖", "en": "Heat"}},
    },
}
PARAMETERS = {"price yuan/piece": "2", "rate ratio": "0.05", "base yuan": "1000.50"}
TABLES: dict[str, Parts] = {
    "bonus": {"unit": "yuan", "match": "from", "rows": {"0": "0.00", "60": "99.95"}},
    "fine": {"unit": "yuan", "match": "from", "rows": {"0": "0", "60": "0.125"}},
    "weight": {"unit": "ratio", "rows": {"meals": "0.5", "heat": "1"}},
}
CENTS = {
    "adjusted + wage + amount": 2,
    "wage - base": 2,
    "3 * wage": 2,
    "wage * 1.0": 2,
    "rate * wage": 4,
    "price * sold": 6,
    "round(price * sold, 2)": 2,
    "round(price * sold, 4)": 4,
    "round(base, 6)": 1,
    "floor(rate * wage)": 0,
    "round(wage / 3, 2)": 2,
    "round(wage / 3, 6)": 6,
    "max(round(price * sold, 2), wage)": 2,
    "max(price * sold, wage)": 6,
    "min(wage, base, 0.005)": 3,
    "wage if score > 60 else price * sold": 6,
    "wage if price * sold > wage else base": 2,
    "refuse('out_of_bounds') if score > 60 else wage": 2,
    "lookup(bonus, score)": 2,
    "lookup(fine, score)": 3,
    "sum(wages)": 2,
    "sum(wages) + wages.meals": 2,
    "sumproduct(wages, weight)": 3,
    "sum(bonus)": 2,
    "sum(wage, branch)": 2,
    "sum(price * sold, team)": 6,
    "mean(wages)": 6,
    "share(wage, score, branch)": 2,
    "otherwise(before, 0)": 40,
    "round(otherwise(before, wage), 2)": 2,
    "finer": 3,
    "base * often": 1,
    "base * tenure(hired)": 1,
    "base * count(branch)": 1,
    "base * rank(score, branch)": 1,
    "base * (score > 60)": 1,
    "base * grade": 1,
}


@pytest.mark.parametrize(("expression", "places"), CENTS.items())
def test_the_most_decimal_places_of_an_expression(expression: str, places: int) -> None:
    rules = program(
        {"compared ratio": f"1 if ({expression}) > 0 else 0"},
        inputs=INPUTS, parameters=PARAMETERS, tables=TABLES,
    )  # fmt: skip
    comparison = rules.steps[0].node.condition.left  # type: ignore[union-attr]
    assert DecimalPlaces(rules.rulebook).places(comparison) == places


@pytest.mark.parametrize(
    ("steps", "named"),
    [
        ({"total yuan": "price * sold", "pay yuan": "total"}, ["pay may have 6 decimal places"]),
        ({"total yuan": "price * sold", "pay yuan": "round(total, 2)"}, []),
        ({"part.a yuan": "wage", "part.b yuan": "rate * wage", "pay yuan": "sum(part)"}, ["4"]),
        ({"part.a yuan": "wage", "part.b yuan": "base", "pay yuan": "sum(part) + adjusted"}, []),
        ({"bonus yuan": "price * sold"}, []),  # it is not paid by this
    ],
)
def test_only_pay_must_be_whole_cents(steps: dict[str, str], named: list[str]) -> None:
    inputs = {name: INPUTS[name] for name in ("wage", "sold", "adjusted")}
    rules = program(steps, inputs=inputs, parameters=PARAMETERS)
    said = [p.text.en for p in find_weaknesses(rules) if "decimal places" in p.text.en]
    assert len(said) == len(named)
    for words, part in zip(said, named, strict=True):
        assert part in words
        assert "round(…, 2)" in words
