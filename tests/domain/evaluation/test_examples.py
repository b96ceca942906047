"""A rulebook's own cases are run as they are written, and say where they do not hold."""

from __future__ import annotations

from typing import Any

import pytest

from domain.evaluation.examples import run_examples
from domain.evaluation.programs import program_of, shipped_texts
from domain.rulebook.checks import check
from tests.facts import shipped_text
from tests.rules import given, text_of

INPUTS = {
    "a": given("measure"),
    "limit_of_a": given("measure", default="5"),
    "g": given(
        "rating",
        "score",
        low="0",
        high="100",
        items={"x": {"zh": "x", "en": "x"}, "y": {"zh": "y", "en": "y"}},
    ),
    "d": given("attribute", "date", missing="absent"),
    "open": given("measure", missing="absent"),
}
STEPS = {
    "x ratio": "min(a, cap)",
    "m score": "mean(g)",
    "?o ratio": "open",
    "r people": "rank(a, branch)",
    "f flag": "r <= 1",
    "t text": "team",
    "?k month": "tenure(d)",
}


def mistakes(*examples: dict[str, Any]) -> list[str]:
    """What running these examples says, in English, without its place."""
    named = [{"name": "case", "given": {"g": "50"}, **example} for example in examples]
    program = check(
        text_of(
            STEPS,
            inputs=INPUTS,
            parameters={"cap ratio": "10"},
            examples=named,
            roles=["seller", "aide"],
        )
    )
    return [problem.text.en.removeprefix("example case: ") for problem in run_examples(program)]


# What holds


@pytest.mark.parametrize(
    "text", shipped_texts(), ids=lambda text: text.split("\nid: ")[1].split("\n")[0]
)
def test_the_examples_of_a_shipped_rulebook_hold(text: str) -> None:
    program = program_of(text)
    assert program.rulebook.examples
    assert run_examples(program) == []


def test_what_comes_out_as_written_is_no_mistake() -> None:
    people = {"A": {"a": "3"}, "B": {"a": "11.5", "team": "U", "d": "2026-01-01"}}
    expect = {
        "A": {"x": "3", "o": "none", "r": "2", "f": "0"},
        "B": {"x": "10.00", "t": "U", "k": "11", "f": "1"},
    }
    assert mistakes({"people": people, "expect": expect}) == []


def test_a_figure_may_be_the_name_of_a_parameter() -> None:
    assert mistakes({"people": {"A": {"a": "cap"}}, "expect": {"A": {"x": "cap"}}}) == []
    (mistake,) = mistakes({"people": {"A": {"a": "9"}}, "expect": {"A": {"x": "cap"}}})
    assert mistake == "x of A should be 10, comes out as 9"


def test_a_persons_own_value_and_an_items_own_value_come_first() -> None:
    people = {"A": {}, "B": {"g": "60"}, "C": {"g": {"y": "70"}}, "D": {"g": {"x": "none"}}}
    expect = {"A": {"m": "50"}, "B": {"m": "60"}, "C": {"m": "60"}, "D": {"m": "25"}}
    assert mistakes({"people": people, "expect": expect, "warned": {"D": "missing_rating"}}) == []


def test_people_may_have_other_branches_roles_and_grades() -> None:
    people = {
        "A": {"a": "3"},
        "B": {"a": "5", "branch": "C", "role": "aide"},
        "C": {"role": "driver"},
    }
    expect = {"A": {"r": "1"}, "B": {"r": "1"}, "C": {"r": "outside"}}
    assert mistakes({"people": people, "expect": expect}) == []


def test_refusals_are_met_exactly() -> None:
    people = {"A": {"g": {"x": "101"}}, "B": {"branch": "C"}}
    holds = {
        "people": people,
        "refused": {"A": "out_of_bounds"},
        "expect": {"A": {"x": "refused"}, "B": {"x": "0"}},
    }
    assert mistakes(holds) == []
    wrong = {"people": people, "refused": {"A": "out_of_bounds", "B": "out_of_bounds"}}
    assert mistakes(wrong) == ["the findings should be as written, they are A out_of_bounds"]
    assert mistakes({"people": people, "expect": {"B": {"x": "0"}}}) == [
        "the findings should be as written, they are A out_of_bounds"
    ]
    assert mistakes({"people": {"A": {}}, "refused": {"A": "missing_measure"}}) == [
        "the findings should be as written, they are none"
    ]


def test_a_sale_that_is_paid_by_its_amount_may_be_written_without_one() -> None:
    text = text_of(
        {"s yuan": "sold"},
        inputs={"sold": given("sale", "yuan", take="amount")},
        examples=[
            {
                "name": "case",
                "people": {
                    "A": {"sold": "none"},
                    "B": {"branch": "C", "sold": "5"},
                    "C": {"branch": "C"},
                },
                "expect": {"B": {"s": "5"}, "C": {"s": "0"}},
                "refused": {"A": "missing_amount"},
            }
        ],
    )
    assert run_examples(check(text)) == []


