"""Accounts, roles and keys in words, one a line."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from api.cli.printing.lines import moment, put_line, say
from domain.errors import Text
from domain.ledger.event_json import instant
from domain.rights import LABELS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from api.documents.accounts import Account, Accounts, ChangedAccount, CreatedKey, Key, Seat


def account(one: Account, language: str) -> None:
    """An account with its roles in a line."""
    zh = "；".join(_role(seat, "zh") for seat in one.roles) or "没有角色"
    en = "; ".join(_role(seat, "en") for seat in one.roles) or "no role"
    owner = Text("", "")
    if one.manager:
        owner = Text(f"（客户经理 {one.manager}）", f" (manager {one.manager})")
    say(language, f"{one.account}{owner.zh}：{zh}", f"{one.account}{owner.en}: {en}")


def _role(seat: Seat, language: str) -> str:
    scope = (seat.branch, seat.team, seat.manager, seat.source, seat.kind)
    return " ".join([LABELS[seat.role].in_language(language), *filter(None, scope)])


def accounts(listed: Accounts, language: str) -> None:
    """Every account in a line."""
    for one in listed.accounts:
        account(one, language)


def account_with_keys(one: Account, language: str) -> None:
    """An account, then its keys."""
    account(one, language)
    keys(one.keys, language)


def created_key(created: CreatedKey, language: str) -> None:
    """A key's secret, alone on its line."""
    say(
        language,
        f"{created.account} 的密钥（只显示这一次，请妥善保存）：",
        f"The key of {created.account} (shown this once, keep it safe):",
    )
    put_line(created.key)


def revoked_key(changed: ChangedAccount, language: str) -> None:
    """The key that was revoked last."""
    last = max(changed.keys, key=lambda key: key.revoked_at or "")
    say(
        language,
        f"已吊销 {changed.account} 的密钥 {last.number}",
        f"key {last.number} of {changed.account} is revoked",
    )


def keys(listed: Sequence[Key], language: str) -> None:
    """Keys, one a line."""
    if not listed:
        say(language, "没有密钥", "no keys")
    for key in listed:
        state, made = _key_state(key), moment(key.created_at)
        say(
            language,
            f"密钥 {key.number}：{state.zh}；{key.created_by} 新建于 {made}",
            f"key {key.number}: {state.en}; made by {key.created_by} at {made}",
        )


def _key_state(key: Key) -> Text:
    """Whether a key opens anything, and until when."""
    if key.revoked_at:
        at = moment(key.revoked_at)
        return Text(f"已于 {at} 吊销", f"revoked at {at}")
    if key.expires_at is None:
        return Text("有效，没有期限", "live, without an end")
    at = moment(key.expires_at)
    if key.expires_at > instant(datetime.now(UTC)):
        return Text(f"有效至 {at}", f"live until {at}")
    return Text(f"已于 {at} 到期", f"ended at {at}")
