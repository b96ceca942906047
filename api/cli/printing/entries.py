"""What became of imported files, in words."""

from __future__ import annotations

from typing import TYPE_CHECKING

from api.cli.printing.lines import say

if TYPE_CHECKING:
    from api.documents.entries import ImportReport


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
    for item in report.unknown_items:
        say(
            language,
            f"未知项目 {item}：已记入，但没有办法读取它",
            f"unknown item {item}: recorded, but no rulebook reads it",
        )