SEVERAL = {
    "d": given("deduction", "point", high="5"),
    "s": given("sale", "piece"),
    "paid": given("sale", "yuan", take="amount"),
    "p": given("adjustment", "point", take="points"),
    "r": given("rating", "score", high="100"),
    "added": given("rating", "score", take="sum"),
    "months": given("measure", take="sum"),
    "g": given("rating", "score", items={"x": {"zh": "x", "en": "x"}, "y": {"zh": "y", "en": "y"}}),
    "once": given("measure"),
    "last": given("rating", take="latest", default="0"),
    "times": given("deduction", take="count"),
    "word": given("attribute", "text", default="none"),
    "earlier": given("statement", rulebook="r", step="s", missing="absent"),
}


def several(
    person: dict[str, Any], expect: dict[str, str], refused: str | None = None, step: str = "1"
) -> list[str]:
    """What an example says in which a person has these entries."""
    units = {name: given["unit"] for name, given in SEVERAL.items() if name not in {"g", "word"}}
    steps = {f"?of_{name} {unit}": name for name, unit in units.items()} | {
        "of_g score": "mean(g)",
        "one ratio": step,
    }
    example = {"name": "case", "people": {"A": person}} | (
        {"refused": {"A": refused}}
        if refused
        else {"expect": {"A": {f"of_{name}": e for name, e in expect.items()}}}
    )
    program = check(
        text_of(steps, inputs=SEVERAL, parameters={"cap score": "70"}, examples=[example])
    )
    return [problem.text.en.removeprefix("example case: ") for problem in run_examples(program)]


@pytest.mark.parametrize(
    ("name", "entries", "comes_to"),
    [
        ("d", ["1", "2.5", "0"], "3.5"),
        ("s", ["1", "-3"], "-2"),
        ("paid", ["0.1", "0.2"], "0.3"),
        ("p", ["-1", "-2"], "-3"),
        ("r", ["1", "1", "0"], "0.666667"),
        ("r", ["0.000001", "0"], "0.000001"),
        ("r", ["cap", "80"], "75"),
        ("r", ["80"], "80"),
        ("added", ["1", "1", "0.5"], "2.5"),
        ("months", ["10", "20"], "30"),
        ("once", ["7"], "7"),
        ("word", ["x"], None),
    ],
)
def test_a_list_is_several_entries_of_one_item(
    name: str, entries: list[str], comes_to: str | None
) -> None:
    assert several({name: entries}, {name: comes_to} if comes_to else {"once": "0"}) == []


def test_an_item_of_a_group_may_have_several_entries_too() -> None:
    assert several({"g": {"x": ["1", "2"], "y": "4.5"}}, {"g": "3"}) == []  # (1.5 + 4.5) / 2
    assert several({"g": ["1", "2"]}, {"g": "1.5"}) == []  # each item has both


def test_each_of_several_entries_is_bound() -> None:
    assert several({"d": ["5", "5"]}, {"d": "10"}) == []
    assert several({"d": ["5.000001", "0"]}, {}, refused="out_of_bounds") == []
    assert several({"r": ["100", "100"]}, {"r": "100"}) == []
    assert several({"r": ["100.000001", "0"]}, {}, refused="out_of_bounds") == []


@pytest.mark.parametrize(
    ("person", "said"),
    [
        ({"once": ["1", "2"]}, "once is one value, not a list"),
        ({"last": ["1", "2"]}, "last is one value, not a list"),
        ({"times": ["1", "2"]}, "times is one value, not a list"),
        ({"word": ["a", "b"]}, "word is one value, not a list"),
        ({"earlier": ["1", "2"]}, "earlier is one value, not a list"),
        ({"team": ["A", "B"]}, "team is one value, not a list"),
        ({"points_adjustment": ["1", "2"]}, "points_adjustment is one value, not a list"),
        ({"d": ["1", "none"]}, "'none' is not a number"),
        ({"d": ["1", ["2"]]}, "\"['2']\" is not a number"),
        ({"d": []}, "'' is not a number"),
        ({"d": "1 2"}, "'1 2' is not a number"),
    ],
)
def test_a_list_is_allowed_only_where_several_entries_become_one_figure(
    person: dict[str, Any], said: str
) -> None:
    (mistake,) = several(person, {"s": "0"})
    assert mistake.startswith(said)


def test_people_with_another_attribute_are_outside_and_those_without_it_are_not() -> None:
    text = text_of(
        {"x people": "count(branch)"},
        only={"employment": ["dispatched", "agency"]},
        examples=[
            {
                "name": "case",
                "people": {
                    "A": {"employment": "dispatched"}, "B": {}, "C": {"employment": "contract"},
                    "D": {"employment": "none"}, "E": {"employment": "agency"},
                },
                "expect": {
                    "A": {"x": "4"}, "B": {"x": "4"}, "C": {"x": "outside"}, "D": {"x": "4"},
                    "E": {"x": "4"},
                },
            }
        ],
    )  # fmt: skip
    assert run_examples(check(text)) == []


