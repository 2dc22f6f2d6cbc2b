"""The deletion of skills, and how the doors of the hot path are described to clients."""

from typing import Annotated, Any

from fastapi import APIRouter, Query

from goldvein.capture import skill_deletion
from goldvein.capture.formats import MAX_BATCH_EVENTS, TRACK_RULES
from goldvein.capture.outcomes import FAILED, NONE, REJECTED
from goldvein.consent.decision import DENIED
from goldvein.identity.access import ActorDep, RuntimeDep
from goldvein.skills import service as skills

router = APIRouter(prefix="/api", tags=["skills"])


@router.delete("/skills/{skill_id}")
def delete_skill(
    skill_id: str,
    actor: ActorDep,
    runtime: RuntimeDep,
    confirm: Annotated[str, Query(description="The skill's slug, repeated.")] = "",
) -> dict[str, int]:
    """Delete a skill with its versions, examples, feedback and usage events. Author only; names what went with it."""
    with runtime.database.write(actor.tenant_id) as session:
        skill = skills.find_skill(session, skill_id)
        gone = skill_deletion.delete_skill(session, actor, skill, confirm=confirm, now=runtime.now())
    runtime.database.clear_log()
    return gone


_COUNTS = frozenset({"input_tokens", "output_tokens", "latency_ms"})
_ERRORS = {
    "401": "missing, unknown, revoked or expired key",
    "403": "bad signature, or the key lacks the scope `track`",
    "404": "no such skill in this tenant",
    "409": "this event_id was used for another event",
    "413": "the body is too large",
    "422": "a field is invalid; the answer names it and its limit",
    "429": "too many requests; see Retry-After",
    "503": "the store cannot take it now; see Retry-After",
}


def describe_doors() -> dict[str, Any]:
    """The OpenAPI paths of the hot path, which the web framework does not see."""
    properties = {
        name: {"type": "integer" if name in _COUNTS else "string", "description": rule}
        for name, rule in TRACK_RULES.items()
    }
    track = {"type": "object", "required": ["skill_id", "tool_name", "ts"], "properties": properties}
    reasons = [*DENIED, *NONE, *FAILED, None]
    answer = {
        "type": "object",
        "properties": {
            "event_id": {"type": "string", "format": "uuid"},
            "outcome": {"type": "string", "enum": ["stored", "duplicate"]},
            "capture": {
                "type": "object",
                "properties": {
                    "outcome": {"type": "string", "enum": ["captured", "denied", "none", "failed"]},
                    "reason": {"type": ["string", "null"], "enum": reasons},
                },
            },
        },
    }
    rejected = {
        "type": "object",
        "properties": {
            "outcome": {"type": "string", "enum": ["rejected"]},
            "reason": {"type": "string", "enum": list(REJECTED)},
            "error": {"type": "object"},
        },
    }
    events = {"type": "array", "items": track, "minItems": 1, "maxItems": MAX_BATCH_EVENTS}
    results = {"type": "array", "items": {"anyOf": [answer, rejected]}}
    return {
        "/api/track": {"post": _operation("track", "Report one use of a skill", track, answer, _ERRORS)},
        "/api/track/batch": {
            "post": _operation(
                "track_batch",
                "Report many uses; each has its own outcome",
                {"type": "object", "required": ["events"], "properties": {"events": events}},
                {"type": "object", "properties": {"results": results}},
                {status: text for status, text in _ERRORS.items() if status not in {"404", "409"}},
            )
        },
        "/api/hooks/claude-code": {
            "post": _operation(
                "claude_code_hook",
                "Report a hook event of Claude Code; answers 200 {} whatever becomes of it",
                {"type": "object"},
                {"type": "object"},
                {"401": _ERRORS["401"]},
            )
        },
    }


def _operation(
    name: str, summary: str, request: dict[str, Any], answer: dict[str, Any], errors: dict[str, str]
) -> dict[str, Any]:
    responses = {"200": {"description": "Recorded.", "content": {"application/json": {"schema": answer}}}}
    return {
        "tags": ["capture"],
        "operationId": name,
        "summary": summary,
        "security": [{"key": []}],
        "requestBody": {"required": True, "content": {"application/json": {"schema": request}}},
        "responses": {**responses, **{status: {"description": text} for status, text in errors.items()}},
    }
