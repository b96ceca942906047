"""What would help after a refusal, in the words of a door: each door has a template an act."""

from __future__ import annotations

from string import Formatter
from typing import TYPE_CHECKING

from domain.errors import MeritError, Text

if TYPE_CHECKING:
    from collections.abc import Mapping

    from domain.errors import NextAct

# The Chinese words of facts that a refusal need not know; in English it is the fact in capitals.
PLACEHOLDERS = {
    "account": "账号",
    "against": "对照",
    "appeal": "申诉编号",
    "branch": "分公司",
    "code": "理由代码",
    "file": "文件",
    "month": "月份",
    "finding": "代码",
    "note": "说明",
    "number": "编号",
    "period": "周期",
    "reason": "原因",
    "role": "角色",
    "rulebooks": "计薪办法",
}


def add_next_act(error: MeritError, templates: Mapping[str, str]) -> Text:
    """The words of a refusal, followed by the act that would help where it names one.

    `templates` has the words of each act, with its facts in braces.
    """
    if error.next_act is None or error.next_act.act not in templates:
        return error.text
    template = templates[error.next_act.act]
    return Text(
        f"{error.text.zh}：{_fill(template, error.next_act, 'zh')}",
        f"{error.text.en}: {_fill(template, error.next_act, 'en')}",
    )


def _fill(template: str, next_act: NextAct, language: str) -> str:
    facts = {
        name: next_act.about.get(name) or _placeholder(name, language)
        for _, name, _, _ in Formatter().parse(template)
        if name
    }
    return template.format_map(facts)


def _placeholder(fact: str, language: str) -> str:
    return PLACEHOLDERS[fact] if language == "zh" else fact.upper()
