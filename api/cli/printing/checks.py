"""The month check in words."""

from __future__ import annotations

from typing import TYPE_CHECKING

from api.cli.printing.lines import moment, say
from domain.processes.month_check import CODES

if TYPE_CHECKING:
    from api.documents.checks import Check, CheckFinding

SHOWN = 20  # names in a line; the data have them all
_SEVERITIES = {"decide": ("须确认", "to decide"), "note": ("提示", "note")}


def check(found: Check, language: str) -> None:
    """Every finding, with whom and what it is about, and who acknowledged it."""
    if not found.findings:
        say(
            language,
            f"月检 {found.branch} {found.period}：没有问题",
            f"Month check of {found.branch}, {found.period}: nothing found",
        )
        return
    say(
        language,
        f"月检 {found.branch} {found.period}：{len(found.findings)} 项，{found.open} 项须确认",
        f"Month check of {found.branch}, {found.period}: {len(found.findings)} finding(s), "
        f"{found.open} to be acknowledged",
    )
    for finding in found.findings:
        _finding(finding, language)


def _finding(finding: CheckFinding, language: str) -> None:
    zh, en = CODES[finding.code].label
    severity = _SEVERITIES[finding.severity]
    mark = severity
    if finding.acknowledged is not None:
        by = f"{finding.acknowledged.by} {moment(finding.acknowledged.at)}"
        note = finding.acknowledged.note
        mark = (f"已确认（{by}：{note}）", f"acknowledged ({by}: {note})")
    yuan = (f"　{finding.yuan} 元", f", {finding.yuan} yuan") if finding.yuan else ("", "")
    say(
        language,
        f"{finding.code}　{zh}{yuan[0]}　{mark[0]}",
        f"{finding.code}: {en}{yuan[1]} ({mark[1]})",
    )
    say(language, f"  {finding.message.zh}", f"  {finding.message.en}")
    for names in (finding.managers, finding.entries):
        if names:
            more = len(names) - SHOWN
            listed = names[:SHOWN]
            say(
                language,
                f"  {'、'.join(listed)}" + (f" 等 {len(names)} 个" if more > 0 else ""),
                f"  {', '.join(listed)}" + (f" and {more} more" if more > 0 else ""),
            )
