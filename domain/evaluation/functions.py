"""What the functions of the rule language compute; their words are in `rulebook/vocabulary.py`."""

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
from domain.evaluation.context import RankedStep
from domain.rulebook.expression_types import numeric_keys
from domain.rulebook.expressions import Call, Name, Node, Number, Words, names

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from domain.evaluation.context import Context
    from domain.evaluation.operators import Groups
    from domain.rulebook.model import Table

_cached_column = lru_cache(maxsize=1024)(columns.from_decimals)  # the same table is read each time

# one person


def call_min(context: Context, node: Call) -> Column:
    return _fold(context, columns.minimum, node)


def call_max(context: Context, node: Call) -> Column:
    return _fold(context, columns.maximum, node)


def _fold(context: Context, operation: Callable[[Column, Column], Column], node: Call) -> Column:
    result = context.compute_figure(node.arguments[0])
    for argument in node.arguments[1:]:
        result = operation(result, context.compute_figure(argument))
    return result


def call_round(context: Context, node: Call) -> Column:
    places = node.arguments[1]
    assert isinstance(places, Number)
    return columns.round_half_up(context.compute_figure(node.arguments[0]), int(places.value))


def call_floor(context: Context, node: Call) -> Column:
    return columns.round_down(context.compute_figure(node.arguments[0]))


def call_has(context: Context, node: Call) -> Column:
    """Whether there is a value; a row that is wrong, and not merely without a value, still is."""
    column = context.compute(node.arguments[0])
    if column.poison is None:
        return columns.constant(Decimal(1))
    gaps = columns.mark_reasons(column.poison, _gap_reasons(context))
    return columns.flags(column.poison == 0, columns.clear_poison(column.poison, gaps))


def call_otherwise(context: Context, node: Call) -> AnyColumn:
    """The first argument, or the second where the first has no value."""
    column = context.compute(node.arguments[0])
    if column.poison is None:
        return column
    gaps = columns.mark_reasons(column.poison, _gap_reasons(context))
    if isinstance(warn := node.option("warn"), Words):
        context.warn(warn.value, context.step, gaps)
    values = column.with_poison(columns.clear_poison(column.poison, gaps))
    with context.narrowed_to(gaps):
        return columns.choose(columns.flags(gaps), context.compute(node.arguments[1]), values)


def _gap_reasons(context: Context) -> list[int]:
    """The reasons that mean "there is no value here", not "the value is wrong"."""
    codes = ("absent", "division_by_zero")
    return [
        number
        for number, reason in enumerate(context.evaluation.reasons)
        if reason.code in codes or reason.code.startswith("missing_")
    ]


def call_lookup(context: Context, node: Call) -> Column:
    """The row of a table: by its key, or the last whose lower bound is not above the value."""
    name, _ = node.arguments
    assert isinstance(name, Name)
    table, part = _table(context, name)
    key = context.compute(node.arguments[1])
    figures = _cached_column(tuple(table.column(part).values()))
    if isinstance(key, TextColumn):
        rows = key.codes_in(tuple(table.rows))
    else:
        keys = _cached_column(tuple(map(Decimal, table.rows)))
        aligned_key, aligned_keys = columns.align(key, keys)
        exact = table.match == "exact"
        rows = operators.match_keys(aligned_key.data, aligned_keys.data, exact=exact)
    has_row, poison = rows >= 0, key.poison
    if not has_row.all():
        unknown = np.int16(context.reason_number("unknown_key", name.name))
        poison = columns.merge_poison(poison, np.where(has_row, np.int16(0), unknown))
    return figures.take(rows).with_poison(poison)


def _table(context: Context, node: Node) -> tuple[Table, str]:
    """The table that `table` or `table.column` names, and the column."""
    assert isinstance(node, Name)
    name, _, part = node.name.partition(".")
    return context.rulebook.tables[name], part


