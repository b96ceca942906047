"""The functions of the rule language, over one person and over a population. `FUNCTIONS` is the whole list."""

from __future__ import annotations

import operator as op
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING

import numpy as np

from domain.evaluation import columns, operators
from domain.evaluation.columns import MEAN_PLACES, AnyColumn, Column, Mask, Poison, TextColumn
from domain.rulebook.expressions import Call, Name, Node, Number, Words, names

if TYPE_CHECKING:
    from collections.abc import Callable

    from domain.evaluation.evaluator import Runner
    from domain.evaluation.operators import Groups
    from domain.rulebook.model import Table


def smallest(run: Runner, node: Call) -> Column:
    """The smallest."""
    return _fold(run, columns.smaller, node)


def greatest(run: Runner, node: Call) -> Column:
    """The greatest."""
    return _fold(run, columns.greater, node)


def _fold(run: Runner, operation: Callable[[Column, Column], Column], node: Call) -> Column:
    result = run.figure(node.arguments[0])
    for argument in node.arguments[1:]:
        result = operation(result, run.figure(argument))
    return result


def rounded(run: Runner, node: Call) -> Column:
    """Half up."""
    places = node.arguments[1]
    assert isinstance(places, Number)
    return columns.rounded(run.figure(node.arguments[0]), int(places.value))


def floored(run: Runner, node: Call) -> Column:
    """Down to a whole number."""
    return columns.floored(run.figure(node.arguments[0]))


def present(run: Runner, node: Call) -> Column:
    """Whether there is a value; a value that would refuse for another reason still does."""
    column = run.compute(node.arguments[0])
    if column.poison is None:
        return columns.flags(np.ones(len(run.people), bool))
    absent = np.isin(column.poison, _gaps(run))
    return columns.flags(column.poison == 0, np.where(absent, np.int16(0), column.poison))


def otherwise(run: Runner, node: Call) -> AnyColumn:
    """The first, or the second where the first has no value (nothing recorded, or a quotient by zero)."""
    column = run.compute(node.arguments[0])
    if column.poison is None:
        return column
    gap = np.isin(column.poison, _gaps(run))
    if isinstance(warn := node.option("warn"), Words):
        run.warn(warn.value, run.step, gap)
    clean = column.with_poison(np.where(gap, np.int16(0), column.poison))
    return columns.choose(columns.flags(gap), run.compute(node.arguments[1]), clean)


def _gaps(run: Runner) -> list[int]:
    """The reasons that mean "there is nothing here", not "this is wrong"."""
    quiet = ("absent", "division_by_zero")
    return [i for i, p in enumerate(run.evaluation.problems) if p.code in quiet or p.code.startswith("missing_")]


def looked_up(run: Runner, node: Call) -> Column:
    """The row of a table: by its key, or the last whose lower bound is not above the value."""
    table, part = _table(run, node.arguments[0])
    key = run.compute(node.arguments[1])
    name = node.arguments[0].name if isinstance(node.arguments[0], Name) else ""
    figures = columns.of_decimals([v for v in table.column(part).values() if isinstance(v, Decimal)])
    if isinstance(key, TextColumn):
        found = key.recoded(tuple(table.rows))
    else:
        keys = columns.of_decimals([Decimal(k) for k in table.rows])
        key_at, keys_at = columns.aligned(key, keys)
        found = _position(keys_at.data, key_at.data, exact=table.match == "exact")
    unknown = np.where(found < 0, np.int16(run.poison("unknown_key", name)), np.int16(0))
    return figures.take(np.maximum(found, 0)).with_poison(columns.merge(key.poison, unknown if unknown.any() else None))


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
        assert isinstance(figure, Decimal)
        quantity = run.named(f"{group.name}.{item}")
        assert isinstance(quantity, Column)
        term = columns.multiply(quantity, columns.constant(figure, 1))
        result = term if result is None else columns.add(result, term)
    assert result is not None, "a table has rows"
    return result


