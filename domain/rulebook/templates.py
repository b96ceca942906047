"""Steps that are stated once and written out: `each` makes one for every value, `tree` one for
every node.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from domain.errors import Text
from domain.numbers import BadNumber, parse_number
from domain.rulebook.source import MAX_BYTES, BrokenRulebook, Path, Problem

if TYPE_CHECKING:
    from collections.abc import Iterator

    from domain.rulebook.source import Source

Mistake = tuple[Path, Text]  # where in the step, and what to write instead
_TOO_LONG = Text(
    f"写开后各步骤共超过 {MAX_BYTES:,} 个字符；请减少取值、缩短取值或表达式",
    f"written out, the steps come to over {MAX_BYTES:,} characters: give fewer or shorter values, "
    "or a shorter step",
)


def written_out(source: Source, file: str) -> dict[str, Any]:
    """The rulebook's tree with every such step written out. Raises BrokenRulebook; the places stay
    known.

    With `each: {k: [a, b]}` (or {k: {a: label, …}}), `{k}` stands for the value in name, label and
    expression. A
    `tree` gives every node its parts with their weights: {total: {a: 0.4, b: 0.6}, b: {…}}; parts
    that are no nodes are items of the input `leaves`; the first node is the root. Every node and
    leaf becomes a step, called as
    `labels` (or the item) says, under its own clause where `clauses` has one.
    """
    assert isinstance(source.tree, dict)
    tree: dict[str, Any] = dict(source.tree)
    steps = tree.get("steps")
    if not isinstance(steps, list):
        return tree
    written: list[Any] = []
    origins: list[int] = []
    room = MAX_BYTES
    for index, step in enumerate(steps):
        made, mistakes = _steps_of(step, tree.get("inputs"), room)
        if mistakes:
            raise BrokenRulebook(
                [Problem(source.place(("steps", index, *path)), text) for path, text in mistakes],
                file,
            )
        room -= sum(map(_size, made)) if made != [step] else 0
        written += made
        origins += [index] * len(made)
    source.origins = origins
    return tree | {"steps": written}


def _steps_of(step: Any, inputs: Any, room: int) -> tuple[list[Any], list[Mistake]]:
    """The steps that one stands for, of `room` characters at most."""
    if isinstance(step, dict) and "each" in step:
        return _each(step, room)
    if isinstance(step, dict) and "tree" in step:
        mistakes = list(_tree_mistakes(step, inputs))
        made = [] if mistakes else list(_nodes(step, inputs))
        return made, mistakes or ([(("tree",), _TOO_LONG)] if sum(map(_size, made)) > room else [])
    return [step], []


def _size(tree: Any, placeholder: str = "", length: int = 0) -> int:
    """The characters of a tree, each placeholder counted for so many more."""
    if isinstance(tree, dict):
        return sum(len(key) + _size(part, placeholder, length) for key, part in tree.items())
    if isinstance(tree, list):
        return sum(_size(part, placeholder, length) for part in tree)
    return len(tree) + (tree.count(placeholder) * length if placeholder else 0)


# each


def _each(step: dict[str, Any], room: int) -> tuple[list[Any], list[Mistake]]:
    each = step["each"]
    variable, values = (
        next(iter(each.items())) if isinstance(each, dict) and len(each) == 1 else ("", None)
    )
    named = _named(values)
    if not named:
        text = Text(
            "each 写成 {k: [值, …]} 或 {k: {值: {zh: …, en: …}}}",
            "write each: {k: [values]} or {k: {value: {zh: …, en: …}}}",
        )
        return [], [(("each",), text)]
    rest = {key: value for key, value in step.items() if key != "each"}
    longest = max(len(word) for value, label in named for word in (value, *label.values()))
    if len(named) * (1 + _size(rest, f"{{{variable}}}", longest)) > room:
        return [], [(("each",), _TOO_LONG)]
    return [_filled(rest, variable, value, label) for value, label in named], []


def _named(values: Any) -> list[tuple[str, dict[str, str]]]:
    """Every value with its name in each language (none: itself); nothing where they are written
    otherwise.
    """
    if isinstance(values, dict):
        names = [
            label
            for label in values.values()
            if isinstance(label, dict) and {*label} == {"zh", "en"}
        ]
        words = all(isinstance(word, str) for label in names for word in label.values())
        return list(values.items()) if words and len(names) == len(values) else []
    if isinstance(values, list) and all(isinstance(value, str) for value in values):
        return [(value, {}) for value in values]
    return []


def _filled(tree: Any, variable: str, value: str, label: dict[str, str], key: str = "") -> Any:
    """The tree with {variable} replaced: by the value, and inside labels by its name in the label's
    language.
    """
    if isinstance(tree, dict):
        return {k: _filled(v, variable, value, label, k) for k, v in tree.items()}
    if isinstance(tree, list):
        return [_filled(v, variable, value, label) for v in tree]
    return tree.replace(f"{{{variable}}}", label.get(key, value))


# trees


def _tree_mistakes(step: dict[str, Any], inputs: Any) -> Iterator[Mistake]:
    """What is wrong with a tree: its parts, their weights, how they hang together, what the nodes
    are called.
    """
    nodes = step["tree"]
    if not (
        isinstance(nodes, dict)
        and nodes
        and all(isinstance(parts, dict) and parts for parts in nodes.values())
    ):
        yield (
            ("tree",),
            Text("tree 写成 {节点: {部分: 权重, …}}", "write tree: {node: {part: weight, …}}"),
        )
        return
    leaves = _leaves(step, inputs)
    yield from _part_mistakes(nodes, leaves)
    yield from _detached(nodes, leaves)
    yield from _key_mistakes(step, nodes, leaves)


def _part_mistakes(nodes: dict[str, Any], leaves: dict[str, Any]) -> Iterator[Mistake]:
    """Parts that are nothing or parts of two nodes, nodes that are leaves, weights that do not add
    up to 1.
    """
    seen = {next(iter(nodes))}
    for node, parts in nodes.items():
        if node in leaves:
            words = Text(
                f"{node} 既是节点又是 leaves 的项目",
                f"{node} is a node and an item of leaves: rename one",
            )
            yield ("tree", node), words
        for part in parts:
            if part not in nodes and part not in leaves:
                yield ("tree", node, part), _unknown(part)
            elif part in seen:
                yield (
                    ("tree", node, part),
                    Text(f"{part} 已是别处的部分", f"{part} is part of something else already"),
                )
            seen.add(part)
        if not _are_weights(parts):
            text = Text(
                f"{node} 各部分的权重须大于 0，合计须为 1",
                f"the weights of the parts of {node} must be above 0 and add up to 1",
            )
            yield ("tree", node), text


def _detached(nodes: dict[str, Any], leaves: dict[str, Any]) -> Iterator[Mistake]:
    """Nodes and leaves that are not below the root."""
    below = set(_from_root(nodes))
    for node in [*nodes, *leaves]:
        if node not in below:
            yield ("tree",), Text(f"{node} 不是任何节点的部分", f"{node} is part of nothing")


def _from_root(nodes: dict[str, Any]) -> list[str]:
    """The root and everything below it, each before its parts, the last part first; cycles end."""
    found: dict[str, None] = {}
    coming = [next(iter(nodes))]
    while coming:
        name = coming.pop()
        if name not in found:
            found[name] = None
            coming += nodes.get(name, {})
    return list(found)


def _key_mistakes(
    step: dict[str, Any], nodes: dict[str, Any], leaves: dict[str, Any]
) -> Iterator[Mistake]:
    """Nodes without a label, labels and clauses of nothing, and what a tree gives its steps
    itself.
    """
    for key in sorted({"step", "label", "value"} & {*step}):
        yield (
            (key,),
            Text(
                f"tree 的各步骤自有 {key}，请删去",
                f"the steps of a tree have their own {key}: remove it",
            ),
        )
    for key in ("labels", "clauses"):
        given = step.get(key, {})
        if not isinstance(given, dict):
            yield (key,), Text(f"{key} 写成 {{节点: …}}", f"write {key}: {{node: …}}")
            continue
        for name in given:
            if name not in nodes and name not in leaves:
                yield (key, name), _unknown(name)
        for node in nodes:
            if key == "labels" and node not in given:
                yield (
                    (key,),
                    Text(f"labels 缺少 {node}，请补上", f"{node} has no label: add it to labels"),
                )


def _unknown(name: str) -> Text:
    return Text(
        f"{name} 既不是节点，也不是 leaves 的项目",
        f"{name} is neither a node nor an item of leaves",
    )


def _leaves(step: dict[str, Any], inputs: Any) -> dict[str, Any]:
    group = step.get("leaves")
    given = inputs.get(group) if isinstance(inputs, dict) and isinstance(group, str) else None
    items = given.get("items") if isinstance(given, dict) else None
    return items if isinstance(items, dict) else {}


def _are_weights(parts: dict[str, Any]) -> bool:
    """Whether these are figures above 0 that add up to 1."""
    try:
        weights = [parse_number(weight) for weight in parts.values()]
    except BadNumber:
        return False
    return min(weights) > 0 and sum(weights) == 1


def _nodes(step: dict[str, Any], inputs: Any) -> Iterator[dict[str, Any]]:
    """Every leaf and node as a step, parts before what they are parts of."""
    nodes, group = step["tree"], step.get("leaves")
    labels, clauses = _leaves(step, inputs) | step.get("labels", {}), step.get("clauses", {})
    rest = {
        key: value
        for key, value in step.items()
        if key not in {"tree", "leaves", "labels", "clauses"}
    }

    for name in reversed(_from_root(nodes)):
        parts = nodes.get(name, {})
        value = (
            " + ".join(f"{weight} * {part}" for part, weight in parts.items()) or f"{group}.{name}"
        )
        own = {key: of[name] for key, of in (("label", labels), ("clause", clauses)) if name in of}
        yield {**rest, "step": name, "value": value, **own}