def call_sumproduct(context: Context, node: Call) -> Column:
    """Σ quantity × the table's figure, over the items of a group."""
    group = node.arguments[0]
    assert isinstance(group, Name)
    table, part = _table(context, node.arguments[1])
    result: Column | None = None
    for item, figure in table.column(part).items():
        quantity = context.column_of(f"{group.name}.{item}")
        assert isinstance(quantity, Column)
        product = columns.multiply(quantity, columns.constant(figure))
        result = product if result is None else columns.add(result, product)
    assert result is not None, "a table has rows"
    return result


def call_refuse(context: Context, node: Call) -> Column:
    """No value; a finding with this code where a step takes it."""
    (code,) = node.arguments
    assert isinstance(code, Words)
    return context.poisoned_column(code.value)


def call_tenure(context: Context, node: Call) -> Column:
    """Whole months from the month of a date to the period's last month."""
    dates = context.compute(node.arguments[0])
    assert isinstance(dates, TextColumn)
    starts = np.array([_month_index(word) for word in dates.words] or [0], np.int64)[dates.codes]
    return columns.fit(context.evaluation.inputs.last_month - starts, 0, dates.poison)


def _month_index(text: str) -> int:
    day = date.fromisoformat(text)
    return day.year * 12 + day.month - 1


# a population, or the items of a group


@dataclass(frozen=True)
class Population:
    """The rows that a function takes together."""

    groups: Groups
    counts: Mask  # the rows that are counted
    poison: Poison | None  # of rows without a value of `where` or `by`


def group_population(context: Context, node: Call, index: int) -> Groups:
    """The groups of the population that this argument names."""
    return _group_population(context, node, index)[0]


def _group_population(context: Context, node: Call, index: int) -> tuple[Groups, Poison | None]:
    """The groups of the population, and the rows that have no value of the option `by`."""
    population = node.arguments[index]
    assert isinstance(population, Name)
    people = context.people
    groups = people.by_team if population.name == "team" else people.by_branch
    by = node.option("by")
    if by is None:
        return groups, None
    words = context.compute(by).broadcast(len(people))
    assert isinstance(words, TextColumn)
    return groups.split(words.codes, max(len(words.words), 1)), words.poison


@contextmanager
def _population(context: Context, node: Call, index: int) -> Iterator[Population]:
    """The population of a function; inside, expressions are computed for the counted rows.

    A group counts in full if the function is computed for anyone of it.
    """
    groups, poison = _group_population(context, node, index)
    if context.rows is None or context.rows.all():
        counts = np.ones(len(context.people), bool)
    else:
        counts = operators.count_over_groups(context.rows, groups).data > 0
    if condition := node.option("where"):
        with context.for_rows(counts):
            column = context.compute_figure(condition).broadcast(len(context.people))
        counts = counts & (column.data != 0) & column.present
        poison = columns.merge_poison(poison, column.poison)
    with context.for_rows(counts):
        yield Population(groups, counts, poison)


def call_sum(context: Context, node: Call) -> Column:
    """Over the items of a group (one argument), or over a population."""
    if len(node.arguments) == 1:
        return _sum_items(context, node)[0]
    with _population(context, node, 1) as population:
        return _sum_population(context, node, population, population.counts)


def _sum_population(context: Context, node: Call, population: Population, counts: Mask) -> Column:
    figures = context.compute_figure(node.arguments[0]).broadcast(len(context.people))
    context.note_spread(figures, counts, population.groups)
    sums = operators.sum_over_groups(figures, counts, population.groups)
    return sums.with_poison(columns.merge_poison(sums.poison, population.poison))


def call_mean(context: Context, node: Call) -> Column:
    """Sum / count, six places; the mean of nothing is a quotient by zero."""
    if len(node.arguments) == 1:
        sums, count = _sum_items(context, node)
    else:
        with _population(context, node, 1) as population:
            counts = population.counts
            if node.option("each") is not None:
                counts = _first_of_each(context.people.by_team, counts)
            sums = _sum_population(context, node, population, counts)
            count = operators.count_over_groups(counts, population.groups)
    by_zero = context.reason_number("division_by_zero", context.step)
    return columns.divide(sums, count, MEAN_PLACES, by_zero)