def tenure(run: Runner, node: Call) -> Column:
    """Whole months from the month of a date to the period's last month."""
    given = run.compute(node.arguments[0])
    assert isinstance(given, TextColumn)
    starts = np.array([_month_index(word) for word in given.words] or [0], np.int64)[given.codes]
    return Column(run.evaluation.inputs.last_month - starts, 0, 10**6, given.poison)


def _group_of(run: Runner, node: Call, index: int) -> Groups:
    population = node.arguments[index]
    assert isinstance(population, Name)
    groups = run.people.by_team if population.name == "team" else run.people.by_branch
    by = node.option("by")
    if by is None:
        return groups
    parted = run.compute(by)
    assert isinstance(parted, TextColumn)
    return groups.split(parted.codes, max(len(parted.words), 1))


def _where(run: Runner, node: Call) -> tuple[Mask, Poison | None]:
    condition = node.option("where")
    if condition is None:
        return np.ones(len(run.people), bool), None
    column = run.figure(condition)
    return (column.data != 0) & column.present, column.poison


def total(run: Runner, node: Call) -> Column:
    """Over the items of a group, or over a population."""
    if len(node.arguments) == 1:
        return _over_items(run, node)[0]
    where, poison = _where(run, node)
    groups = _group_of(run, node, 1)
    result = operators.total(run.figure(node.arguments[0]), where, groups)
    return result.with_poison(columns.merge(result.poison, poison))


def mean(run: Runner, node: Call) -> Column:
    """Sum / count, six places; of nobody it is a quotient by zero."""
    if len(node.arguments) == 1:
        sums, count = _over_items(run, node)
    else:
        where, poison = _where(run, node)
        if node.option("each") is not None:
            where = where & _first_of_each(run.people.by_team, where)
        groups = _group_of(run, node, 1)
        sums = operators.total(run.figure(node.arguments[0]), where, groups)
        sums = sums.with_poison(columns.merge(sums.poison, poison))
        count = operators.counted(where, groups)
    return columns.quotient(sums, count, MEAN_PLACES, run.poison("division_by_zero", run.step))


def _over_items(run: Runner, node: Call) -> tuple[Column, Column]:
    """Sum and count over the members of a group that the person has; absent optional members are passed over."""
    group = node.arguments[0]
    assert isinstance(group, Name)
    sums, count = columns.constant(Decimal(0), len(run.people)), columns.constant(Decimal(0), len(run.people))
    for name in _members(run, group.name):
        member = run.named(name)
        assert isinstance(member, Column)
        absent = (
            np.isin(member.poison, _absences(run)) if member.poison is not None else np.zeros(len(run.people), bool)
        )
        poison = None if member.poison is None else np.where(absent, np.int16(0), member.poison)
        sums = columns.add(sums, Column(np.where(absent, 0, member.data), member.places, member.bound, poison))
        count = columns.add(count, columns.flags(~absent))
    return sums, count


def _absences(run: Runner) -> list[int]:
    return [i for i, p in enumerate(run.evaluation.problems) if p.code == "absent"]


def _members(run: Runner, group: str) -> list[str]:
    """The items of an input's group, or the steps so far whose names have this prefix."""
    given = run.rulebook.inputs.get(group)
    if given is not None and given.items is not None:
        return [f"{group}.{item}" for item in given.items]
    return [name for name in run.evaluation.steps if name.rpartition(".")[0] == group]


def counted(run: Runner, node: Call) -> Column:
    """How many of the population."""
    where, poison = _where(run, node)
    return operators.counted(where, _group_of(run, node, 0)).with_poison(poison)


def ranked(run: Runner, node: Call) -> Column:
    """Places from 1, best first; 0 for who is not among them. `fixed_by`: an order decided elsewhere, 1 = best."""
    key = run.figure(node.arguments[0])
    where, poison = _where(run, node)
    groups = _group_of(run, node, 1)
    keys, counts = [key.data], where & key.present
    if then := node.option("then"):
        second = run.figure(then)
        keys.append(second.data)
        poison = columns.merge(poison, second.poison)
        counts = counts & second.present
    if fixed := node.option("fixed_by"):
        keys, partial = _fix_order(run, fixed, keys, counts, groups)
        poison = columns.merge(poison, partial)
    ranking = operators.rank(keys, counts, groups)
    run.ties.append((run.step, ranking))
    excluded = None if key.poison is None else np.where(where, key.poison, np.int16(0))
    return Column(ranking.places, 0, len(ranking.places), columns.merge(excluded, poison))


