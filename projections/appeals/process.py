"""申诉: appeals as they stand, and what is done with them: decisions are carried out once, whatever
comes between.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
from collections.abc import Callable, Sequence
from contextlib import suppress
from itertools import count
from typing import TYPE_CHECKING, Any, ClassVar

from domain.entries.entry import APPEALS, Rating
from domain.errors import Declined, Invalid, NotFound, Reason, Text, VersionClash
from domain.fact_kinds import KIND_CODES
from domain.identifiers import Period, stream_id
from domain.ledger.events import (
    AppealAccepted,
    AppealCarriedOut,
    AppealDecided,
    AppealFiled,
    AppealNotified,
    AppealRejected,
    AppealWithdrawn,
    CorrectionProposed,
    EntryRecorded,
    EvidenceAttached,
    ReviewRequested,
)
from domain.processes import appeal as rules
from domain.processes.appeal import MAX_FILE_BYTES, REJECTIONS, Appeal, evolve, parsed_entries
from domain.processes.branch_month import CALCULATED, check_text
from domain.rights import Place
from projections.appeals.carry_out import carry_out, rehearse
from projections.replay.repeat import run_at
from projections.store.read_model import Projection, Recorded

if TYPE_CHECKING:
    from domain.entries.entry import AnyEntry
    from domain.ledger.events import Event
    from projections.models import Book
    from projections.store.connection import Connection

_AFTER = {
    AppealAccepted.TOPIC: "accepted",
    AppealRejected.TOPIC: "rejected",
    AppealDecided.TOPIC: "decided",
    AppealCarriedOut.TOPIC: "carried_out",
    AppealWithdrawn.TOPIC: "withdrawn",
    ReviewRequested.TOPIC: "in_review",
}


class AppealRows(Projection):
    """The rows: one an appeal, with its state."""

    name = "appeals"
    topics = (AppealFiled.TOPIC, *_AFTER)
    tables: ClassVar[tuple[str, ...]] = ("appeals",)
    schema = (
        """CREATE TABLE IF NOT EXISTS appeals (
            appeal text NOT NULL PRIMARY KEY, position bigint NOT NULL, branch text NOT NULL, team text,
            manager text NOT NULL, period text NOT NULL, state text NOT NULL, approved integer NOT NULL,
            carried integer NOT NULL)""",
    )
    canonical = "SELECT position, appeal, branch, manager, period, state, approved, carried FROM appeals ORDER BY 1"

    def apply(self, connection: Connection, events: Sequence[Recorded]) -> None:
        """Adds the appeals, and their states."""
        for event in events:
            s = event.json()
            if event.topic == AppealFiled.TOPIC:
                row = (
                    s["appeal"],
                    event.position,
                    s["branch"],
                    s["team"],
                    s["manager"],
                    s["period"],
                    "filed",
                    0,
                    0,
                )
                connection.execute("INSERT INTO appeals VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)", row)
                continue
            approved = int(event.topic == AppealDecided.TOPIC and s["proposal"] is not None)
            carried = int(event.topic == AppealCarriedOut.TOPIC)
            # Carried out after a crash, when a review was asked for already: the review goes on.
            connection.execute(
                "UPDATE appeals SET state = CASE WHEN ? = 1 AND state <> 'decided' THEN state ELSE "
                "? END, "
                "approved = approved + ?, carried = carried + ? WHERE appeal = ?",
                (carried, _AFTER[event.topic], approved, carried, s["appeal"]),
            )


class Appeals:
    """Files appeals, and takes them through."""

    def __init__(self, book: Book) -> None:
        self.book, self.ledger, self.rows = book, book.ledger, AppealRows()

    # reading

    def get(self, name: str, as_of: int | None = None) -> Appeal:
        """An appeal, as it is or was as of a position. Raises NotFound."""
        events = self.ledger.events_of(_stream(name), as_of)
        if not events:
            raise NotFound(Text(f"没有申诉 {name}", f"there is no appeal {name}"))
        return evolve(events)

    def place(self, appeal: Appeal) -> Place:
        """Whose appeal it is, where."""
        return Place(appeal.filed.branch, appeal.filed.team, appeal.filed.manager)

    def page(
        self, wanted: dict[str, str | None], *, after: int, limit: int
    ) -> tuple[list[tuple[int, str, str]], int | None]:
        """A page of appeals in the order of filing (position, id, state), and where the next one
        begins.
        """
        self.rows.catch_up(self.ledger)
        given = {name: value for name, value in wanted.items() if value is not None}
        where = "".join(f" AND {name} = ?" for name in given)
        sql = f"SELECT position, appeal, state FROM appeals WHERE position > ?{where} ORDER BY position LIMIT ?"
        with self.book.payments.database.reading() as connection:
            found = connection.fetch(sql, (after, *given.values(), limit + 1))
        rows = [(position, name, state) for position, name, state in found[:limit]]
        return rows, rows[-1][0] if len(found) > limit else None

    def file_of(self, name: str, number: int) -> tuple[EvidenceAttached, bytes]:
        """A file that was attached as evidence. Raises NotFound."""
        evidence = self.get(name).evidence
        if not 1 <= number <= len(evidence) or evidence[number - 1].content is None:
            raise NotFound(
                Text(f"申诉 {name} 没有文件 {number}", f"appeal {name} has no file {number}")
            )
        return evidence[number - 1], base64.b64decode(evidence[number - 1].content or "")

    # filing

    def file(
        self,
        manager: str,
        period: Period,
        reason: str,
        *,
        by: str,
        rulebook: str | None = None,
        lines: Sequence[str] = (),
    ) -> str:
        """A new appeal against the person's latest statement: its id. Raises NotFound, Declined for
        unknown lines.
        """
        check_text(reason)
        issued = self.book.statement(manager, period, rulebook, None)
        if unknown := [line for line in lines if line not in issued.steps]:
            listed = ", ".join(issued.steps)
            raise Declined(
                Text(
                    f"考核单没有 {'、'.join(unknown)}，共有：{listed}",
                    f"the statement has no {', '.join(unknown)}; there are: {listed}",
                )
            )
        fields: dict[str, Any] = {
            "manager": manager,
            "period": str(period),
            "branch": issued.branch,
            "team": issued.team or None,
            "rulebook": issued.rulebook,
            "version": issued.number,
            "lines": tuple(lines),
            "reason": reason,
        }
        for number in count(len(self._names("period = ?", str(period))) + 1):
            name = f"A{period}-{number}"
            with suppress(VersionClash):  # somebody else has just filed under this number
                self.ledger.record(AppealFiled(**_place(name, 1, by), **fields))
                return name
        raise AssertionError

    # acts

    def accept(
        self, name: str, *, by: str, note: str | None = None, after: int | None = None
    ) -> int:
        """It is investigated from now on. Raises WrongState, Declined where it is out of time."""
        appeal = self.get(name)
        rules.check(appeal, "accept")
        rules.check_acceptance(appeal, self.windows(appeal)[0])
        return self.record(appeal, AppealAccepted, by, after, note=note)

    def reject(
        self, name: str, code: str, reason: str, *, by: str, after: int | None = None
    ) -> int:
        """It is not taken up, for a reason that is said. Raises WrongState, Declined."""
        appeal = self.get(name)
        check_text(reason)
        rules.check(appeal, "reject")
        if code not in REJECTIONS:
            listed = ", ".join(REJECTIONS)
            raise Declined(
                Text(
                    f"没有理由 {code}，可用：{listed}",
                    f"there is no such code {code}; use: {listed}",
                )
            )
        if code == "out_of_time":
            rules.check_lateness(appeal, self.windows(appeal)[0])
        return self.record(appeal, AppealRejected, by, after, code=code, reason=reason)

    def attach(
        self,
        name: str,
        note: str,
        *,
        by: str,
        file: tuple[str, str, str] | None = None,
        replay: int | None = None,
        after: int | None = None,
    ) -> int:
        """A note, with a file (name, media type, base64) or a what-if (the position of its replay),
        or neither.
        """
        appeal = self.get(name)
        check_text(note)
        rules.check(appeal, "evidence")
        fields: dict[str, Any] = {"note": note}
        if file is not None:
            content = _decoded(file[2])
            digest = hashlib.sha256(content).hexdigest()
            fields |= {"name": file[0], "media_type": file[1], "digest": digest, "content": file[2]}
        if replay is not None:
            fields |= {"replay": replay, "digests": run_at(self.book, replay).digests}
        return self.record(appeal, EvidenceAttached, by, after, **fields)

    def propose(
        self,
        name: str,
        entries: Sequence[dict[str, Any]],
        *,
        by: str,
        note: str | None = None,
        after: int | None = None,
        permit: Callable[[Sequence[AnyEntry]], None] = lambda _: None,
    ) -> int:
        """Entries that would put right what is wrong; their keys and the appeal are filled in.
        Raises Invalid.
        """
        appeal = self.get(name)
        rules.check(appeal, "propose")
        number = len(appeal.proposals) + 1
        raw = tuple(
            self._named(name, number, place, entry) for place, entry in enumerate(entries, 1)
        )
        if not raw:
            raise Invalid(
                [
                    Reason(
                        "empty",
                        "entries",
                        Text("没有更正的记录", "there is no entry to correct by"),
                    )
                ]
            )
        permit(parsed := parsed_entries(raw))
        outcomes = self.ledger.append(parsed, by=by, dry_run=True)
        reasons = [
            reason._replace(field=f"entries.{place}.{reason.field}".rstrip("."))
            for place, outcome in enumerate(outcomes)
            for reason in outcome.reasons
        ]
        if reasons:
            raise Invalid(reasons)
        return self.record(appeal, CorrectionProposed, by, after, note=note, entries=raw)

    def decide(
        self,
        name: str,
        decision: str,
        reason: str,
        *,
        by: str,
        proposal: int | None = None,
        after: int | None = None,
    ) -> int:
        """Decides, and carries the approved correction out. Raises WrongState, Declined,
        SeparationOfDuties.
        """
        self.book.resume()
        check_text(reason)
        appeal = self.get(name)
        rules.check_decision(
            appeal, decision, proposal, by, self._raters(appeal), self._calculators(appeal)
        )
        account = self.book.accounts.find(by)
        rules.check_disinterest(appeal, by, account.manager if account else None)
        if proposal is not None:
            rehearse(self.book, appeal, appeal.proposals[proposal - 1])
        self.record(
            appeal, AppealDecided, by, after, decision=decision, reason=reason, proposal=proposal
        )
        with suppress(
            VersionClash
        ):  # others resettle the month again and again: it is on record, and resumed
            carry_out(self.book, name)
        return self.ledger.position()

    def notify(
        self, name: str, *, by: str, note: str | None = None, after: int | None = None
    ) -> int:
        """The person was told."""
        appeal = self.get(name)
        rules.check(appeal, "notify")
        return self.record(appeal, AppealNotified, by, after, note=note)

    def withdraw(
        self, name: str, *, by: str, reason: str | None = None, after: int | None = None
    ) -> int:
        """The person does not pursue it."""
        appeal = self.get(name)
        rules.check(appeal, "withdraw")
        return self.record(appeal, AppealWithdrawn, by, after, reason=reason)

    def review(self, name: str, reason: str, *, by: str, after: int | None = None) -> int:
        """The level above is to decide once more; once."""
        appeal = self.get(name)
        check_text(reason)
        rules.check(appeal, "review")
        return self.record(appeal, ReviewRequested, by, after, reason=reason)

    # who and when

    def _raters(self, appeal: Appeal) -> set[str]:
        """Who rated the person in the period: whoever recorded a rating, and whom it names."""
        period = Period.parse(appeal.filed.period)
        facts = self.book.evaluator.facts
        rows = facts.of_manager(
            appeal.filed.manager,
            period.first.index,
            period.last.index,
            as_of=self.ledger.position(),
        )
        events = self.ledger.events_at(
            rows["position"][rows["kind"] == KIND_CODES["rating"]].tolist()
        )
        rated = [
            e
            for e in events.values()
            if isinstance(e, EntryRecorded) and isinstance(e.entry, Rating)
        ]
        done = self.book.cycle(period, appeal.filed.branch).state().done
        fixed = {done["gs_rated"].by} if "gs_rated" in done else set()
        return (
            fixed
            | {e.by for e in rated}
            | {e.entry.rater for e in rated if isinstance(e.entry, Rating) and e.entry.rater}
        )

    def _calculators(self, appeal: Appeal) -> set[str]:
        """Who settled the month, or did its calculations."""
        period = Period.parse(appeal.filed.period)
        done = self.book.cycle(period, appeal.filed.branch).state().done
        settled = self.book.statements.settlements(appeal.filed.period, appeal.filed.branch)
        # Resettlements carry decisions out; who decided does not become a calculator by it.
        closing = self.book.payments.closing(appeal.filed.branch, appeal.filed.period)
        before = [s for s in settled if closing is None or s.position < closing.position]
        return {s.by for s in before} | {done[step].by for step in CALCULATED if step in done}

    def windows(self, appeal: Appeal, as_of: int | None = None) -> tuple[str | None, str | None]:
        """The last days for objections and for decisions; None while the month is not published."""
        cycle = self.book.cycle(Period.parse(appeal.filed.period), appeal.filed.branch, as_of)
        return cycle.windows(cycle.state())

    def _named(self, name: str, number: int, place: int, entry: dict[str, Any]) -> dict[str, Any]:
        named = entry | {"source": APPEALS, "source_id": f"{name}-{number}-{place}"}
        if named.get("kind") == "adjustment":
            named["appeal"] = name
        if named.get("kind") in {"adjustment", "reversal"}:
            named.setdefault("reason", f"申诉 {name}")
        return named

    def undone(self) -> list[str]:
        """The appeals with a decision whose correction is still to be carried out, in the order of
        filing.
        """
        return self._names("approved > carried")

    def carried_out_in(self, branch: str, period: str) -> list[str]:
        """The appeals about a branch's period with a correction that was carried out."""
        return self._names("branch = ? AND period = ? AND carried > 0", branch, period)

    def _names(self, where: str, *params: str) -> list[str]:
        self.rows.catch_up(self.ledger)
        with self.book.payments.database.reading() as connection:
            found = connection.fetch(
                f"SELECT appeal FROM appeals WHERE {where} ORDER BY position", params
            )
        return [name for (name,) in found]

    def record(
        self, appeal: Appeal, kind: type[Event], by: str, known: int | None, /, **fields: Any
    ) -> int:
        """An event of the appeal; `known`: the version that the caller knows. Raises
        VersionClash.
        """
        version = (appeal.version if known is None else known) + 1
        return self.ledger.record(kind(**_place(appeal.filed.appeal, version, by), **fields))


def _stream(name: str) -> Any:
    return stream_id("appeal", name)


def _place(name: str, version: int, by: str) -> dict[str, Any]:
    return {"originator_id": _stream(name), "originator_version": version, "by": by, "appeal": name}


def _decoded(content: str) -> bytes:
    """The bytes of a base64 text. Raises Declined where it is none, or too large."""
    try:
        data = base64.b64decode(content, validate=True)
    except binascii.Error:
        raise Declined(Text("文件内容应为 base64", "a file's content is base64")) from None
    if not data:
        raise Declined(Text("文件是空的", "the file is empty"))
    if len(data) > MAX_FILE_BYTES:
        raise Declined(
            Text(
                f"文件 {len(data)} 字节，最多 {MAX_FILE_BYTES}；请只附摘要和说明",
                f"the file has {len(data)} bytes, at most {MAX_FILE_BYTES}: attach its digest and "
                "a note instead",
            )
        )
    return data
