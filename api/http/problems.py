"""Problems: every refusal as RFC 9457 `application/problem+json`. Nothing else maps an error to a
status.
"""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING, Any, NamedTuple

import orjson
from eventsourcing.persistence import PersistenceError
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.routing import Match

from api.http.next_acts import words_of
from domain.entries.field_errors import misfit, missing
from domain.errors import Invalid, MeritError, Reason, Refused, Text
from domain.identifiers import BadIdentifier
from domain.ledger.store_protocol import store_error
from domain.rulebook.source import BrokenRulebook

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from fastapi import FastAPI
    from starlette.requests import Request

PROBLEM_JSON = "application/problem+json"
CHALLENGE = {"WWW-Authenticate": 'Bearer realm="merit"'}  # RFC 9110 wants it with every 401


class Kind(NamedTuple):
    """A kind of problem: its status, its name, and what it means and what to do about it."""

    status: int
    title: Text
    meaning: Text


KINDS = {
    "invalid": Kind(
        422,
        Text("内容不合要求", "Not well formed"),
        Text(
            "reasons 一次列出全部问题（code 供程序判断，field 为字段，message 为说明）；"
            "改正后重新发送",
            "`reasons` lists everything that is wrong (code for programs, field, message): correct "
            "it, send it again",
        ),
    ),
    "entries_rejected": Kind(
        422,
        Text("所有记录均未接受", "No entry was accepted"),
        Text(
            "results 逐条说明原因，账本没有任何变化；改正后重新发送，已有的记录不会重复",
            "`results` says why of each entry; the ledger is unchanged. Correct them and send them "
            "again: nothing is "
            "recorded twice",
        ),
    ),
    "refused": Kind(
        422,
        Text("考核未通过", "Evaluation refused"),
        Text(
            "findings 列出使结果不可信的问题（人员、步骤、记录）；补齐或更正记录后再试，"
            "没有写入任何内容",
            "`findings` lists what would make a figure wrong (manager, step, entry): record or "
            "correct the entries and "
            "try again. Nothing was written",
        ),
    ),
    "broken_rulebook": Kind(
        422,
        Text("规则有误", "Broken rulebook"),
        Text(
            "problems 逐条给出行、列和改法；规则未发布",
            "`problems` has line, column and what to write instead; nothing was published",
        ),
    ),
    "wrong_period": Kind(
        422,
        Text("周期与办法不符", "Wrong period"),
        Text(
            "办法按月、季、半年或年考核，请用同类周期（2026-10、2026-Q3、2026-H2、2026）",
            "A rulebook is for months, quarters, half-years or years: ask about such a period "
            "(2026-10, 2026-Q3, "
            "2026-H2, 2026)",
        ),
    ),
    "declined": Kind(
        409,
        Text("目前不允许", "Not allowed as things stand"),
        Text("detail 说明原因和下一步", "`detail` says why, and what to do next"),
    ),
    "nobody_to_settle": Kind(
        409,
        Text("无人可结算", "Nobody to settle"),
        Text("请核对分公司编号和任职记录", "Check the branch's id and its assignments"),
    ),
    "already_published": Kind(
        409,
        Text("该版本已发布", "Already published"),
        Text(
            "已发布的规则不能更改；修订稿请换一个版本号",
            "What is published never changes: give the revision a version of its own",
        ),
    ),
    "not_repeatable": Kind(
        409,
        Text("不能重现该重放", "The replay cannot be repeated"),
        Text(
            "现在算出的摘要与当时不同：账本被改动过，或程序的算法变了。请核对账本后重新运行",
            "Its digests are others now: the ledger was changed, or the program computes "
            "otherwise. "
            "Check the ledger and run it anew",
        ),
    ),
    "key_taken": Kind(
        409,
        Text("已有两个有效密钥", "Two keys live already"),
        Text(
            "最多并存两个；请先吊销一个，再新建",
            "At most two keys live at once: revoke one, then create one",
        ),
    ),
    "not_ready": Kind(
        409,
        Text("前序步骤未完成", "Not ready"),
        Text(
            "detail 列出须先完成的步骤和办理人",
            "`detail` lists the steps that come first, and who does them",
        ),
    ),
    "check_open": Kind(
        409,
        Text("月检有未处理的问题", "Findings of the month check are open"),
        Text(
            "detail 列出须先处理的问题；请更正后重新结算，或由人力资源写明原因后确认",
            "`detail` lists what must be decided first: correct it and settle again, or have HR "
            "acknowledge it with the reason",
        ),
    ),
    "wrong_state": Kind(
        409,
        Text("状态不允许", "Wrong state"),
        Text(
            "detail 说明现在的状态、可以做什么、由谁做",
            "`detail` says the state, what can be done now, and by whom",
        ),
    ),
    "closed": Kind(
        409,
        Text("已封账", "Closed"),
        Text(
            "封账的月份不再变化；后来的变化由重新结算补发或扣回",
            "A closed month does not change: a resettlement posts what differs into the open month",
        ),
    ),
    "version_clash": Kind(
        409,
        Text("别人刚刚改过", "Somebody else was first"),
        Text(
            "没有写入任何内容；请重新读取后再试", "Nothing was written: read it again, then retry"
        ),
    ),
    "not_found": Kind(
        404,
        Text("不存在", "Not found"),
        Text(
            "请核对地址和编号；detail 说明缺什么",
            "Check the address and the ids; `detail` says what is not there",
        ),
    ),
    "key_required": Kind(
        401,
        Text("需要接口密钥", "API key required"),
        Text(
            "请用 Authorization: Bearer 密钥，或 X-API-Key: 密钥；新建密钥：merit key create 名称",
            "Send Authorization: Bearer KEY, or X-API-Key: KEY; a key is made by `merit key create "
            "NAME`",
        ),
    ),
    "wrong_password": Kind(
        401,
        Text("账号或口令不对", "Wrong name or password"),
        Text(
            "请重新输入；忘记口令请管理员重设",
            "Enter them again; the administrator can set another password",
        ),
    ),
    "too_many_tries": Kind(
        429,
        Text("尝试次数过多", "Too many tries"),
        Text("请按 Retry-After 稍后再试", "Try again after Retry-After"),
    ),
    "forbidden": Kind(
        403,
        Text("无权办理", "Forbidden"),
        Text(
            "detail 说明谁可以办理；角色由管理员授予",
            "`detail` says who may; the administrator gives roles",
        ),
    ),
    "separation_of_duties": Kind(
        403,
        Text("岗位分离", "Separation of duties"),
        Text(
            "同一人不能既计算又复核，既评价或计算又裁决；请由 detail 所列的另一人办理",
            "Whoever calculated does not review, whoever rated or calculated does not decide: "
            "another person must",
        ),
    ),
    "method_not_allowed": Kind(
        405,
        Text("不支持该方法", "Method not allowed"),
        Text("Allow 头列出可用的方法", "The header Allow lists the methods there are"),
    ),
    "precondition_failed": Kind(
        412,
        Text("状态已变", "It has changed"),
        Text(
            "If-Match 不是当前的 ETag；请重新读取后再改",
            "If-Match is not the current ETag: read it again, then change it",
        ),
    ),
    "precondition_required": Kind(
        428,
        Text("需要 If-Match", "If-Match required"),
        Text(
            "请先读取，再以其 ETag 作为 If-Match 发送",
            "Read it first, and send its ETag as If-Match",
        ),
    ),
    "too_large": Kind(
        413,
        Text("内容过大", "Too large"),
        Text(
            "请分批发送，或用 merit import 导入文件",
            "Send it in parts, or import a file with `merit import`",
        ),
    ),
    "unsupported_media": Kind(
        415,
        Text("不支持该内容类型", "Unsupported media type"),
        Text("detail 列出可用的 Content-Type", "`detail` lists the content types there are"),
    ),
    "not_yet": Kind(
        409,
        Text("账本尚未到达该位置", "Not yet"),
        Text(
            "请按 Retry-After 稍后再试，并核对 wait 的位置",
            "Try again after Retry-After, and check the position in `wait`",
        ),
    ),
    "store": Kind(
        503,
        Text("数据库不可用", "The store fails"),
        Text(
            "数据库连不上或已损坏；未确认的写入请重新发送，不会重复记录",
            "The database cannot be reached or is damaged. Send again what was not acknowledged: "
            "nothing is recorded "
            "twice",
        ),
    ),
    "busy": Kind(
        503,
        Text("暂时繁忙", "Too busy"),
        Text(
            "什么也没有做；请按 Retry-After 稍后再试",
            "Nothing was done: try again after Retry-After",
        ),
    ),
    "bad_request": Kind(
        400,
        Text("请求无法理解", "Bad request"),
        Text("请按 /openapi.json 核对请求", "Check the request against /openapi.json"),
    ),
    "internal": Kind(
        500,
        Text("服务出错", "Internal error"),
        Text(
            "这是程序的错误，请报告；详情在服务日志中",
            "This is a mistake of the program: report it; the service's log has the details",
        ),
    ),
}


