"""客户经理月: which entries are taken into the ledger, which it has already, and which it refuses,
and why.

Two pure functions. `arrange` puts a batch into the order in which it is decided, so that the order
in which entries arrive decides nothing: assignments first, then what reverses assignments, then all
other entries, then all other reversals, each after what it names. `decide` then goes through them
one by one. Because it looks only at what was taken before, a batch may be cut anywhere and decided
in pieces with the same result.
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


class Draft(NamedTuple):
    """An entry made ready to be decided and stored."""

    stamp: bytes  # when it came and by whom, as it stands in its event
    key: Key
    names: Key | None  # of a reversal: what it reverses
    kind: str
    manager: str | None
    month: int  # its index; 0 for a reversal
    stream: UUID | None  # where it will stand; None for a reversal
    fields: dict[str, Any]  # the fact as plain JSON, without its personal text
    body: bytes  # the whole fact, as it stands in its event
    digest: bytes

    @classmethod
    def of(cls, entry: AnyEntry, stamp: bytes = b"{") -> Draft:
        """The entry with its canonical JSON and digest."""
        fields, words = entry.parts()
        manager = fields.get("manager")
        if isinstance(entry, Reversal):
            month, stream, names = 0, None, entry.reverses.key
        else:
            # A measure of a branch or team has no manager. Its stream is not that of the branch's
            # own month, so that measures that come in never clash with who settles.
            month, names = entry.month.index, None
            stream = (
                stream_id("manager", manager, month)
                if manager
                else stream_id("measures", fields["branch"], month)
            )
        body = entry_body(fields, words)
        digest = sha256(body).digest()
        key = entry.source, entry.source_id
        return cls(stamp, key, names, entry.kind, manager, month, stream, fields, body, digest)

    @property
    def asks_place(self) -> bool:
        """Whether the manager must have an assignment by the month: a posting is owed wherever they
        work by now.
        """
        return (
            self.manager is not None and self.kind != "assignment" and not is_postings_key(self.key)
        )


class Target(NamedTuple):
    """An entry or a reversal as what a reversal may reverse. The reversal will stand in the same
    stream and have the same subject.
    """

    node: int
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
    node: int = 0
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
    """Which nodes count: those that no counting reversal names. A node is an entry or a
    reversal.
    """

    def __init__(self, names: Mapping[int, int]) -> None:
        """`names`: reversal → what it names, whole chains."""
        self._naming: defaultdict[int, list[int]] = defaultdict(list)
        self._named: dict[int, int] = {}
        self._counting: dict[
            int, bool
        ] = {}  # what has been asked; with a node everything that hangs on it
        for node, named in names.items():
            self.add(node, named)

    def add(self, node: int, named: int) -> None:
        """One more reversal."""
        self._naming[named].append(node)
        self._named[node] = named
        above: int | None = named
        while above is not None and self._counting.pop(above, None) is not None:
            above = self._named.get(above)

    def counts(self, node: int) -> bool:
        """Whether no reversal that counts itself names the node."""
        if node not in self._naming:
            return True
        if node not in self._counting:
            below = [node]
            for each in below:
                below.extend(
                    other for other in self._naming.get(each, ()) if other not in self._counting
                )
            for each in reversed(below):
                self._counting[each] = not any(
                    self._counting[other] for other in self._naming.get(each, ())
                )
        return self._counting[node]


@dataclass
class Known:
    """What the store knows about a batch. `decide` adds what it accepts.

    Nodes are ledger positions; what is accepted and not yet stored has a negative one, −1 − its
    place in the batch.
    """

    keys: dict[Key, tuple[int, bytes]] = field(
        default_factory=dict
    )  # node and digest of what is stored
    assignments: dict[str, dict[int, int]] = field(
        default_factory=dict
    )  # manager → assignment → index of its month
    targets: dict[Key, Target] = field(
        default_factory=dict
    )  # what the reversals of the batch name, where stored
    reversals: Reversals = field(default_factory=lambda: Reversals({}))  # the whole chains of these
    since: dict[str, int | None] = field(
        default_factory=dict
    )  # manager → first month with a place, once asked

    def has_place(self, manager: str, month: int) -> bool:
        """Whether an assignment that counts holds for the manager by that month."""
        if manager not in self.since:
            assignments = self.assignments.get(manager, {}).items()
            starts = (start for node, start in assignments if self.reversals.counts(node))
            self.since[manager] = min(starts, default=None)
        since = self.since[manager]
        return since is not None and since <= month


def arrange(entries: Sequence[AnyEntry], stored: Mapping[Key, Target]) -> list[int]:
    """The order of decision, as indices into `entries`; entries of one kind keep the order in which
    they came.

    `stored` has what the batch's reversals name, where it is in the ledger already. Of several
    reversals that name the same, those that are reversed themselves go first: then as many as
    possible can be taken.
    """
    phases: tuple[list[int], ...] = ([], [], [], [])
    reversals = [i for i, entry in enumerate(entries) if entry.kind == "reversal"]
    for i, entry in enumerate(entries):
        if entry.kind != "reversal":
            phases[0 if entry.kind == "assignment" else 2].append(i)
    if reversals:
        kinds: dict[Key, str] = {
            entry.key: entry.kind for entry in reversed(entries) if entry.kind != "reversal"
        }
        kinds |= {key: target.subject.root for key, target in stored.items()}
        for i, root in _chains(entries, reversals, kinds, stored):
            phases[1 if root == "assignment" else 3].append(i)
    return [i for phase in phases for i in phase]


def _chains(
    entries: Sequence[AnyEntry],
    reversals: Sequence[int],
    kinds: Mapping[Key, str],
    stored: Mapping[Key, Target],
) -> Iterable[tuple[int, str | None]]:
    """The reversals, each after what it names, with the kind at the root of the chain: None where
    nothing is.
    """
    naming: defaultdict[Key, list[int]] = defaultdict(list)
    for i in reversals:
        reversal = entries[i]
        assert isinstance(reversal, Reversal)
        naming[reversal.reverses.key].append(i)
    # A stored reversal is later than what it names: beginning with the latest frees what it had
    # taken out.
    roots = sorted(
        (key for key in naming if key in kinds),
        key=lambda key: -stored[key].node if key in stored else 0,
    )
    downward = dict.fromkeys(entries[i].key for i, _ in _walk(roots, naming, entries))
    stands: dict[Key, bool] = {}
    for key in reversed(downward):
        stands[key] = not any(
            stands.get(entries[other].key, False) for other in naming.get(key, ())
        )
    for rivals in naming.values():
        rivals.sort(key=lambda i: stands.get(entries[i].key, True))
    found = dict(_walk(roots, naming, entries))
    for i, key in found.items():
        yield i, kinds[key]
    yield from ((i, None) for i in reversals if i not in found)


def _walk(
    roots: Iterable[Key], naming: Mapping[Key, list[int]], entries: Sequence[AnyEntry]
) -> list[tuple[int, Key]]:
    """Every reversal under the roots, depth first, with its root; what names a key is gone into
    once.
    """
    found: dict[int, Key] = {}
    gone_into: set[Key] = set()
    for root in roots:
        waiting = list(reversed(naming[root]))
        while waiting:
            i = waiting.pop()
            if i not in found:
                found[i], key = root, entries[i].key
                if key not in gone_into:
                    gone_into.add(key)
                    waiting.extend(reversed(naming.get(key, ())))
    return list(found.items())


def decide(drafts: Sequence[Draft], known: Known, probes: Sequence[Draft] = ()) -> list[Decision]:
    """What becomes of each draft, one after the other in the order given; `known` gains what is
    accepted.

    `probes` are to be asked about afterwards with `fits`.
    """
    named = {draft.names for draft in chain(drafts, probes) if draft.names is not None}
    decisions = []
    for place, draft in enumerate(drafts):
        decision = _decide(draft, known)
        decisions.append(decision)
        if decision.status == "accepted":
            node = -1 - place
            known.keys[draft.key] = node, draft.digest
            if draft.kind == "assignment" and draft.manager is not None:
                known.assignments.setdefault(draft.manager, {})[node] = draft.month
                known.since.clear()
            if decision.target is not None:
                known.reversals.add(node, decision.target.node)
                known.since.clear()
            if draft.key in named:
                target = decision.target or Target.of_draft(draft)
                known.targets[draft.key] = target._replace(node=node)
    return decisions


def _decide(draft: Draft, known: Known) -> Decision:
    earlier = known.keys.get(draft.key)
    if earlier is not None:
        node, digest = earlier
        return Decision("duplicate", node) if digest == draft.digest else conflict(draft)
    return fits(draft, known)


def fits(draft: Draft, known: Known) -> Decision:
    """Whether what is known has what the draft needs: an assignment, or what it reverses. Its own
    key is not asked.
    """
    if draft.names is not None:
        return _decide_reversal(draft.names, known)
    if not draft.asks_place or known.has_place(draft.manager or "", draft.month):
        return ACCEPTED
    return no_assignment(draft)


def _decide_reversal(named: Key, known: Known) -> Decision:
    if is_postings_key(named):
        return Decision("rejected", reasons=(_is_posting(named),))
    target = known.targets.get(named)
    if target is None:
        return Decision("rejected", reasons=(_unknown_entry(named),))
    if not known.reversals.counts(target.node):
        return Decision("rejected", reasons=(_already_reversed(named),))
    return Decision("accepted", target=target)


def conflict(draft: Draft) -> Decision:
    """The pair is known, with other content."""
    name = ":".join(draft.key)
    text = Text(
        f"{name} 已记录且内容不同，未写入；若要更正，请先冲销原记录，再用新的 source_id 记录",
        f"{name} is recorded with other content; nothing was written. To correct it, reverse the "
        "recorded entry "
        "and record the right one under a new source_id",
    )
    return Decision("conflict", reasons=(Reason("conflict", "source_id", text),))


def no_assignment(draft: Draft) -> Decision:
    """Nobody has said that this manager works anywhere by that month."""
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
        "and resettle, "
        "which posts the difference",
    )
    return Reason("is_posting", "reverses", text)


def _already_reversed(key: Key) -> Reason:
    name = ":".join(key)
    text = Text(
        f"{name} 已被冲销；如要恢复，请冲销那条冲销记录",
        f"{name} is reversed already; to make it count again, reverse that reversal",
    )
    return Reason("already_reversed", "reverses", text)
