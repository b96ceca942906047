"""Sections 10 to 13: `four-virtues` 德勤能绩, `commission`, `quarterly-bonus` and its year, the
weighted trees.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from fractions import Fraction

from tests.oracle_schemes.arithmetic import distribute, half_up, parted_ties, quotient, rank, ranks
from tests.oracle_schemes.book import PERCENT, Book

# 10. four-virtues

VIRTUES = {"virtue": 20, "diligence": 20, "ability": 30, "results": 30}
SOURCES = {"check": Fraction("0.2"), "monthly": Fraction("0.3"), "year_end": Fraction("0.5")}
STAFF_GROUPS = ("frontline", "office", "management")
BANDS = ("excellent", "good", "fair", "poor", "very_poor")
BAND_SHARES = tuple(Fraction(p) for p in ("0.05", "0.2", "0.5", "0.2", "0.05"))


def four_virtues(book: Book) -> None:
    """年度: marks from three sources and awards; rank, band and flags within each staff group."""
    groups: dict[str, list[str]] = defaultdict(list)
    for person in book.facts.people():
        group = person.attributes.get("staff_group", "frontline")
        if group not in STAFF_GROUPS:
            book.refuse("unknown_key", person.manager, "rank")
        groups[group].append(person.manager)
        annual_score(book, person.manager)
    for managers in groups.values():
        place_group(book, managers)


def annual_score(book: Book, manager: str) -> None:
    """0.2 × checks + 0.3 × monthly + 0.5 × year-end + awards, of which at most 10 count."""
    steps = book.statements[manager]
    total = Fraction(0)
    for source, weight in SOURCES.items():
        step = f"{source}_score"
        marks = [
            book.rating(manager, f"{source}.{v}", step, (0, full)) for v, full in VIRTUES.items()
        ]
        steps[step] = sum(marks, Fraction(0))
        total += weight * steps[step]
    steps["award_marks"] = min(
        sum(book.scores(manager, "award", "award_marks", (1, 10)), Fraction(0)), Fraction(10)
    )
    steps["annual_score"] = total + steps["award_marks"]


def place_group(book: Book, managers: Sequence[str]) -> None:
    """Rank, band by forced distribution, and the flags of the first and last so many."""
    n = len(managers)
    keys = {manager: -book.statements[manager]["annual_score"] for manager in managers}
    order = rank(managers, keys.__getitem__)
    tiers = distribute(order, BAND_SHARES)
    for manager in parted_ties(keys, tiers):
        book.warn("tie", manager, "band")

    def part(share: str) -> int:
        return int(half_up(Fraction(share) * n))

    for manager, place in ranks(order).items():
        steps = book.statements[manager]
        steps |= {"rank": Fraction(place), "band": BANDS[tiers[manager] - 1]}
        steps["excellent_employee"] = Fraction(steps["annual_score"] > 100)
        steps["talent_pool"] = Fraction(place <= part("0.1"))
        steps["training"] = Fraction(place > n - part("0.25"))
        steps["honour_award"] = Fraction(place <= part("0.1"))
        steps["raise_candidate"] = Fraction(steps["band"] == "excellent")
        steps["demotion_candidate"] = Fraction(steps["band"] == "very_poor")
    for flag in ("talent_pool", "honour_award", "training"):
        for manager in parted_ties(
            keys, {manager: book.statements[manager][flag] for manager in managers}
        ):
            book.warn("tie", manager, flag)


# 11. commission

RATES = {
    "voice": Fraction("0.02"),
    "data": Fraction("0.03"),
    "solution": Fraction("0.05"),
    "cloud": Fraction("0.04"),
}


def commission(book: Book) -> None:
    """月度: base wage + bonus by performance + commission, at least the minimum wage; allowances on
    top.
    """
    for person in book.facts.people():
        manager, steps = person.manager, book.statements[person.manager]
        base_wage = book.required(book.facts.of_manager(manager, "base_wage"), manager, "base_wage")
        kinds = ("transport", "meals", "communication")
        allowances = sum(
            (book.measure(manager, f"allowance.{kind}") for kind in kinds), Fraction(0)
        )
        weights = {
            "results": Fraction("0.6"),
            "ability": Fraction("0.2"),
            "attitude": Fraction("0.2"),
        }
        marks = {item: book.rating(manager, item, "performance_score", PERCENT) for item in weights}
        score = sum((weights[item] * mark for item, mark in marks.items()), Fraction(0))
        bonus = book.measure(manager, "bonus_base") * quotient(score, 100, 8)
        earned = sum(
            (rate * sold_amount(book, manager, product) for product, rate in RATES.items()),
            Fraction(0),
        )
        steps |= {"base_wage": base_wage, "allowances": allowances, "performance_score": score}
        steps |= {"performance_bonus": bonus, "commission": earned}
        due = base_wage + bonus + earned + book.yuan(manager)
        steps["pay"] = half_up(max(due, book.minimum_wage()) + allowances, 2)


def sold_amount(book: Book, manager: str, product: str) -> Fraction:
    """Σ amount; a sale without one cannot be paid."""
    amounts = [sale.get("amount") for sale in book.facts.sales(manager, product)]
    if None in amounts:
        book.refuse("missing_amount", manager, "commission")
    return sum((Fraction(amount) for amount in amounts if amount is not None), Fraction(0))


# 12. quarterly-bonus and quarterly-bonus-year

INDICATORS = {"results": Fraction("0.6"), "ability": Fraction("0.25"), "attitude": Fraction("0.15")}
BONUS_LEVELS = {"company": 70, "self": 10, "customer": 20}


def quarterly_bonus(book: Book) -> None:
    """季度: three indicators rated by company, self and customers; the bonus by their total."""
    for_bonus(book, "quarterly_bonus", ((90, 3000), (80, 2000), (70, 1000)))


def quarterly_bonus_year(book: Book) -> None:
    """年度: the same over a year."""
    for_bonus(book, "annual_bonus", ((90, 10000), (80, 6000), (70, 3000)))


def for_bonus(book: Book, bonus_step: str, table: Sequence[tuple[int, int]]) -> None:
    """The bonus of the first threshold that the total reaches, else 0; pay is the bonus."""
    for person in book.facts.people():
        steps = book.statements[person.manager]
        total = Fraction(0)
        for item, weight in INDICATORS.items():
            step = f"{item}_score"
            steps[step] = book.levelled_rating(person.manager, item, step, BONUS_LEVELS)
            total += weight * steps[step]
        bonus = Fraction(next((yuan for threshold, yuan in table if total >= threshold), 0))
        steps |= {"total_score": total, bonus_step: bonus, "pay": bonus}


# 13. indicator-tree and balanced-scorecard

Tree = Mapping[str, Mapping[str, str]]

INDICATOR_TREE: Tree = {
    "total_score": {
        "customer_satisfaction": "0.3",
        "business_growth": "0.3",
        "sales_results": "0.4",
    },
    "customer_satisfaction": {"customer_relations": "0.5", "service_quality": "0.5"},
    "service_quality": {"attitude": "0.4", "response": "0.3", "problem_solving": "0.3"},
    "business_growth": {"market_analysis": "0.5", "new_customers": "0.5"},
    "sales_results": {"target_completion": "0.6", "teamwork": "0.2", "efficiency": "0.2"},
}
SCORECARD: Tree = {
    "total_score": {"finance": "0.4", "customer": "0.2", "process": "0.2", "learning": "0.2"}
}


def indicator_tree(book: Book) -> None:
    """月度: the three-level indicators."""
    for person in book.facts.people():
        node(book, person.manager, INDICATOR_TREE, "total_score")


def balanced_scorecard(book: Book) -> None:
    """月度: the four perspectives."""
    for person in book.facts.people():
        node(book, person.manager, SCORECARD, "total_score")


def node(book: Book, manager: str, tree: Tree, name: str) -> Fraction:
    """A weighted sum of its children; a leaf is a rating."""
    if name in tree:
        value = sum(
            (Fraction(w) * node(book, manager, tree, child) for child, w in tree[name].items()),
            Fraction(0),
        )
    else:
        value = book.rating(manager, name, name, PERCENT)
    book.statements[manager][name] = value
    return value