def kind_of(error: type[MeritError]) -> str:
    """The code of the nearest documented kind: an error of its own kind, or what it is one of."""
    return next(
        (c.__dict__["code"] for c in error.__mro__ if c.__dict__.get("code") in KINDS), "internal"
    )


def problem(
    code: str, detail: str, *, headers: Mapping[str, str] | None = None, **more: object
) -> Response:
    """A problem document with the status of its kind."""
    kind = KINDS[code]
    body = {
        "type": f"/problems/{code}",
        "title": kind.title.both,
        "status": kind.status,
        "detail": detail,
        **more,
    }
    headers = {"Cache-Control": "no-store", **(headers or {})}
    return Response(orjson.dumps(body), kind.status, headers, PROBLEM_JSON)


def reason_json(reason: Reason) -> dict[str, str]:
    """A reason as data."""
    return {"code": reason.code, "field": reason.field, "message": reason.text.both}


def _details(error: MeritError) -> dict[str, object]:
    """What a refusal lists beside its sentence."""
    if isinstance(error, Invalid):
        return {"reasons": [reason_json(reason) for reason in error.reasons]}
    if isinstance(error, Refused):
        return {"findings": [finding.as_json() for finding in error.findings]}
    if isinstance(error, BrokenRulebook):
        lines = [
            {"line": p.location.line, "column": p.location.column, "message": p.text.both}
            for p in error.problems
        ]
        return {"problems": lines}
    return {}


