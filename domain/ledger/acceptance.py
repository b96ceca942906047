"""受理: which entries are accepted into the ledger, which it has already, and which it
refuses, and why.

Two pure functions. `arrange` gives the order in which a batch is decided, so that the order in
which entries arrive decides nothing: assignments first, then reversals of assignments, then all
other entries, then all other reversals, each after what it reverses. `decide` takes them one by
one. It looks only at what was accepted before, so a batch may be cut anywhere and decided in pieces
with the same result.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from hashlib import sha256
from itertools import chain
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from domain.entries.entry import AnyEntry, Key, Reversal, entry_body, is_postings_key
from domain.entries.subject import Subject
from domain.errors import Reason, Text
from domain.identifiers import stream_id

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from uuid import UUID

Status = Literal["accepted", "duplicate", "conflict", "rejected"]
# A ledger position; of what is accepted and not stored yet: -1 less its place among the drafts.
Node = int


class Draft(NamedTuple):
    """An entry made ready to be decided and stored."""

    stamp: bytes  # the beginning of its event: when and by whom it was recorded
    key: Key
    reversed_key: Key | None  # of a reversal: the key of what it reverses
    kind: str
    manager: str | None
    month: int  # its index; 0 for a reversal
    stream: UUID | None  # that its event belongs to; of a reversal it is not known yet
    fields: dict[str, Any]  # the entry as plain JSON, without its personal text
    body: bytes  # the whole entry as its event stores it
    digest: bytes

    @classmethod
    def of(cls, entry: AnyEntry, stamp: bytes = b"{") -> Draft:
        """The entry with its canonical JSON and digest."""
        fields, personal = entry.parts()
        manager = fields.get("manager")
        if isinstance(entry, Reversal):
            month, stream, reversed_key = 0, None, entry.reverses.key
        else:
            # A measure of a branch or team has no manager. Its stream is not that of the branch's
            # own month, so that recording measures never clashes with settling.
            month, reversed_key = entry.month.index, None
            stream = (
                stream_id("manager", manager, month)
                if manager
                else stream_id("measures", fields["branch"], month)
            )
        body = entry_body(fields, personal)
        digest = sha256(body).digest()
        return cls(
            stamp,
            entry.key,
            reversed_key,
            entry.kind,
            manager,
            month,
            stream,
            fields,
            body,
            digest,
        )

    @property
    def needs_assignment(self) -> bool:
        """Whether the manager must have an assignment by the month. Not for a posting: it is owed
        wherever they work by now.
        """
        return (
            self.manager is not None and self.kind != "assignment" and not is_postings_key(self.key)
        )


class Target(NamedTuple):
    """An entry or a reversal as what a reversal may reverse. The reversal will belong to the same
    stream and have the same subject.
    """

    node: Node
    stream: UUID
    subject: Subject

    @classmethod
    def of_draft(cls, draft: Draft) -> Target:
        """Of an entry that is no reversal; its node is still to be given."""
        assert draft.stream is not None
        return cls(0, draft.stream, Subject.of_fields(draft.fields))

    def link(self) -> dict[str, Any]:
        """What the event of its reversal stores beside the entry."""
        return self.subject._asdict() | {"position": self.node}


class Decision(NamedTuple):
    """What becomes of one draft. `node` is that of the entry that a duplicate repeats."""

    status: Status
    node: Node = 0
    reasons: tuple[Reason, ...] = ()
    target: Target | None = None  # of an accepted reversal


class Outcome(NamedTuple):
    """The result of appending one entry.

    `position` is that of its event or, for a duplicate, of the entry that it repeats; else None.
    """

    status: Status
    position: int | None
    reasons: tuple[Reason, ...] = ()


ACCEPTED = Decision("accepted")


class Reversals:
    """Which entries and reversals count: those that no counting reversal reverses."""

    def __init__(self, reversed_nodes: Mapping[Node, Node]) -> None:
        """`reversed_nodes`: reversal → what it reverses, whole chains."""
        self._reversals_of: defaultdict[Node, list[Node]] = defaultdict(list)
        self._reversed: dict[Node, Node] = {}
        # What was asked for. Where a node is in it, so is everything that hangs on the node.
        self._counting: dict[Node, bool] = {}
        for node, reversed_node in reversed_nodes.items():
            self.add(node, reversed_node)

    def add(self, node: Node, reversed_node: Node) -> None:
        """One more reversal."""
        self._reversals_of[reversed_node].append(node)
        self._reversed[node] = reversed_node
        above: Node | None = reversed_node
        while above is not None and self._counting.pop(above, None) is not None:
            above = self._reversed.get(above)

    def counts(self, node: Node) -> bool:
        """Whether no reversal that counts itself reverses the node."""
        if node not in self._reversals_of:
            return True
        if node not in self._counting:
            below = [node]
            for each in below:
                below.extend(
                    reversal
                    for reversal in self._reversals_of.get(each, ())
                    if reversal not in self._counting
                )
            for each in reversed(below):
                self._counting[each] = not any(
                    self._counting[reversal] for reversal in self._reversals_of.get(each, ())
                )
        return self._counting[node]


@dataclass
class BatchContext:
    """What the store has that decides a batch. `decide` adds what it accepts."""

    keys: dict[Key, tuple[Node, bytes]] = field(default_factory=dict)  # node and digest
    # manager → assignment → index of the month from which on it holds
    assignments: dict[str, dict[Node, int]] = field(default_factory=dict)
    # What the reversals of the batch reverse, and every reversal in the chains of that.
    targets: dict[Key, Target] = field(default_factory=dict)
    reversals: Reversals = field(default_factory=lambda: Reversals({}))
    # manager → the first month with an assignment that counts, where it was asked for
    _first_months: dict[str, int | None] = field(default_factory=dict)

    def has_assignment(self, manager: str, month: int) -> bool:
        """Whether an assignment of the manager that counts holds by that month."""
        if manager not in self._first_months:
            assignments = self.assignments.get(manager, {}).items()
            months = (month for node, month in assignments if self.reversals.counts(node))
            self._first_months[manager] = min(months, default=None)
        first = self._first_months[manager]
        return first is not None and first <= month

    def add(self, draft: Draft, decision: Decision, node: Node, *, is_target: bool) -> None:
        """An accepted draft. `is_target`: another draft reverses it."""
        self.keys[draft.key] = node, draft.digest
        if draft.kind == "assignment" and draft.manager is not None:
            self.assignments.setdefault(draft.manager, {})[node] = draft.month
            self._first_months.clear()
        if decision.target is not None:
            self.reversals.add(node, decision.target.node)
            self._first_months.clear()
        if is_target:
            target = decision.target or Target.of_draft(draft)
            self.targets[draft.key] = target._replace(node=node)


def arrange(entries: Sequence[AnyEntry], stored: Mapping[Key, Target]) -> list[int]:
    """The order of decision, as indices into `entries`; entries of one kind keep the order in which
    they came.

    `stored` has what the batch's reversals reverse, where it is in the ledger already. Of several
    reversals of the same, those that are reversed themselves go first: then as many as possible can
    be accepted.
    """
    assignments: list[int] = []
    others: list[int] = []
    reversals: dict[int, Reversal] = {}
    kinds: dict[Key, str] = {}
    for i, entry in enumerate(entries):
        if isinstance(entry, Reversal):
            reversals[i] = entry
        else:
            kinds.setdefault(entry.key, entry.kind)
            (assignments if entry.kind == "assignment" else others).append(i)
    kinds |= {key: target.subject.root for key, target in stored.items()}
    of_assignments: list[int] = []
    of_others: list[int] = []
    for i, root in _order_reversals(reversals, kinds, stored):
        (of_assignments if root == "assignment" else of_others).append(i)
    return assignments + of_assignments + others + of_others


def _order_reversals(
    reversals: Mapping[int, Reversal], kinds: Mapping[Key, str], stored: Mapping[Key, Target]
) -> Iterable[tuple[int, str | None]]:
    """The reversals, each after what it reverses, with the kind of the entry at the root of the
    chain: None where there is none.
    """
    reversals_of: defaultdict[Key, list[int]] = defaultdict(list)
    for i, reversal in reversals.items():
        reversals_of[reversal.reverses.key].append(i)
    # A stored reversal is later than what it reverses. The latest goes first, so that what it had
    # reversed counts again before its own reversals are decided.
    roots = sorted(
        (key for key in reversals_of if key in kinds),
        key=lambda key: -stored[key].node if key in stored else 0,
    )
    downward = dict.fromkeys(reversals[i].key for i, _ in _walk(roots, reversals_of, reversals))
    counts: dict[Key, bool] = {}
    for key in reversed(downward):
        counts[key] = not any(
            counts.get(reversals[i].key, False) for i in reversals_of.get(key, ())
        )
    for rivals in reversals_of.values():
        rivals.sort(key=lambda i: counts.get(reversals[i].key, True))
    root_of = dict(_walk(roots, reversals_of, reversals))
    for i, root in root_of.items():
        yield i, kinds[root]
    yield from ((i, None) for i in reversals if i not in root_of)


def _walk(
    roots: Iterable[Key], reversals_of: Mapping[Key, list[int]], reversals: Mapping[int, Reversal]
) -> list[tuple[int, Key]]:
    """Every reversal under the roots, depth first, with its root. The reversals of a key are gone
    through once, however many entries have the key.
    """
    root_of: dict[int, Key] = {}
    walked: set[Key] = set()
    for root in roots:
        waiting = list(reversed(reversals_of[root]))
        while waiting:
            i = waiting.pop()
            if i in root_of:
                continue
            root_of[i], key = root, reversals[i].key
            if key not in walked:
                walked.add(key)
                waiting.extend(reversed(reversals_of.get(key, ())))
    return list(root_of.items())


def decide(
    drafts: Sequence[Draft], context: BatchContext, probes: Sequence[Draft] = ()
) -> list[Decision]:
    """What becomes of each draft, one after the other in the order given. The context gains what is
    accepted, also for `probes`, which are to be decided by `decide_new` afterwards.
    """
    reversed_keys = {draft.reversed_key for draft in chain(drafts, probes)}
    decisions = []
    for place, draft in enumerate(drafts):
        decision = _decide(draft, context)
        decisions.append(decision)
        if decision.status == "accepted":
            context.add(draft, decision, -1 - place, is_target=draft.key in reversed_keys)
    return decisions


def _decide(draft: Draft, context: BatchContext) -> Decision:
    if draft.key not in context.keys:
        return decide_new(draft, context)
    node, digest = context.keys[draft.key]
    return Decision("duplicate", node) if digest == draft.digest else conflict(draft)


def decide_new(draft: Draft, context: BatchContext) -> Decision:
    """What becomes of a draft whose key is new: whether there is the assignment that it needs, or
    what it reverses.
    """
    if draft.reversed_key is not None:
        return _decide_reversal(draft.reversed_key, context)
    if not draft.needs_assignment or context.has_assignment(draft.manager or "", draft.month):
        return ACCEPTED
    return no_assignment(draft)


def _decide_reversal(key: Key, context: BatchContext) -> Decision:
    if is_postings_key(key):
        return Decision("rejected", reasons=(_is_posting(key),))
    target = context.targets.get(key)
    if target is None:
        return Decision("rejected", reasons=(_unknown_entry(key),))
    if not context.reversals.counts(target.node):
        return Decision("rejected", reasons=(_already_reversed(key),))
    return Decision("accepted", target=target)


def conflict(draft: Draft) -> Decision:
    """The ledger has an entry of this key with other content."""
    name = ":".join(draft.key)
    text = Text(
        f"{name} 已记录且内容不同，未写入；若要更正，请先冲销原记录，再用新的 source_id 记录",
        f"{name} is recorded with other content; nothing was written. To correct it, reverse the "
        "recorded entry and record the right one under a new source_id",
    )
    return Decision("conflict", reasons=(Reason("conflict", "source_id", text),))


def no_assignment(draft: Draft) -> Decision:
    """The manager has no assignment by that month."""
    until = draft.fields["month"]
    text = Text(
        f"客户经理 {draft.manager} 到 {until} 为止没有任职记录；请先（或在同一批中）记录任职 "
        "(assignment)",
        f"manager {draft.manager} has no assignment by {until}: record one first, or in the same "
        "batch",
    )
    return Decision("rejected", reasons=(Reason("no_assignment", "manager", text),))


def _unknown_entry(key: Key) -> Reason:
    name = ":".join(key)
    text = Text(
        f"要冲销的记录 {name} 不存在；请核对 source 与 source_id，或先记录它",
        f"there is no entry {name} to reverse: check source and source_id, or record it first",
    )
    return Reason("unknown_entry", "reverses", text)


def _is_posting(key: Key) -> Reason:
    name = ":".join(key)
    text = Text(
        f"{name} 是重新结算的补发或扣回，不能冲销；请更正业务记录后重新结算，差额会再次补扣",
        f"{name} is a posting of a resettlement and is not reversed: correct the entries behind it "
        "and resettle, which posts the difference",
    )
    return Reason("is_posting", "reverses", text)


def _already_reversed(key: Key) -> Reason:
    name = ":".join(key)
    text = Text(
        f"{name} 已被冲销；如要恢复，请冲销那条冲销记录",
        f"{name} is reversed already; to make it count again, reverse that reversal",
    )
    return Reason("already_reversed", "reverses", text)