def test_a_rulebooks_own_warning_is_met_like_any_other() -> None:
    def said(warned: dict[str, str]) -> list[str]:
        example = {
            "name": "case",
            "people": {"A": {"o": "1"}, "B": {}},
            "expect": {"A": {"x": "1"}},
            "warned": warned,
        }
        text = text_of(
            {"x ratio": "otherwise(o, 0, warn='no_o')"},
            inputs={"o": INPUTS["open"]},
            warnings={"no_o": {"zh": "无", "en": "none"}},
            examples=[example],
        )
        return [
            problem.text.en.removeprefix("example case: ") for problem in run_examples(check(text))
        ]

    assert said({"B": "no_o"}) == []
    assert said({"A": "no_o"}) == ["no_o should warn as written, it warns B"]
    assert said({"B": "missing_measure"}) == [
        "missing_measure should warn as written, it warns nobody"
    ]


def test_the_warnings_that_are_written_are_met_exactly() -> None:
    people = {"A": {"a": "2"}, "B": {"a": "2"}, "C": {"a": "1"}}
    assert mistakes({"people": people, "warned": {"A": "tie", "B": "tie"}}) == []
    assert mistakes({"people": people, "warned": {"A": "tie"}}) == [
        "tie should warn as written, it warns A, B"
    ]
    assert mistakes({"people": people, "warned": {"A": "tie", "B": "tie", "C": "tie"}}) == [
        "tie should warn as written, it warns A, B"
    ]
    assert mistakes({"people": people, "warned": {"C": "missing_rating"}}) == [
        "missing_rating should warn as written, it warns nobody"
    ]


# What does not


def test_every_figure_that_comes_out_otherwise_is_named_at_its_place() -> None:
    text = text_of(STEPS, inputs=INPUTS, parameters={"cap ratio": "10"}, examples=[
        {"name": "case", "given": {"g": "50"}, "people": {"A": {"a": "3"}},
         "expect": {"A": {"x": "4", "t": "X", "o": "7", "m": "none"}}},
    ])  # fmt: skip
    problems = run_examples(check(text))
    lines = text.split("\n")
    assert [(lines[p.location.line - 1].strip(), p.text.en.split(": ")[1]) for p in problems] == [
        ("x: '4'", "x of A should be 4, comes out as 3"),
        ("t: X", "t of A should be X, comes out as T"),
        ("o: '7'", "o of A should be 7, comes out as none"),
        ("m: none", "m of A should be none, comes out as 50"),
    ]
    assert problems[0].text.zh == "例「case」：A 的 x 应为 4，算得 3"


@pytest.mark.parametrize(
    ("example", "said"),
    [
        ({"people": {"A": {"b": "1"}}, "expect": {"A": {"x": "0"}}}, "there is no input b"),
        (
            {"people": {"A": {"g": {"z": "1"}}}, "expect": {"A": {"x": "0"}}},
            "there is no input g.z",
        ),
        (
            {"given": {"b": "1"}, "people": {"A": {}}, "expect": {"A": {"x": "0"}}},
            "there is no input b",
        ),
        ({"people": {"A": {}}, "expect": {"A": {"y": "0"}}}, "there is no step y"),
        ({"people": {"A": {}}, "expect": {"B": {"x": "0"}}}, "nobody in the example is called B"),
        ({"people": {"A": {}}, "refused": {"B": "absent"}}, "nobody in the example is called B"),
        ({"people": {"A": {}}, "warned": {"B": "tie"}}, "nobody in the example is called B"),
        ({"people": {"A": {}}}, "it expects nothing"),
        ({"people": {"A": {"a": "ten"}}, "expect": {"A": {"x": "0"}}}, "'ten' is not a number"),
        ({"people": {"A": {"a": "NaN"}}, "expect": {"A": {"x": "0"}}}, "'NaN' is not finite"),
        (
            {"people": {"A": {"g": {"x": "1e5"}}}, "expect": {"A": {"x": "0"}}},
            "'1e5' is not a number",
        ),
        (
            {"people": {"A": {"grade": "6.5"}}, "expect": {"A": {"x": "0"}}},
            "a grade is a whole number",
        ),
        (
            {"people": {"A": {"grade": "none"}}, "expect": {"A": {"x": "0"}}},
            "'none' is not a number",
        ),
    ],
)
def test_mistakes_in_an_example_are_reported(example: dict[str, Any], said: str) -> None:
    found = mistakes(example)
    assert found
    assert found[0].startswith(said)


# V3.0 as a draft


@pytest.mark.parametrize(
    "text",
    [
        shipped_text("elastic-pay").replace("8000", "6000"),
        shipped_text("elastic-pay").replace("第七条5(2), value: 8000}", "第七条5(2), value: 6000}"),
    ],
)
def test_a_draft_with_another_performance_cap_holds_as_it_is(text: str) -> None:
    assert text != shipped_text("elastic-pay")
    assert run_examples(program_of(text)) == []


def test_a_draft_with_another_bar_says_which_cases_it_moves() -> None:
    text = shipped_text("elastic-pay").replace("第六条4(3), value: 300}", "第六条4(3), value: 301}")
    (problem,) = {problem.text.en.split(": ")[1] for problem in run_examples(program_of(text))} & {
        "barred_by_deduction of Above should be 1, comes out as 0"
    }
    assert problem
