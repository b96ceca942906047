"""Templates of steps: `each` makes a step for every value, `tree` one for every node."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from domain.errors import Text
from domain.numbers import BadNumber, parse_number
from domain.rulebook.source import MAX_BYTES, BrokenRulebook, Mistake, Problem

if TYPE_CHECKING:
    from collections.abc import Iterator

    from domain.rulebook.source import Source

_TOO_LONG = Text(
    f"写开后各步骤共超过 {MAX_BYTES:,} 个字符；请减少取值、缩短取值或表达式",
    f"written out, the steps come to over {MAX_BYTES:,} characters: give fewer or shorter values, "
    "or a shorter step",
)


class _Expansion(NamedTuple):
    """The steps that a template makes, or the mistakes in it; paths begin below the step."""

    steps: list[Any]
    mistakes: list[Mistake]


def expand_templates(source: Source, file: str) -> dict[str, Any]:
    """The rulebook's tree with every template replaced by its steps. Raises BrokenRulebook.

    With `each: {k: [a, b]}` (or {k: {a: label, …}}), `{k}` stands for the value in name, label and
    expression. A `tree` gives every node its parts with their weights, the root first:
    {total: {a: 0.4, b: 0.6}, b: {…}}; parts that are no nodes are items of the input `leaves`.
    Every node and leaf becomes a step, with its label from `labels` (a leaf's is its item's) and
    its clause from `clauses`, if it has one there.

    `source` keeps which written step each step comes from, so that locations stay right.
    """
    assert isinstance(source.tree, dict)
    tree: dict[str, Any] = dict(source.tree)
    steps = tree.get("steps")
    if not isinstance(steps, list):
        return tree
    expanded: list[Any] = []
    origins: list[int] = []
    characters_left = MAX_BYTES
    for index, step in enumerate(steps):
        made, mistakes = _expand(step, tree.get("inputs"), characters_left)
        if mistakes:
            problems = [
                Problem(source.locate(("steps", index, *path)), text) for path, text in mistakes
            ]
            raise BrokenRulebook(problems, file)
        if made != [step]:
            characters_left -= sum(map(_count_characters, made))
        expanded += made
        origins += [index] * len(made)
    source.step_origins = origins
    return tree | {"steps": expanded}


def _expand(step: Any, inputs: Any, characters_left: int) -> _Expansion:
    if isinstance(step, dict) and "each" in step:
        return _expand_each(step, characters_left)
    if isinstance(step, dict) and "tree" in step:
        if mistakes := list(_tree_mistakes(step, inputs)):
            return _Expansion([], mistakes)
        made = list(_tree_steps(step, inputs))
        is_too_long = sum(map(_count_characters, made)) > characters_left
        return _Expansion(made, [(("tree",), _TOO_LONG)] if is_too_long else [])
    return _Expansion([step], [])


def _count_characters(tree: Any, placeholder: str = "", length: int = 0) -> int:
    """The characters of a tree; each occurrence of the placeholder counts `length` more."""
    if isinstance(tree, dict):
        parts = tree.values()
        keys = sum(map(len, tree))
        return keys + sum(_count_characters(part, placeholder, length) for part in parts)
    if isinstance(tree, list):
        return sum(_count_characters(part, placeholder, length) for part in tree)
    return len(tree) + (tree.count(placeholder) * length if placeholder else 0)


# each


def _expand_each(step: dict[str, Any], characters_left: int) -> _Expansion:
    each = step["each"]
    variable, values = "", None
    if isinstance(each, dict) and len(each) == 1:
        variable, values = next(iter(each.items()))
    labelled = _labelled_values(values)
    if not labelled:
        text = Text(
            "each 写成 {k: [值, …]} 或 {k: {值: {zh: …, en: …}}}",
            "write each: {k: [values]} or {k: {value: {zh: …, en: …}}}",
        )
        return _Expansion([], [(("each",), text)])
    rest = {key: value for key, value in step.items() if key != "each"}
    longest = max(len(word) for value, label in labelled for word in (value, *label.values()))
    # Bounded before anything is written out.
    if len(labelled) * (1 + _count_characters(rest, f"{{{variable}}}", longest)) > characters_left:
        return _Expansion([], [(("each",), _TOO_LONG)])
    made = [_substitute(rest, variable, value, label) for value, label in labelled]
    return _Expansion(made, [])


def _labelled_values(values: Any) -> list[tuple[str, dict[str, str]]]:
    """Every value with its label, {} for a plain list; empty if it is neither form of `each`."""
    if isinstance(values, dict):
        labels = [
            label
            for label in values.values()
            if isinstance(label, dict) and {*label} == {"zh", "en"}
        ]
        are_texts = all(isinstance(word, str) for label in labels for word in label.values())
        return list(values.items()) if are_texts and len(labels) == len(values) else []
    if isinstance(values, list) and all(isinstance(value, str) for value in values):
        return [(value, {}) for value in values]
    return []


def _substitute(tree: Any, variable: str, value: str, label: dict[str, str], key: str = "") -> Any:
    """The tree with the value for {variable}; under the keys zh and en, the value's label."""
    if isinstance(tree, dict):
        return {k: _substitute(v, variable, value, label, k) for k, v in tree.items()}
    if isinstance(tree, list):
        return [_substitute(v, variable, value, label) for v in tree]
    return tree.replace(f"{{{variable}}}", label.get(key, value))


# trees