def _fix_order(
    run: Runner, node: Node, keys: list[columns.Ints], counts: Mask, groups: Groups
) -> tuple[list[columns.Ints], Poison | None]:
    """Where everyone of a population has a place in the fixed order, it replaces the keys; for only some, refuse."""
    order = run.figure(node)
    given = operators.counted(counts & order.present, groups).data
    everyone = operators.counted(counts, groups).data
    fixed = (given == everyone) & (given > 0)
    partial = counts & ~order.present & (given > 0) & ~fixed
    none = np.zeros(1, keys[0].dtype)
    chosen = [np.where(fixed, -order.data, key if i == 0 else none) for i, key in enumerate(keys[:1])]
    chosen += [np.where(fixed, none, key) for key in keys[1:]]
    poison = np.where(partial, np.int16(run.poison("partial_ranking", _label(run, node))), np.int16(0))
    return chosen, poison if partial.any() else None


def _label(run: Runner, node: Node) -> str:
    return next((name.name for name in names(node)), run.step)


def distributed(run: Runner, node: Call) -> AnyColumn:
    """强制分布: the key of the tier that each person of the population falls into."""
    places = run.figure(node.arguments[0])
    table, _ = _table(run, node.arguments[1])
    barred_node = node.option("barred")
    barred = run.figure(barred_node) if barred_node else columns.flags(np.zeros(len(run.people), bool))
    shares = [share for share in table.column("share").values() if isinstance(share, Decimal)]
    closed = [bool(value) for value in table.column("barred").values()]
    tiers = operators.distribute(places.data, shares, closed, barred.data != 0, _group_of(run, node, 2))
    poison = columns.merge(places.poison, barred.poison)
    keys = tuple(table.rows)
    if all(key.lstrip("-").isdigit() for key in keys):
        return columns.of_decimals([Decimal(0), *map(Decimal, keys)]).take(tiers + 1).with_poison(poison)
    return TextColumn(np.maximum(tiers, 0), keys, poison)


def shared(run: Runner, node: Call) -> Column:
    """A pool of money among a population, exactly; nothing, with a warning, where all weigh nothing."""
    pool, weight = run.figure(node.arguments[0]), run.figure(node.arguments[1])
    groups = _group_of(run, node, 2)
    cents = columns.rounded(columns.rescaled(pool, max(pool.places, 2)), 2)
    odd = np.asarray(columns.compare(op.ne, pool, cents).data, bool)
    bad = [(odd, "fractional_cents"), (weight.data < 0, "negative_weight")]
    poison = columns.merge(
        pool.poison,
        operators.total(weight, weight.present, groups).poison,
        operators.total(weight, np.ones(len(weight), bool), groups).poison,
    )
    for rows, code in bad:
        if rows.any():
            poison = columns.merge(poison, np.where(rows, np.int16(run.poison(code, run.step)), np.int16(0)))
    weights = Column(np.where(weight.data < 0, 0, weight.data), weight.places, weight.bound)
    parts, undistributed = operators.share(cents, weights, groups)
    run.warn("undistributed", run.step, undistributed)
    return parts.with_poison(poison)


def _position(keys: columns.Ints, values: columns.Ints, *, exact: bool) -> operators.Codes:
    """Where each value stands among the keys: the equal one, or the last not above it; -1 for none."""
    order = np.argsort(keys, kind="stable")
    found = np.searchsorted(keys[order], values, side="right") - 1
    rows = order[np.maximum(found, 0)]
    hit = found >= 0
    if exact:
        hit &= np.asarray(keys[rows] == values, bool)
    return np.where(hit, rows, -1)


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
    "tenure": tenure,
    "sum": total,
    "mean": mean,
    "count": counted,
    "rank": ranked,
    "distribute": distributed,
    "share": shared,
}