def _on_refusal(_: Request, error: Exception) -> Response:
    assert isinstance(error, MeritError)
    code, headers = kind_of(type(error)), getattr(error, "headers", None)
    if KINDS[code].status == HTTPStatus.UNAUTHORIZED:
        headers = CHALLENGE
    return problem(code, words_of(error).both, headers=headers, **_details(error))


def _on_bad_identifier(_: Request, error: Exception) -> Response:
    assert isinstance(error, BadIdentifier)
    return problem(
        "invalid", error.text.both, reasons=[reason_json(Reason("bad_value", "", error.text))]
    )


def _on_validation(_: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    reasons = [_reason(found) for found in error.errors()]
    said = Text("；".join(r.told("zh") for r in reasons), "; ".join(r.told("en") for r in reasons))
    return problem("invalid", said.both, reasons=list(map(reason_json, reasons)))


def _reason(error: Mapping[str, Any]) -> Reason:
    field = ".".join(str(part) for part in error["loc"][1:])
    match error["type"]:
        case "missing":
            return missing(field)
        case "extra_forbidden":
            text = Text(
                "未知字段，请对照 /openapi.json",
                "unknown field: leave it out, or see /openapi.json",
            )
            return Reason("unknown_field", field, text)
        case "unknown_parameter":
            return Reason("unknown_field", field, error["msg"])
    return Reason("bad_value", field, misfit(error))


_STATUSES = {
    404: "not_found",
    405: "method_not_allowed",
    415: "unsupported_media",
    413: "too_large",
}


def _on_http(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    code = _STATUSES.get(error.status_code, "bad_request")
    text = Text(
        f"{request.method} {request.url.path}：{KINDS[code].meaning.zh}", KINDS[code].meaning.en
    )
    headers = {"Allow": ", ".join(_allowed(request))} if error.status_code == 405 else error.headers
    return problem(code, text.both, headers=headers)


def _allowed(request: Request) -> list[str]:
    """The methods that the address has, of all routes there: each by itself knows its own."""
    found = [
        method
        for method in ("GET", "POST", "PUT", "PATCH", "DELETE")
        if any(
            route.matches({**request.scope, "method": method})[0] is Match.FULL
            for route in request.app.routes
        )
    ]
    return ["HEAD", *found] if "GET" in found else found


def _on_store(_: Request, error: Exception) -> Response:
    assert isinstance(error, PersistenceError)
    return problem("store", store_error(error).text.both)


def _on_anything(_: Request, __: Exception) -> Response:
    return problem("internal", KINDS["internal"].meaning.both)


def install(app: FastAPI) -> None:
    """Lets the service answer every error with a problem."""
    app.add_exception_handler(MeritError, _on_refusal)
    app.add_exception_handler(BadIdentifier, _on_bad_identifier)
    app.add_exception_handler(RequestValidationError, _on_validation)
    app.add_exception_handler(HTTPException, _on_http)
    app.add_exception_handler(PersistenceError, _on_store)
    app.add_exception_handler(Exception, _on_anything)


def documented(*codes: str) -> dict[int | str, dict[str, Any]]:
    """These kinds of problem as an operation's responses in OpenAPI, those of one status
    together.
    """
    by_status: dict[int, list[str]] = {}
    for code in codes:
        by_status.setdefault(KINDS[code].status, []).append(code)
    return {status: _response(of) for status, of in by_status.items()}


def _response(codes: Sequence[str]) -> dict[str, Any]:
    examples = {
        code: {
            "value": {
                "type": f"/problems/{code}",
                "title": KINDS[code].title.both,
                "status": KINDS[code].status,
                "detail": KINDS[code].meaning.both,
            }
        }
        for code in codes
    }
    content = {"schema": {"$ref": "#/components/schemas/Problem"}, "examples": examples}
    return {
        "description": "; ".join(KINDS[code].title.en for code in codes),
        "content": {PROBLEM_JSON: content},
    }