def _first_of_each(groups: Groups, where: Mask) -> Mask:
    """The first row of each group among those that count."""
    rows = np.flatnonzero(where)
    _, first = np.unique(groups.codes[rows], return_index=True)
    mask = np.zeros(len(where), bool)
    mask[rows[first]] = True
    return mask


def _sum_items(context: Context, node: Call) -> tuple[Column, Column]:
    """Sum and count (or sum of weights) over the items that a person has."""
    group, weights = node.arguments[0], dict[str, Decimal]()
    assert isinstance(group, Name)
    if option := node.option("weights"):
        table, part = _table(context, option)
        weights = table.column(part)
    sums = count = columns.constant(Decimal(0))
    for item, member in _members(context, group.name).items():
        weight = columns.constant(weights[item] if weights else Decimal(1))
        if member.poison is not None:
            absent = columns.mark_reasons(member.poison, _absent_reasons(context))
            poison = columns.clear_poison(member.poison, absent)
            member = Column(np.where(absent, 0, member.data), member.places, member.bound, poison)
            weight = columns.multiply(weight, columns.flags(~absent))
        sums = columns.add(sums, columns.multiply(member, weight) if weights else member)
        count = columns.add(count, weight)
    return sums, count


def _absent_reasons(context: Context) -> list[int]:
    reasons = enumerate(context.evaluation.reasons)
    return [number for number, reason in reasons if reason.code == "absent"]


def _members(context: Context, group: str) -> dict[str, Column]:
    """By item: a table's rows, an input's items, or the steps so far that have this prefix."""
    name, _, part = group.partition(".")
    if table := context.rulebook.tables.get(name):
        return {item: columns.constant(figure) for item, figure in table.column(part).items()}
    spec = context.rulebook.inputs.get(group)
    if spec is not None and spec.items is not None:
        members = {item: f"{group}.{item}" for item in spec.items}
    else:
        members = {}
        for step in context.evaluation.steps:
            prefix, _, item = step.rpartition(".")
            if prefix == group:
                members[item] = step
    return {item: context.compute_figure(Name(0, name)) for item, name in members.items()}


def call_count(context: Context, node: Call) -> Column:
    """How many people of the population count."""
    with _population(context, node, 0) as population:
        count = operators.count_over_groups(population.counts, population.groups)
        return count.with_poison(population.poison)


def call_rank(context: Context, node: Call) -> Column:
    """Ranks from 1, best first; 0 for a person who does not count.

    `fixed_by` is an order decided elsewhere, 1 = best.
    """
    people = len(context.people)
    with _population(context, node, 1) as population:
        keys = [context.compute_figure(node.arguments[0]).broadcast(people)]
        if then := node.option("then"):
            keys.append(context.compute_figure(then).broadcast(people))
        poison = columns.merge_poison(*(key.poison for key in keys))
        counts = population.counts if poison is None else population.counts & (poison == 0)
        data = [key.data for key in keys]
        if fixed_by := node.option("fixed_by"):
            data, partial = _fix_order(context, fixed_by, data, counts, population.groups)
            poison = columns.merge_poison(poison, partial)
    ranking = operators.rank(data, counts, population.groups)
    context.rankings.append(RankedStep(context.step, node, ranking))
    if poison is not None:
        poison = np.where(population.counts, poison, np.int16(0))
    poison = columns.merge_poison(poison, population.poison)
    return Column(ranking.ranks, 0, len(ranking.ranks), poison)


