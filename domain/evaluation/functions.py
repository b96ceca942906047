"""The functions of the rule language, over one person and over a population. `FUNCTIONS` is the
whole list.
"""

from __future__ import annotations

import operator as op
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

from domain.evaluation import columns, operators
from domain.evaluation.columns import MEAN_PLACES, AnyColumn, Column, Mask, Poison, TextColumn
from domain.rulebook.expression_types import numeric_keys
from domain.rulebook.expressions import Call, Name, Node, Number, Words, names

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from domain.evaluation.evaluator import Runner
    from domain.evaluation.operators import Groups
    from domain.rulebook.model import Table


in_table = lru_cache(maxsize=1024)(
    columns.from_decimals
)  # a table's figures are the same each time


def smallest(run: Runner, node: Call) -> Column:
    """The smallest."""
    return _fold(run, columns.minimum, node)


def greatest(run: Runner, node: Call) -> Column:
    """The greatest."""
    return _fold(run, columns.maximum, node)


def _fold(run: Runner, operation: Callable[[Column, Column], Column], node: Call) -> Column:
    result = run.figure(node.arguments[0])
    for argument in node.arguments[1:]:
        result = operation(result, run.figure(argument))
    return result


def rounded(run: Runner, node: Call) -> Column:
    """Half up."""
    places = node.arguments[1]
    assert isinstance(places, Number)
    return columns.round_half_up(run.figure(node.arguments[0]), int(places.value))


def floored(run: Runner, node: Call) -> Column:
    """Down to a whole number."""
    return columns.round_down(run.figure(node.arguments[0]))


def present(run: Runner, node: Call) -> Column:
    """Whether there is a value; a value that would refuse for another reason still does."""
    column = run.compute(node.arguments[0])
    if column.poison is None:
        return columns.constant(Decimal(1))
    absent = columns.mark_reasons(column.poison, _gaps(run))
    return columns.flags(column.poison == 0, columns.clear_poison(column.poison, absent))


def otherwise(run: Runner, node: Call) -> AnyColumn:
    """The first, or the second where the first has no value (nothing recorded, or a quotient by
    zero).
    """
    column = run.compute(node.arguments[0])
    if column.poison is None:
        return column
    gap = columns.mark_reasons(column.poison, _gaps(run))
    if isinstance(warn := node.option("warn"), Words):
        run.warn(warn.value, run.step, gap)
    clean = column.with_poison(columns.clear_poison(column.poison, gap))
    with run.only(gap):
        return columns.choose(columns.flags(gap), run.compute(node.arguments[1]), clean)


def _gaps(run: Runner) -> list[int]:
    """The reasons that mean "there is nothing here", not "this is wrong"."""
    quiet = ("absent", "division_by_zero")
    return [
        i
        for i, p in enumerate(run.evaluation.problems)
        if p.code in quiet or p.code.startswith("missing_")
    ]


def looked_up(run: Runner, node: Call) -> Column:
    """The row of a table: by its key, or the last whose lower bound is not above the value."""
    about, _ = node.arguments
    assert isinstance(about, Name)
    table, part = _table(run, about)
    key = run.compute(node.arguments[1])
    figures = in_table(tuple(table.column(part).values()))
    if isinstance(key, TextColumn):
        found = key.codes_in(tuple(table.rows))
    else:
        keys = in_table(tuple(map(Decimal, table.rows)))
        key_at, keys_at = columns.align(key, keys)
        found = operators.match_keys(key_at.data, keys_at.data, exact=table.match == "exact")
    known, poison = found >= 0, key.poison
    if not known.all():
        unknown = np.where(known, np.int16(0), np.int16(run.poison("unknown_key", about.name)))
        poison = columns.merge_poison(poison, unknown)
    return figures.take(found).with_poison(poison)


def _table(run: Runner, node: Node) -> tuple[Table, str]:
    assert isinstance(node, Name)
    name, _, part = node.name.partition(".")
    return run.rulebook.tables[name], part


def sum_of_products(run: Runner, node: Call) -> Column:
    """Σ quantity × the table's figure, over the items of a group."""
    group = node.arguments[0]
    assert isinstance(group, Name)
    table, part = _table(run, node.arguments[1])
    result: Column | None = None
    for item, figure in table.column(part).items():
        quantity = run.named(f"{group.name}.{item}")
        assert isinstance(quantity, Column)
        term = columns.multiply(quantity, columns.constant(figure))
        result = term if result is None else columns.add(result, term)
    assert result is not None, "a table has rows"
    return result


def refused(run: Runner, node: Call) -> Column:
    """No value, and a finding of this code where one is needed."""
    (code,) = node.arguments
    assert isinstance(code, Words)
    return run.nothing(code.value)


def tenure(run: Runner, node: Call) -> Column:
    """Whole months from the month of a date to the period's last month."""
    given = run.compute(node.arguments[0])
    assert isinstance(given, TextColumn)
    starts = np.array([_month_index(word) for word in given.words] or [0], np.int64)[given.codes]
    return columns.fit(run.evaluation.inputs.last_month - starts, 0, given.poison)


