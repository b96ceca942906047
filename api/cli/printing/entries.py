"""What became of imported files, in words."""

from __future__ import annotations

from typing import TYPE_CHECKING

from api.cli.printing.lines import say

if TYPE_CHECKING:
    from collections.abc import Sequence

    from api.documents.entries import ImportReport, UnreadItem

SHOWN = 5  # keys in a line; the data have them all


def import_report(report: ImportReport, language: str) -> None:
    """What became of the lines of the files."""
    good, twice, bad = report.accepted, report.duplicates, len(report.rejected)
    zh, en = ("可记入", "would be accepted") if report.dry_run else ("记入", "accepted")
    say(
        language,
        f"{zh} {good}，重复 {twice}，拒绝 {bad}；账本位置 {report.position}",
        f"{en} {good}, duplicates {twice}, rejected {bad}; ledger position {report.position}",
    )
    for row in report.rejected:
        say(language, f"{row.file} 第 {row.line} 行：", f"{row.file}, line {row.line}:")
        for reason in row.reasons:
            say(language, f"  · {reason.told(language)}", f"  - {reason.told(language)}")
    near = {f"{unread.kind}:{unread.item}": unread.near for unread in report.unread}
    for item in report.unknown_items:
        zh, en = _nearest(near.get(item))
        say(
            language,
            f"未知项目 {item}{zh}：已记入，但没有办法读取它",
            f"unknown item {item}{en}: recorded, but no rulebook reads it",
        )
    for unread in report.unread:
        if f"{unread.kind}:{unread.item}" not in report.unknown_items or unread.why == "left":
            _unread(unread, language)
    if report.late:
        number = len(report.late)
        say(
            language,
            f"迟到 {number} 条：其月份已封账，等待重新结算（{_keys(report.late)}）",
            f"late: {number}, of a month that is closed; they wait for a resettlement "
            f"({_keys(report.late)})",
        )


def _unread(unread: UnreadItem, language: str) -> None:
    number, item = len(unread.entries), f"{unread.kind}:{unread.item}"
    zh, en = _nearest(unread.near)
    if unread.why == "left":
        say(
            language,
            f"未读 {number} 条 {item}：人员已离职，没有办法读取（{_keys(unread.entries)}）",
            f"unread: {number} of {item}: the people have left, no rulebook reads them "
            f"({_keys(unread.entries)})",
        )
        return
    say(
        language,
        f"未读 {number} 条 {item}{zh}：所在分公司的办法不读取它（{_keys(unread.entries)}）",
        f"unread: {number} of {item}{en}: no rulebook of the branch reads it "
        f"({_keys(unread.entries)})",
    )


def _nearest(code: str | None) -> tuple[str, str]:
    return (f"（最接近 {code}）", f" (nearest: {code})") if code else ("", "")


def _keys(keys: Sequence[str]) -> str:
    """The first few keys."""
    return ", ".join(keys[:SHOWN]) + (" …" if len(keys) > SHOWN else "")
