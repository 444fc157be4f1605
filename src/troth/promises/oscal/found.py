"""What was looked at and what that showed: the plan, its results, and the plan of what is still to do."""

from __future__ import annotations

from typing import Any

from troth.promises.oscal import words
from troth.promises.oscal.assessed import Assessed, Examined, Found, Observed
from troth.promises.oscal.built import this_system

_OPEN = ("not kept", "kept with exception")
_REASONS = {"kept": "pass", "kept with exception": "pass", "not kept": "fail"}


def plan(told: Assessed) -> dict[str, Any]:
    """Each check as an activity, and how often it is to run."""
    body = {
        "metadata": words.metadata(told, "How the promises are looked at"),
        "import-ssp": {"href": words.SSP},
        "reviewed-controls": words.reviewed([one.id for one in told.promises]),
        "assessment-subjects": [_subjects(told)],
        "assessment-assets": {
            "components": [_looking()],
            "assessment-platforms": [
                {
                    "uuid": words.name_of("platform", told.origin),
                    "title": "The scheduler of the installation",
                    "uses-components": [{"component-uuid": words.name_of("component", "checks")}],
                }
            ],
        },
    }
    if told.checks:
        body["local-definitions"] = {"activities": [_activity(one) for one in told.checks]}
        body["tasks"] = [_task(told, one) for one in told.checks]
    return words.document("assessment-plan", body)


def _looking() -> dict[str, Any]:
    return {
        "uuid": words.name_of("component", "checks"),
        "type": "software",
        "title": "Checks of Troth",
        "description": "Each looks at the system and at something known to be bad, which it must find bad.",
        "status": {"state": "operational"},
    }


def _subjects(told: Assessed) -> dict[str, Any]:
    return {"type": "component", "include-subjects": [{"subject-uuid": words.service(told), "type": "component"}]}


def _activity(one: Examined) -> dict[str, Any]:
    return {
        "uuid": words.name_of("activity", one.check),
        "title": words.prose(one.check),
        "description": words.prose(one.looks_at),
        "props": [
            {"name": "method", "value": "TEST"},
            words.prop("code-sha256", one.code),
            words.prop("scope", one.scope),
            words.prop("population", one.population),
            words.prop("fresh-seconds", one.fresh),
        ],
        "related-controls": words.reviewed(one.promises),
    }


def _task(told: Assessed, one: Examined) -> dict[str, Any]:
    activity = {"activity-uuid": words.name_of("activity", one.check), "subjects": [_subjects(told)]}
    return {
        "uuid": words.name_of("task", one.check),
        "type": "action",
        "title": words.prose(f"Run {one.check}"),
        "timing": {"at-frequency": {"period": one.every, "unit": "seconds"}},
        "associated-activities": [activity],
    }


def results(told: Assessed) -> dict[str, Any]:
    """The runs as observations, the promises as findings, what is open as risks."""
    result: dict[str, Any] = {
        "uuid": words.name_of("result", told.origin, str(told.start), str(told.end)),
        "title": "What the checks showed",
        "description": "Unknown is not satisfied: where nothing fresh was seen, nothing is said to be kept.",
        "start": words.moment(told.start),
        "end": words.moment(told.end),
        "local-definitions": {"components": [this_system(told)], "assessment-assets": _assets(told)},
        "reviewed-controls": words.reviewed([one.id for one in told.promises]),
        "findings": [_finding(told, row) for row in told.found],
    }
    observations = [_observation(told, seen) for seen in told.observed]
    risks = [_risk(told, row) for row in told.found if row.state in _OPEN]
    result |= ({"observations": observations} if observations else {}) | ({"risks": risks} if risks else {})
    body = {
        "metadata": words.metadata(told, "Results of the checks"),
        "import-ap": {"href": words.PLAN},
        "results": [result],
    }
    return words.document("assessment-results", body)


def _assets(told: Assessed) -> dict[str, Any]:
    platform = {
        "uuid": words.name_of("platform", told.origin),
        "uses-components": [{"component-uuid": words.name_of("component", "checks")}],
    }
    return {"components": [_looking()], "assessment-platforms": [platform]}


def _origin(check: str | None = None) -> dict[str, Any]:
    origin: dict[str, Any] = {"actors": [{"type": "party", "actor-uuid": words.tool(), "role-id": words.TOOL}]}
    return origin | ({"related-tasks": [{"task-uuid": words.name_of("task", check)}]} if check else {})


def _observation(told: Assessed, seen: Observed) -> dict[str, Any]:
    check = told.check(seen.check)
    props = [
        words.prop("check", seen.check),
        words.prop("verdict", seen.verdict),
        words.prop("sequence", seen.sequence),
    ]
    props += [words.prop(name, count) for name, count in seen.counts.items()]
    one: dict[str, Any] = {
        "uuid": _seen(told, seen),
        "title": words.prose(f"{seen.check} {seen.sequence}"),
        "description": words.prose(check.looks_at if check else seen.check),
        "props": props,
        "methods": ["TEST"],
        "types": ["control-objective"],
        "origins": [_origin(seen.check if check else None)],
        "subjects": [{"subject-uuid": words.service(told), "type": "component"}],
        "collected": words.moment(seen.at),
    }
    if seen.link:
        said = "The newest of its runs, a signed statement; the audit log tells of it."
        one["relevant-evidence"] = [{"href": f"urn:troth:check-run:v1:{seen.link}", "description": said}]
    return one | ({"expires": words.moment(seen.at + check.fresh * 1000)} if check else {})