def _fix_order(
    context: Context, node: Node, keys: list[columns.Ints], counts: Mask, groups: Groups
) -> tuple[list[columns.Ints], Poison | None]:
    """The keys to rank by, and the people who lack a place in the fixed order.

    Where everyone of a group has a place, the fixed order replaces the keys. Where only some have
    one, the others refuse.
    """
    order = context.compute_figure(node).broadcast(len(context.people))
    if not (counts & order.present).any():
        return keys, None
    placed = operators.count_over_groups(counts & order.present, groups).data
    is_fixed = placed == operators.count_over_groups(counts, groups).data
    first, *others = keys
    fixed_keys = [
        np.where(is_fixed, -order.data, first),
        *(np.where(is_fixed, 0, key) for key in others),
    ]
    partial = counts & ~order.present & (placed > 0)
    if not partial.any():
        return fixed_keys, None
    about = next((name.name for name in names(node)), context.step)
    number = np.int16(context.reason_number("partial_ranking", about))
    return fixed_keys, np.where(partial, number, np.int16(0))


def call_distribute(context: Context, node: Call) -> AnyColumn:
    """强制分布: the key of each person's tier; 0, or the word none, for a person without a rank."""
    table, _ = _table(context, node.arguments[1])
    barred_if = node.option("barred") or Number(0, Decimal(0))
    people = len(context.people)
    with _population(context, node, 2) as population:
        ranks = context.compute_figure(node.arguments[0]).broadcast(people)
        barred = context.compute_figure(barred_if).broadcast(people)
    shares = list(table.column("share").values())
    barred_tiers = [bool(flag) for flag in table.column("barred").values()]
    tiers = operators.distribute(
        ranks.data, shares, barred_tiers, barred.data != 0, population.groups
    )
    poison = columns.merge_poison(ranks.poison, barred.poison, population.poison)
    if numeric_keys(table.rows):
        keys = _cached_column((Decimal(0), *map(Decimal, table.rows)))
        return keys.take(tiers + 1).with_poison(poison)
    return TextColumn(tiers + 1, ("none", *table.rows), poison)


def call_share(context: Context, node: Call) -> Column:
    """A pool of money shared among a population, to the cent.

    Where all weights are zero, everyone gets nothing, with a warning.
    """
    people = len(context.people)
    with _population(context, node, 2) as population:
        pool = context.compute_figure(node.arguments[0]).broadcast(people)
        weight = context.compute_figure(node.arguments[1]).broadcast(people)
    groups = population.groups
    for column in (pool, weight):
        context.note_spread(column, population.counts, groups)
    cents = columns.round_half_up(columns.rescale(pool, max(pool.places, 2)), 2)
    poison = columns.merge_poison(
        operators.spread_poison(pool, population.counts, groups),
        operators.spread_poison(weight, population.counts, groups),
    )
    wrong_rows = {
        "fractional_cents": columns.compare(op.ne, pool, cents).data != 0,
        "uneven_pool": operators.differs_from_most(groups, pool.data),
        "negative_weight": weight.data < 0,
    }
    for code, rows in wrong_rows.items():
        if rows.any():
            number = np.int16(context.reason_number(code, context.step))
            poison = columns.merge_poison(poison, np.where(rows, number, np.int16(0)))
    # A negative weight refuses, so it does not matter what such a person would get.
    weights = Column(np.maximum(weight.data, 0), weight.places, weight.bound)
    parts, undistributed = operators.share_pool(cents, weights, groups)
    context.warn("undistributed", context.step, undistributed)
    return parts.with_poison(poison)


COMPUTED: dict[str, Callable[[Context, Call], AnyColumn]] = {
    "min": call_min,
    "max": call_max,
    "round": call_round,
    "floor": call_floor,
    "has": call_has,
    "otherwise": call_otherwise,
    "lookup": call_lookup,
    "sumproduct": call_sumproduct,
    "refuse": call_refuse,
    "tenure": call_tenure,
    "sum": call_sum,
    "mean": call_mean,
    "count": call_count,
    "rank": call_rank,
    "distribute": call_distribute,
    "share": call_share,
}
