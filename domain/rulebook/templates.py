"""Steps that are stated once and written out: `each` makes one for every value, `tree` one for every node."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

from domain.errors import Text
from domain.numbers import BadNumber, parse_number
from domain.rulebook.source import BrokenRulebook, Path, Problem

if TYPE_CHECKING:
    from collections.abc import Iterator

    from domain.rulebook.source import Source

Mistake = tuple[Path, Text]  # where in the step, and what to write instead


def written_out(source: Source, file: str) -> dict[str, Any]:
    """The rulebook's tree with every such step written out. Raises BrokenRulebook; the places stay known.

    With `each: {k: [a, b]}` (or {k: {a: label, …}}), `{k}` stands for the value in name, label and expression. A
    `tree` gives every node its parts with their weights: {total: {a: 0.4, b: 0.6}, b: {…}}; parts that are no nodes
    are items of the input `leaves`; the first node is the root. Every node and leaf becomes a step, called as
    `labels` (or the item) says, under its own clause where `clauses` has one.
    """
    assert isinstance(source.tree, dict)
    tree: dict[str, Any] = dict(source.tree)
    steps = tree.get("steps")
    if not isinstance(steps, list):
        return tree
    written: list[Any] = []
    origins: list[Path] = []
    for index, step in enumerate(steps):
        made, mistakes = _steps_of(step, tree.get("inputs"))
        if mistakes:
            raise BrokenRulebook(
                [Problem(source.place(("steps", index, *path)), text) for path, text in mistakes], file
            )
        written += made
        origins += [("steps", index)] * len(made)
    _move_places(source, origins)
    return tree | {"steps": written}


def _steps_of(step: Any, inputs: Any) -> tuple[list[Any], list[Mistake]]:
    if isinstance(step, dict) and "each" in step:
        return _each(step)
    if isinstance(step, dict) and "tree" in step:
        mistakes = list(_tree_mistakes(step, inputs))
        return ([] if mistakes else list(_nodes(step, inputs))), mistakes
    return [step], []


# each


def _each(step: dict[str, Any]) -> tuple[list[Any], list[Mistake]]:
    each = step["each"]
    if not (isinstance(each, dict) and len(each) == 1 and all(isinstance(v, dict | list) and v for v in each.values())):
        text = Text(
            "each 写成 {k: [值, …]} 或 {k: {值: {zh: …, en: …}}}",
            "write each: {k: [values]} or {k: {value: {zh: …, en: …}}}",
        )
        return [], [(("each",), text)]
    (variable, values), rest = next(iter(each.items())), {k: v for k, v in step.items() if k != "each"}
    labels = values if isinstance(values, dict) else {value: {"zh": value, "en": value} for value in values}
    return [_filled(rest, variable, str(value), label) for value, label in labels.items()], []


def _filled(tree: Any, variable: str, value: str, label: Any, key: str = "") -> Any:
    """The tree with {variable} replaced: by the value, and inside labels by its name in the label's language."""
    if isinstance(tree, dict):
        return {k: _filled(v, variable, value, label, k) for k, v in tree.items()}
    if isinstance(tree, list):
        return [_filled(v, variable, value, label) for v in tree]
    shown = label.get(key, value) if isinstance(label, dict) and key in {"zh", "en"} else value
    return tree.replace(f"{{{variable}}}", shown)


# trees


def _tree_mistakes(step: dict[str, Any], inputs: Any) -> Iterator[Mistake]:
    """Parts that are nothing, parts of two nodes, nodes that hang nowhere, weights that do not add up to 1."""
    nodes = step["tree"]
    if not (isinstance(nodes, dict) and nodes and all(isinstance(parts, dict) and parts for parts in nodes.values())):
        yield ("tree",), Text("tree 写成 {节点: {部分: 权重, …}}", "write tree: {node: {part: weight, …}}")
        return
    leaves = _leaves(step, inputs)
    seen: set[str] = {next(iter(nodes))}
    for node, parts in nodes.items():
        for part in parts:
            if part not in nodes and part not in leaves:
                text = Text(
                    f"{part} 既不是节点，也不是 leaves 的项目", f"{part} is neither a node nor an item of leaves"
                )
                yield ("tree", node, part), text
            elif part in seen:
                yield ("tree", node, part), Text(f"{part} 已是别处的部分", f"{part} is part of something else already")
            seen.add(part)
        if _sum(parts) != 1:
            text = Text(f"{node} 各部分的权重合计须为 1", f"the weights of the parts of {node} add up to 1")
            yield ("tree", node), text
    reached = [next(iter(nodes))]
    for node in reached:  # it grows as its nodes are read
        reached += [part for part in nodes.get(node, {}) if part not in reached]
    for node in [*nodes, *leaves]:
        if node not in reached:
            yield ("tree",), Text(f"{node} 不是任何节点的部分", f"{node} is part of nothing")


def _leaves(step: dict[str, Any], inputs: Any) -> dict[str, Any]:
    given = inputs.get(step.get("leaves")) if isinstance(inputs, dict) else None
    items = given.get("items") if isinstance(given, dict) else None
    return items if isinstance(items, dict) else {}


def _sum(weights: dict[str, Any]) -> Decimal:
    """The weights' sum; 0 where one is no figure."""
    try:
        return sum((parse_number(weight) for weight in weights.values()), Decimal(0))
    except BadNumber:
        return Decimal(0)


def _nodes(step: dict[str, Any], inputs: Any) -> Iterator[dict[str, Any]]:
    """Every leaf and node as a step, parts before what they are parts of."""
    nodes, group = step["tree"], step.get("leaves")
    labels, clauses = step.get("labels"), step.get("clauses")
    rest = {key: value for key, value in step.items() if key not in {"tree", "leaves", "labels", "clauses"}}
    known = {**_leaves(step, inputs), **(labels if isinstance(labels, dict) else {})}

    def below(name: str) -> Iterator[dict[str, Any]]:
        parts = nodes.get(name, {})
        for part in parts:
            yield from below(part)
        value = " + ".join(f"{weight} * {part}" for part, weight in parts.items()) or f"{group}.{name}"
        own = {"clause": clauses[name]} if isinstance(clauses, dict) and name in clauses else {}
        yield {**rest, "step": name, "value": value} | ({"label": known[name]} if name in known else {}) | own

    yield from below(next(iter(nodes)))


# places


def _move_places(source: Source, origins: list[Path]) -> None:
    """Lets every written-out step point to where it was written."""
    for places in (source.values, source.keys):
        old = {path: place for path, place in places.items() if path[:1] == ("steps",) and len(path) > 1}
        for path in old:
            del places[path]
        by_step: dict[int | str, list[Path]] = {}
        for path in old:
            by_step.setdefault(path[1], []).append(path)
        for new, origin in enumerate(origins):
            for path in by_step[origin[1]]:
                places[("steps", new, *path[2:])] = old[path]
    source.folded = {p for p in source.folded if p[:1] != ("steps",)} | {
        ("steps", new, *p[2:]) for new, o in enumerate(origins) for p in source.folded if p[:2] == o
    }