def _seen(told: Assessed, seen: Observed) -> str:
    return words.name_of("observation", told.origin, seen.check, str(seen.sequence), seen.link, str(seen.at))


def _finding(told: Assessed, row: Found) -> dict[str, Any]:
    satisfied = row.state in ("kept", "kept with exception")
    status = {"state": "satisfied" if satisfied else "not-satisfied", "reason": _REASONS.get(row.state, "other")}
    finding: dict[str, Any] = {
        "uuid": words.name_of("finding", told.origin, row.id, str(told.end)),
        "title": words.prose(row.id),
        "description": words.prose(row.reason),
        "props": [words.prop("state", row.state)],
        "origins": [_origin()],
        "target": {"type": "objective-id", "target-id": words.objective(row.id), "status": status},
        "implementation-statement-uuid": words.name_of("statement", told.origin, row.id),
    }
    if seen := told.seen(row):
        finding["related-observations"] = [{"observation-uuid": _seen(told, one)} for one in seen]
    if row.state in _OPEN:
        finding["related-risks"] = [{"risk-uuid": _risk_of(told, row)}]
    return finding


def _risk_of(told: Assessed, row: Found) -> str:
    return words.name_of("risk", told.origin, row.id, str(told.end))


def _risk(told: Assessed, row: Found) -> dict[str, Any]:
    risk: dict[str, Any] = {
        "uuid": _risk_of(told, row),
        "title": words.prose(f"{row.id} is broken"),
        "description": words.prose(row.reason),
        "statement": words.prose(next(one.statement for one in told.promises if one.id == row.id)),
        "props": [words.prop("state", row.state)],
        "status": "deviation-approved" if row.excuses else "open",
        "origins": [_origin()],
    }
    if row.excuses:
        risk["deadline"] = words.moment(min(one.ends for one in row.excuses))
        risk["mitigating-factors"] = [
            {"uuid": words.name_of("waiver", told.origin, one.id, row.id), "description": words.prose(one.compensating)}
            for one in row.excuses
        ]
    if entries := _log(told, row):
        risk["risk-log"] = {"entries": entries}
    return risk


def _log(told: Assessed, row: Found) -> list[dict[str, Any]]:
    """When a check of the promise began to fail and when it passed again."""
    entries = []
    for seen in told.seen(row):
        for opened, closed in seen.failures:
            entry: dict[str, Any] = {
                "uuid": words.name_of("failure", told.origin, row.id, seen.check, str(opened)),
                "title": words.prose(f"{seen.check} failed"),
                "start": words.moment(opened),
                "status-change": "open" if closed is None else "closed",
            }
            entries.append(entry | ({} if closed is None else {"end": words.moment(closed)}))
    return entries


def still_to_do(told: Assessed) -> dict[str, Any]:
    """The plan of action: what is broken, excused, not set up or not known."""
    rows = [row for row in told.found if row.state != "kept"]
    rests = {check for row in rows for check in row.checks}
    body: dict[str, Any] = {
        "metadata": words.metadata(told, "What is still to do"),
        "import-ssp": {"href": words.SSP},
        "local-definitions": {"components": [this_system(told)]},
        "observations": [_without_task(_observation(told, seen)) for seen in told.observed if seen.check in rests],
        "risks": [_risk(told, row) for row in rows if row.state in _OPEN],
        "findings": [_finding(told, row) for row in rows],
        "poam-items": [_item(told, row) for row in rows] or [_nothing(told)],
    }
    return words.document("plan-of-action-and-milestones", {name: one for name, one in body.items() if one})


def _without_task(observation: dict[str, Any]) -> dict[str, Any]:
    """Tasks stand in the assessment plan, which a plan of action does not import."""
    return {**observation, "origins": [_origin()]}


def _item(told: Assessed, row: Found) -> dict[str, Any]:
    item: dict[str, Any] = {
        "uuid": words.name_of("item", told.origin, row.id, str(told.end)),
        "title": words.prose(f"{row.id}: {row.state}"),
        "description": words.prose(row.reason),
        "origins": [_origin()],
        "related-findings": [{"finding-uuid": words.name_of("finding", told.origin, row.id, str(told.end))}],
    }
    if seen := told.seen(row):
        item["related-observations"] = [{"observation-uuid": _seen(told, one)} for one in seen]
    if row.state in _OPEN:
        item["related-risks"] = [{"risk-uuid": _risk_of(told, row)}]
    return item


def _nothing(told: Assessed) -> dict[str, Any]:
    said = {"title": "Nothing is open", "description": "Every promise is kept; the format wants one item at least."}
    return {"uuid": words.name_of("item", told.origin, str(told.end)), **said}