def group_of(run: Runner, node: Call, index: int) -> Groups:
    """The groups of the population that stands as this argument."""
    return _grouped(run, node, index)[0]


def _grouped(run: Runner, node: Call, index: int) -> tuple[Groups, Poison | None]:
    """The groups, and who has no value to be grouped by."""
    population = node.arguments[index]
    assert isinstance(population, Name)
    groups = run.people.by_team if population.name == "team" else run.people.by_branch
    by = node.option("by")
    if by is None:
        return groups, None
    parted = run.compute(by).broadcast(len(run.people))
    assert isinstance(parted, TextColumn)
    return groups.split(parted.codes, max(len(parted.words), 1)), parted.poison


@dataclass(frozen=True)
class Population:
    """Whose figures a function takes together: the groups, who of them counts, and for whom that
    cannot be said.
    """

    groups: Groups
    counts: Mask
    poison: Poison | None


@contextmanager
def _population(run: Runner, node: Call, index: int) -> Iterator[Population]:
    """The population of a function; inside, expressions are computed for those who count."""
    groups, poison = _grouped(run, node, index)
    everyone = np.ones(len(run.people), bool)
    counts = (
        everyone
        if run.rows is None or run.rows.all()
        else operators.count_over_groups(run.rows, groups).data > 0
    )
    if condition := node.option("where"):
        with run.among(counts):
            column = run.figure(condition).broadcast(len(run.people))
        counts, poison = (
            counts & (column.data != 0) & column.present,
            columns.merge_poison(poison, column.poison),
        )
    with run.among(counts):
        yield Population(groups, counts, poison)


def total(run: Runner, node: Call) -> Column:
    """Over the items of a group, or over a population."""
    if len(node.arguments) == 1:
        return _over_items(run, node)[0]
    with _population(run, node, 1) as of:
        return _summed(run, node, of, of.counts)


def _summed(run: Runner, node: Call, of: Population, counts: Mask) -> Column:
    figures = run.figure(node.arguments[0]).broadcast(len(run.people))
    result = operators.sum_over_groups(figures, counts, of.groups)
    return result.with_poison(columns.merge_poison(result.poison, of.poison))


def mean(run: Runner, node: Call) -> Column:
    """Sum / count, six places; of nobody it is a quotient by zero."""
    if len(node.arguments) == 1:
        sums, count = _over_items(run, node)
    else:
        with _population(run, node, 1) as of:
            counts = (
                of.counts
                if node.option("each") is None
                else _first_of_each(run.people.by_team, of.counts)
            )
            sums, count = (
                _summed(run, node, of, counts),
                operators.count_over_groups(counts, of.groups),
            )
    return columns.divide(sums, count, MEAN_PLACES, run.poison("division_by_zero", run.step))


def _over_items(run: Runner, node: Call) -> tuple[Column, Column]:
    """Sum and count (or weights) over the members of a group that the person has; absent ones are
    passed over.
    """
    group, weights = node.arguments[0], dict[str, Decimal]()
    assert isinstance(group, Name)
    if option := node.option("weights"):
        table, part = _table(run, option)
        weights = table.column(part)
    sums = count = columns.constant(Decimal(0))
    for item, member in _members(run, group.name).items():
        there = columns.constant(weights[item] if weights else Decimal(1))
        if member.poison is not None:
            absent = columns.mark_reasons(member.poison, _absences(run))
            poison = columns.clear_poison(member.poison, absent)
            member = Column(np.where(absent, 0, member.data), member.places, member.bound, poison)
            there = columns.multiply(there, columns.flags(~absent))
        sums = columns.add(sums, columns.multiply(member, there) if weights else member)
        count = columns.add(count, there)
    return sums, count


def _absences(run: Runner) -> list[int]:
    return [i for i, p in enumerate(run.evaluation.problems) if p.code == "absent"]


def _members(run: Runner, group: str) -> dict[str, Column]:
    """A table's rows, the items of an input's group, or the steps so far whose names have this
    prefix.
    """
    name, _, part = group.partition(".")
    if table := run.rulebook.tables.get(name):
        return {item: columns.constant(figure) for item, figure in table.column(part).items()}
    given = run.rulebook.inputs.get(group)
    if given is not None and given.items is not None:
        return {item: run.figure(Name(0, f"{group}.{item}")) for item in given.items}
    steps = {step: step.rpartition(".") for step in run.evaluation.steps}
    return {
        item: run.figure(Name(0, step))
        for step, (prefix, _, item) in steps.items()
        if prefix == group
    }


def counted(run: Runner, node: Call) -> Column:
    """How many of the population."""
    with _population(run, node, 0) as of:
        return operators.count_over_groups(of.counts, of.groups).with_poison(of.poison)