def _tree_mistakes(step: dict[str, Any], inputs: Any) -> Iterator[Mistake]:
    """What is wrong with a tree: its parts, their weights, its labels and clauses."""
    nodes = step["tree"]
    is_well_formed = (
        isinstance(nodes, dict)
        and nodes
        and all(isinstance(parts, dict) and parts for parts in nodes.values())
    )
    if not is_well_formed:
        text = Text("tree 写成 {节点: {部分: 权重, …}}", "write tree: {node: {part: weight, …}}")
        yield ("tree",), text
        return
    leaves = _leaves(step, inputs)
    yield from _part_mistakes(nodes, leaves)
    yield from _detached_mistakes(nodes, leaves)
    yield from _key_mistakes(step, nodes, leaves)


def _part_mistakes(nodes: dict[str, Any], leaves: dict[str, Any]) -> Iterator[Mistake]:
    """Unknown parts, parts of two nodes, nodes that are leaves, weights that do not add up to 1."""
    used = {next(iter(nodes))}
    for node, parts in nodes.items():
        if node in leaves:
            text = Text(
                f"{node} 既是节点又是 leaves 的项目",
                f"{node} is a node and an item of leaves: rename one",
            )
            yield ("tree", node), text
        for part in parts:
            if part not in nodes and part not in leaves:
                yield ("tree", node, part), _unknown_part(part)
            elif part in used:
                text = Text(f"{part} 已是别处的部分", f"{part} is part of something else already")
                yield ("tree", node, part), text
            used.add(part)
        if not _are_weights(parts):
            text = Text(
                f"{node} 各部分的权重须大于 0，合计须为 1",
                f"the weights of the parts of {node} must be above 0 and add up to 1",
            )
            yield ("tree", node), text


def _detached_mistakes(nodes: dict[str, Any], leaves: dict[str, Any]) -> Iterator[Mistake]:
    """Nodes and leaves that are not below the root."""
    below_root = set(_root_first(nodes))
    for node in [*nodes, *leaves]:
        if node not in below_root:
            text = Text(f"{node} 不是任何节点的部分", f"{node} is not part of any node")
            yield ("tree",), text


def _root_first(nodes: dict[str, Any]) -> list[str]:
    """The root and everything below it, each before its parts; a cycle is followed once."""
    ordered: dict[str, None] = {}
    waiting = [next(iter(nodes))]
    while waiting:
        name = waiting.pop()
        if name not in ordered:
            ordered[name] = None
            waiting += nodes.get(name, {})
    return list(ordered)


def _key_mistakes(
    step: dict[str, Any], nodes: dict[str, Any], leaves: dict[str, Any]
) -> Iterator[Mistake]:
    """Nodes without a label, labels and clauses of unknown nodes, keys that a tree provides."""
    for key in sorted({"step", "label", "value"} & {*step}):
        text = Text(
            f"tree 的各步骤自有 {key}，请删去",
            f"the steps of a tree have their own {key}: remove it",
        )
        yield (key,), text
    for key in ("labels", "clauses"):
        by_node = step.get(key, {})
        if not isinstance(by_node, dict):
            yield (key,), Text(f"{key} 写成 {{节点: …}}", f"write {key}: {{node: …}}")
            continue
        for name in by_node:
            if name not in nodes and name not in leaves:
                yield (key, name), _unknown_part(name)
        for node in nodes:
            if key == "labels" and node not in by_node:
                text = Text(f"labels 缺少 {node}，请补上", f"{node} has no label: add it to labels")
                yield (key,), text


def _unknown_part(name: str) -> Text:
    return Text(
        f"{name} 既不是节点，也不是 leaves 的项目",
        f"{name} is neither a node nor an item of leaves",
    )


def _leaves(step: dict[str, Any], inputs: Any) -> dict[str, Any]:
    """The items of the input that `leaves` names, with their labels."""
    group = step.get("leaves")
    spec = inputs.get(group) if isinstance(inputs, dict) and isinstance(group, str) else None
    items = spec.get("items") if isinstance(spec, dict) else None
    if not isinstance(items, dict):
        return {}
    return {item: _without_help(label) for item, label in items.items()}


def _without_help(label: Any) -> Any:
    """The label that a step has of an item: its help is for whoever records it."""
    if not isinstance(label, dict):
        return label
    return {key: value for key, value in label.items() if key != "help"}


def _are_weights(parts: dict[str, Any]) -> bool:
    """Whether these are figures above 0 that add up to 1."""
    try:
        weights = [parse_number(weight) for weight in parts.values()]
    except BadNumber:
        return False
    return min(weights) > 0 and sum(weights) == 1


def _tree_steps(step: dict[str, Any], inputs: Any) -> Iterator[dict[str, Any]]:
    """Every leaf and node as a step, each after its parts."""
    nodes, group = step["tree"], step.get("leaves")
    labels, clauses = _leaves(step, inputs) | step.get("labels", {}), step.get("clauses", {})
    own_keys = {"tree", "leaves", "labels", "clauses"}
    rest = {key: value for key, value in step.items() if key not in own_keys}
    for name in reversed(_root_first(nodes)):
        terms = [f"{weight} * {part}" for part, weight in nodes.get(name, {}).items()]
        made = {**rest, "step": name, "value": " + ".join(terms) or f"{group}.{name}"}
        if name in labels:
            made["label"] = labels[name]
        if name in clauses:
            made["clause"] = clauses[name]
        yield made