def ranked(run: Runner, node: Call) -> Column:
    """Places from 1, best first; 0 for who is not among them. `fixed_by`: an order decided
    elsewhere, 1 = best.
    """
    with _population(run, node, 1) as of:
        keys = [run.figure(node.arguments[0]).broadcast(len(run.people))]
        if then := node.option("then"):
            keys.append(run.figure(then).broadcast(len(run.people)))
        poison = columns.merge_poison(*(key.poison for key in keys))
        counts = of.counts if poison is None else of.counts & (poison == 0)
        data = [key.data for key in keys]
        if fixed := node.option("fixed_by"):
            data, partial = _fix_order(run, fixed, data, counts, of.groups)
            poison = columns.merge_poison(poison, partial)
    ranking = operators.rank(data, counts, of.groups)
    run.ties.append((run.step, node, ranking))
    of_those = None if poison is None else np.where(of.counts, poison, np.int16(0))
    return Column(ranking.ranks, 0, len(ranking.ranks), columns.merge_poison(of_those, of.poison))


def _fix_order(
    run: Runner, node: Node, keys: list[columns.Ints], counts: Mask, groups: Groups
) -> tuple[list[columns.Ints], Poison | None]:
    """Where everyone of a population has a place in the fixed order, it replaces the keys; for only
    some, refuse.
    """
    order = run.figure(node).broadcast(len(run.people))
    if not (counts & order.present).any():
        return keys, None
    given = operators.count_over_groups(counts & order.present, groups).data
    fixed = given == operators.count_over_groups(counts, groups).data
    first, *others = keys
    chosen = [np.where(fixed, -order.data, first), *(np.where(fixed, 0, key) for key in others)]
    partial = counts & ~order.present & (given > 0)
    if not partial.any():
        return chosen, None
    return chosen, np.where(
        partial, np.int16(run.poison("partial_ranking", _label(run, node))), np.int16(0)
    )


def _label(run: Runner, node: Node) -> str:
    return next((name.name for name in names(node)), run.step)


def distributed(run: Runner, node: Call) -> AnyColumn:
    """强制分布: the key of the tier that each person falls into; 0, or the word none, for who has
    no place.
    """
    table, _ = _table(run, node.arguments[1])
    with _population(run, node, 2) as of:
        places = run.figure(node.arguments[0]).broadcast(len(run.people))
        barred = run.figure(node.option("barred") or Number(0, Decimal(0))).broadcast(
            len(run.people)
        )
    shares, closed = (
        list(table.column("share").values()),
        [bool(flag) for flag in table.column("barred").values()],
    )
    tiers = operators.distribute(places.data, shares, closed, barred.data != 0, of.groups)
    poison = columns.merge_poison(places.poison, barred.poison, of.poison)
    if numeric_keys(table.rows):
        return in_table((Decimal(0), *map(Decimal, table.rows))).take(tiers + 1).with_poison(poison)
    return TextColumn(tiers + 1, ("none", *table.rows), poison)


def shared(run: Runner, node: Call) -> Column:
    """A pool of money among a population, exactly; nothing, with a warning, where all weigh
    nothing.
    """
    with _population(run, node, 2) as of:
        pool, weight = (
            run.figure(argument).broadcast(len(run.people)) for argument in node.arguments[:2]
        )
    cents = columns.round_half_up(columns.rescale(pool, max(pool.places, 2)), 2)
    anyone = np.zeros(of.groups.count, np.int64)
    anyone[of.groups.codes] = np.arange(len(pool))
    wrong = {
        "fractional_cents": columns.compare(op.ne, pool, cents).data != 0,
        "uneven_pool": pool.data != pool.data[anyone[of.groups.codes]],
        "negative_weight": weight.data < 0,
    }
    poison = columns.merge_poison(
        *(operators.spread_poison(figure, of.counts, of.groups) for figure in (pool, weight))
    )
    for code, rows in wrong.items():
        if rows.any():
            poison = columns.merge_poison(
                poison, np.where(rows, np.int16(run.poison(code, run.step)), np.int16(0))
            )
    weights = Column(
        np.maximum(weight.data, 0), weight.places, weight.bound
    )  # who is below 0 is refused
    parts, undistributed = operators.share_pool(cents, weights, of.groups)
    run.warn("undistributed", run.step, undistributed)
    return parts.with_poison(poison)


def _first_of_each(groups: Groups, where: Mask) -> Mask:
    """The first row of each group among those that count."""
    rows = np.flatnonzero(where)
    _, first = np.unique(groups.codes[rows], return_index=True)
    mask = np.zeros(len(where), bool)
    mask[rows[first]] = True
    return mask


def _month_index(text: str) -> int:
    day = date.fromisoformat(text)
    return day.year * 12 + day.month - 1


FUNCTIONS: dict[str, Callable[[Runner, Call], AnyColumn]] = {
    "min": smallest,
    "max": greatest,
    "round": rounded,
    "floor": floored,
    "has": present,
    "otherwise": otherwise,
    "lookup": looked_up,
    "sumproduct": sum_of_products,
    "refuse": refused,
    "tenure": tenure,
    "sum": total,
    "mean": mean,
    "count": counted,
    "rank": ranked,
    "distribute": distributed,
    "share": shared,
}
