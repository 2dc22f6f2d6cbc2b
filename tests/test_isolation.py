"""What belongs to another tenant does not exist: every route, as charlie of Globex, with the ids of Acme.

`ROUTES` lists every route of the application and how it is tried; a route that is not listed fails the first test.
The same attempts run with ids that nobody has: the two answers must not differ, or they would tell that Acme's exist.
"""

import hashlib
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from typing import Any

import pytest
from conftest import ORIGIN, World
from sqlalchemy import MetaData, create_engine, select
from sqlalchemy.engine import make_url

from goldvein.db import session as sessions
from goldvein.db.ids import new_id
from goldvein.feedback.tables import SkillFeedback
from goldvein.identity.access import SESSION_COOKIE, Limiter
from goldvein.identity.tables import Membership, Person, WebSession
from goldvein.webhooks import service as webhooks

SECRET_INPUT, SECRET_OUTPUT = "marigold input", "marigold output"
REVIEWED = "marigold edited"
PERSON_NAME = "Bobwyn Marigoldsson"
PUBLIC, OWN, FOREIGN = "public", "own", "foreign"


@dataclass(frozen=True, kw_only=True)
class Ids:
    """Every kind of id and name by which something of a tenant can be asked for."""

    skill: str
    slug: str
    example: str
    golden: str
    feedback: str
    person: str
    key: str
    session: str
    event: str
    rule: str
    webhook: str
    delivery: str
    notice: str
    record: str
    email: str
    dataset: str
    dataset_slug: str
    own_slug: str = "globex-notes"

    def needles(self) -> list[str]:
        return [getattr(self, name) for name in ("skill", "slug", "example", "golden", "feedback", "person", "key")] + [
            self.session,
            self.event,
            self.rule,
            self.notice,
            self.record,
            self.email,
            self.dataset,
            "marigold",
            "Marigoldsson",
        ]


@dataclass(frozen=True, kw_only=True)
class Try:
    """One request, and what it must give: 404 where it asks for what is Acme's."""

    path: str
    json: Any = None
    data: dict[str, Any] | None = None
    headers: dict[str, str] = field(default_factory=dict)
    params: dict[str, str] = field(default_factory=dict)
    status: int = 404


Tries = Callable[[Ids], list[Try]]


def foreign(path: str, *, status: int = 404, **options: Any) -> Tries:
    """The route with each of Acme's ids in its place; `{skill}` also as slug, `{example}` also as golden example."""

    def tries(ids: Ids) -> list[Try]:
        others = [ids]
        if "{skill}" in path:
            others.append(replace(ids, skill=ids.slug))
        if "{dataset}" in path:
            others.append(replace(ids, dataset=ids.dataset_slug))
        if "{example}" in path:
            others.append(replace(ids, example=ids.golden))
        return [
            Try(path=path.format(**vars(one)), status=status, **{n: _filled(v, one) for n, v in options.items()})
            for one in others
        ]

    return tries


def _filled(value: Any, ids: Ids) -> Any:
    if isinstance(value, dict):
        return {name: _filled(held, ids) for name, held in value.items()}
    if isinstance(value, list):
        return [_filled(held, ids) for held in value]
    return value.format(**vars(ids)) if isinstance(value, str) else value


def both(*several: Tries) -> Tries:
    return lambda ids: [one for tries in several for one in tries(ids)]


def own(path: str, status: int = 200, **options: Any) -> Tries:
    """A route that names nothing of anybody: charlie gets his own, and nothing of Acme's is in it."""
    return lambda ids: [Try(path=path.format(own_slug=ids.own_slug), status=status, **options)]


HOOK = {
    "hook_event_name": "PostToolUse",
    "session_id": "turn-of-bob",
    "prompt_id": "p-1",
    "tool_name": "Bash",
    "tool_use_id": "toolu_1",
    "tool_input": {"command": "make"},
    "tool_response": "done",
}
SKILL_CALL = {**HOOK, "tool_name": "Skill", "tool_input": {"skill": "release-notes"}}
USE = {"tool_name": "Bash", "ts": "2026-03-01T12:00:00Z", "tool_input_snippet": "a", "tool_output_snippet": "b"}
WISH = {"feedback_type": "suggestion", "comment": "Please add dates", "category": "error", "severity": "critical"}
ASSERTIONS = {"assertions": [{"kind": "contains", "value": "a"}]}
RESULTS = {
    "skill_version": "1",
    "dataset": "d",
    "dataset_version": "1",
    "model": "m",
    "tool": "inspect",
    "file_digest": "sha256:" + "0" * 64,
    "rows_in_file": 1,
    "rows": [{"row": "{example}", "score": 1.0, "passed": True}],
}
GOLDEN = {"example_input": "a", "example_output": "b"}
NOTICE = {"language": "fr", "text": "Un avis.", "purposes": ["training"], "wider": False}
RULE = {"type": "staff_number", "pattern": "EMP-[0-9]{6}", "example": "EMP-123456"}
TERMS = {"licence": "marigold", "recipients": "r", "allowed_purposes": ["training"]}
DATASET = {"slug": "notes-set", "name": "A set", "purpose": "training", "skills": ["release-notes"]}
EDIT = {**GOLDEN, "revision": "1", "action": "save"}
ANSWER = {"reply": "Thanks", "status": "accepted", "revision": "1"}

# The routes of the API: by key and by browser.
API: dict[str, tuple[str, Tries]] = {
    "POST /api/track": (FOREIGN, foreign("/api/track", json={**USE, "skill_id": "{skill}"})),
    "POST /api/track/batch": (
        FOREIGN,
        foreign("/api/track/batch", json={"events": [{**USE, "skill_id": "{skill}"}]}, status=200),
    ),
    "POST /api/hooks/claude-code": (
        FOREIGN,
        both(
            foreign("/api/hooks/claude-code", json=HOOK, headers={"X-Goldvein-Skill": "{skill}"}, status=200),
            foreign("/api/hooks/claude-code", json=HOOK, status=200),
            foreign("/api/hooks/claude-code", json=SKILL_CALL, status=200),
        ),
    ),
    "GET /api/members": (OWN, own("/api/members")),
    "PATCH /api/members/{person_id}": (FOREIGN, foreign("/api/members/{person}", json={"active": False})),
    "POST /api/invitations": (OWN, own("/api/invitations", 201, json={"email": "new@globex.example", "name": "New"})),
    "GET /api/keys": (OWN, own("/api/keys")),
    "DELETE /api/keys/{key_id}": (FOREIGN, foreign("/api/keys/{key}")),
    "GET /api/skills": (OWN, both(own("/api/skills"), own("/api/skills", params={"mine": "true"}))),
    "POST /api/skills": (OWN, own("/api/skills", 201, json={"slug": "another", "name": "Another"})),
    "GET /api/skills/{skill_id}": (FOREIGN, foreign("/api/skills/{skill}")),
    "PATCH /api/skills/{skill_id}": (FOREIGN, foreign("/api/skills/{skill}", json={"name": "Mine"})),
    "DELETE /api/skills/{skill_id}": (FOREIGN, foreign("/api/skills/{skill}", params={"confirm": "{slug}"})),
    "GET /api/skills/{skill_id}/versions": (FOREIGN, foreign("/api/skills/{skill}/versions")),
    "POST /api/skills/{skill_id}/co-authors": (
        FOREIGN,
        both(
            foreign("/api/skills/{skill}/co-authors", json={"person_id": "{person}"}),
            foreign("/api/skills/{own_slug}/co-authors", json={"person_id": "{person}"}),
        ),
    ),
    "DELETE /api/skills/{skill_id}/co-authors/{person_id}": (
        FOREIGN,
        both(
            foreign("/api/skills/{skill}/co-authors/{person}"),
            # Nobody of that id is co-author here, and it stays so: removing twice is no error.
            foreign("/api/skills/{own_slug}/co-authors/{person}", status=200),
        ),
    ),
    "POST /api/skills/{skill_id}/transfer": (
        FOREIGN,
        both(
            foreign("/api/skills/{skill}/transfer", json={"person_id": "{person}"}),
            foreign("/api/skills/{own_slug}/transfer", json={"person_id": "{person}"}),
        ),
    ),
    "DELETE /api/skills/{skill_id}/transfer": (FOREIGN, foreign("/api/skills/{skill}/transfer")),
    "POST /api/skills/{skill_id}/transfer/accept": (FOREIGN, foreign("/api/skills/{skill}/transfer/accept")),
    "POST /api/skills/{skill_id}/successor": (
        FOREIGN,
        both(
            foreign("/api/skills/{skill}/successor", json={"person_id": "{person}"}),
            # Refused before the person is looked at: the author is active.
            foreign("/api/skills/{own_slug}/successor", json={"person_id": "{person}"}, status=403),
        ),
    ),
    "GET /api/settings": (OWN, own("/api/settings")),
    "PATCH /api/settings": (OWN, own("/api/settings", json={"name": "Globex Ltd"})),
    "GET /api/settings/sanitizer-rules": (OWN, own("/api/settings/sanitizer-rules")),
    # The same rule as Acme's: it is no conflict, and nobody learns that Acme has it.
    "POST /api/settings/sanitizer-rules": (OWN, own("/api/settings/sanitizer-rules", 201, json=RULE)),
    "DELETE /api/settings/sanitizer-rules/{rule_id}": (FOREIGN, foreign("/api/settings/sanitizer-rules/{rule}")),
    "GET /api/notice": (OWN, own("/api/notice")),
    "GET /api/notices": (OWN, own("/api/notices")),
    "POST /api/notices": (OWN, own("/api/notices", 201, json=NOTICE)),
    "GET /api/notices/{version}": (FOREIGN, foreign("/api/notices/{notice}")),
    "POST /api/notices/{version}/invalidate": (FOREIGN, foreign("/api/notices/{notice}/invalidate")),
    "POST /api/members/{person_id}/revoke-consent": (FOREIGN, foreign("/api/members/{person}/revoke-consent")),
    "DELETE /api/members/{person_id}": (FOREIGN, foreign("/api/members/{person}")),
    # Not confirmed: nothing ends.
    "DELETE /api/settings": (OWN, own("/api/settings", 422, params={"confirm": "Wrong"})),
    "DELETE /api/me": (OWN, own("/api/me", 422, params={"confirm": "wrong@nowhere.example"})),
    "GET /api/incidents": (OWN, own("/api/incidents")),
    "GET /api/reports/audit": (
        OWN,
        both(
            own("/api/reports/audit", params={"from": "2026-01-01", "to": "2026-12-31"}),
            own("/api/reports/audit", params={"from": "2026-01-01", "to": "2026-12-31", "section": "access"}),
        ),
    ),
    "POST /api/training-examples/{example_id}/report-leak": (
        FOREIGN,
        foreign("/api/training-examples/{example}/report-leak"),
    ),
    "POST /api/feedback": (
        FOREIGN,
        both(
            foreign("/api/feedback", json={**WISH, "skill_id": "{skill}"}),
            # A field of one's own report that names nothing: the field is wrong, for every unknown event alike.
            foreign("/api/feedback", json={**WISH, "skill_id": "{own_slug}", "usage_event_id": "{event}"}, status=422),
        ),
    ),
    "GET /api/skills/{skill_id}/feedback": (FOREIGN, foreign("/api/skills/{skill}/feedback")),
    "PATCH /api/feedback/{feedback_id}": (
        FOREIGN,
        both(
            foreign("/api/feedback/{feedback}", json={"status": "accepted"}),
            foreign("/api/feedback/{example}", json={"status": "accepted"}),
        ),
    ),
    "GET /api/skills/{skill_id}/training-examples": (FOREIGN, foreign("/api/skills/{skill}/training-examples")),
    "GET /api/skills/{skill_id}/training-examples/count": (
        FOREIGN,
        foreign("/api/skills/{skill}/training-examples/count"),
    ),
    "POST /api/skills/{skill_id}/training-examples": (
        FOREIGN,
        foreign("/api/skills/{skill}/training-examples", json=GOLDEN),
    ),
    "POST /api/skills/{skill_id}/training-examples/import": (
        FOREIGN,
        foreign("/api/skills/{skill}/training-examples/import", json={"items": [GOLDEN]}),
    ),
    "GET /api/training-examples/{example_id}": (FOREIGN, foreign("/api/training-examples/{example}")),
    "PATCH /api/training-examples/{example_id}": (
        FOREIGN,
        foreign("/api/training-examples/{example}", json={"expected_output": "x"}),
    ),
    "DELETE /api/training-examples/{example_id}": (FOREIGN, foreign("/api/training-examples/{example}")),
    "POST /api/training-examples/{example_id}/review": (
        FOREIGN,
        foreign("/api/training-examples/{example}/review", json={"decision": "quarantine"}),
    ),
    "GET /api/skills/{skill_id}/assertions": (FOREIGN, foreign("/api/skills/{skill}/assertions")),
    "PUT /api/skills/{skill_id}/assertions": (FOREIGN, foreign("/api/skills/{skill}/assertions", json=ASSERTIONS)),
    "GET /api/training-examples/{example_id}/assertions": (
        FOREIGN,
        foreign("/api/training-examples/{example}/assertions"),
    ),
    "PUT /api/training-examples/{example_id}/assertions": (
        FOREIGN,
        foreign("/api/training-examples/{example}/assertions", json=ASSERTIONS),
    ),
    "GET /api/skills/{skill_id}/results": (FOREIGN, foreign("/api/skills/{skill}/results")),
    "POST /api/skills/{skill_id}/results": (FOREIGN, foreign("/api/skills/{skill}/results", json=RESULTS)),
    "GET /api/skills/{skill_id}/results/comparison": (
        FOREIGN,
        foreign("/api/skills/{skill}/results/comparison", params={"before": "1", "after": "1"}),
    ),
    "GET /api/skills/{skill_id}/export": (FOREIGN, foreign("/api/skills/{skill}/export")),
    "GET /api/datasets": (OWN, own("/api/datasets")),
    # The same name as Acme's is no conflict: it is the skill that is not there.
    "POST /api/datasets": (FOREIGN, foreign("/api/datasets", json={**DATASET, "skills": ["{skill}"]})),
    "GET /api/datasets/{dataset_id}": (FOREIGN, foreign("/api/datasets/{dataset}")),
    "PATCH /api/datasets/{dataset_id}": (FOREIGN, foreign("/api/datasets/{dataset}", json={"name": "Mine"})),
    "DELETE /api/datasets/{dataset_id}": (FOREIGN, foreign("/api/datasets/{dataset}")),
    "GET /api/datasets/{dataset_id}/readers": (FOREIGN, foreign("/api/datasets/{dataset}/readers")),
    "POST /api/datasets/{dataset_id}/readers": (
        FOREIGN,
        foreign("/api/datasets/{dataset}/readers", json={"person_id": "{person}"}),
    ),
    "DELETE /api/datasets/{dataset_id}/readers/{person_id}": (
        FOREIGN,
        foreign("/api/datasets/{dataset}/readers/{person}"),
    ),
    "POST /api/skills/{skill_id}/dataset-grants": (
        FOREIGN,
        both(
            foreign("/api/skills/{skill}/dataset-grants", json={"person_id": "{person}"}),
            foreign("/api/skills/{own_slug}/dataset-grants", json={"person_id": "{person}"}),
        ),
    ),
    "DELETE /api/skills/{skill_id}/dataset-grants/{person_id}": (
        FOREIGN,
        both(
            foreign("/api/skills/{skill}/dataset-grants/{person}"),
            foreign("/api/skills/{own_slug}/dataset-grants/{person}"),
        ),
    ),
    "POST /api/datasets/{dataset_id}/versions": (FOREIGN, foreign("/api/datasets/{dataset}/versions", json={})),
    "GET /api/datasets/{dataset_id}/versions": (FOREIGN, foreign("/api/datasets/{dataset}/versions")),
    "GET /api/datasets/{dataset_id}/versions/{version}": (FOREIGN, foreign("/api/datasets/{dataset}/versions/1")),
    "GET /api/datasets/{dataset_id}/versions/{version}/manifest": (
        FOREIGN,
        foreign("/api/datasets/{dataset}/versions/1/manifest"),
    ),
    "GET /api/datasets/{dataset_id}/versions/{version}/rows": (
        FOREIGN,
        both(
            foreign("/api/datasets/{dataset}/versions/1/rows"),
            foreign("/api/datasets/{dataset}/versions/1/rows", params={"split": "holdout"}),
        ),
    ),
    "GET /api/datasets/{dataset_id}/versions/{version}/rows.jsonl": (
        FOREIGN,
        foreign("/api/datasets/{dataset}/versions/1/rows.jsonl"),
    ),
    "GET /api/datasets/{dataset_id}/versions/{version}/export": (
        FOREIGN,
        foreign("/api/datasets/{dataset}/versions/1/export"),
    ),
    "GET /api/datasets/{dataset_id}/diff": (FOREIGN, foreign("/api/datasets/{dataset}/diff", params={"before": "1"})),
    "POST /api/datasets/{dataset_id}/tags": (
        FOREIGN,
        foreign("/api/datasets/{dataset}/tags", json={"tag": "prod", "version": "1"}),
    ),
    "DELETE /api/datasets/{dataset_id}/tags/{tag}": (FOREIGN, foreign("/api/datasets/{dataset}/tags/best")),
    "GET /api/datasets/{dataset_id}/removals": (FOREIGN, foreign("/api/datasets/{dataset}/removals")),
    "GET /api/datasets/{dataset_id}/downloads": (FOREIGN, foreign("/api/datasets/{dataset}/downloads")),
    "GET /api/me": (OWN, own("/api/me")),
    "GET /api/me/preferences": (OWN, own("/api/me/preferences")),
    "PATCH /api/me/preferences": (OWN, own("/api/me/preferences", json={"display": "name"})),
    "GET /api/me/consent": (OWN, own("/api/me/consent")),
    "GET /api/me/consent/{event_id}/receipt": (FOREIGN, foreign("/api/me/consent/{record}/receipt")),
    "GET /api/ledger/entries": (
        OWN,
        both(own("/api/ledger/entries"), own("/api/ledger/entries", params={"cursor": "MQ"})),
    ),
    "GET /api/ledger/checkpoint": (OWN, own("/api/ledger/checkpoint", params={"since": "1"})),
    "GET /api/ledger/keys": (PUBLIC, own("/api/ledger/keys")),
    "POST /api/me/consent": (
        FOREIGN,
        both(
            foreign("/api/me/consent", json={"decision": "give", "skills": ["{skill}"]}),
            foreign("/api/me/consent", json={"decision": "give", "skills": ["{own_slug}", "{skill}"]}),
            foreign("/api/me/consent", json={"decision": "withdraw", "skills": ["{skill}"]}),
            # A text that is not in force here, whether it is Acme's or nobody's.
            foreign("/api/me/consent", json={"decision": "give", "notice_version": "{notice}"}, status=409),
        ),
    ),
    "GET /api/me/data": (OWN, own("/api/me/data")),
    "DELETE /api/me/data": (OWN, own("/api/me/data")),
    "DELETE /api/me/data/{example_id}": (FOREIGN, foreign("/api/me/data/{example}")),
    "GET /api/me/webhooks": (OWN, own("/api/me/webhooks")),
    # Refused before a name is looked up: a test leaves this machine as little as a stranger does.
    "POST /api/me/webhooks": (OWN, own("/api/me/webhooks", 422, json={"url": "https://127.0.0.1/hook"})),
    "DELETE /api/me/webhooks/{webhook_id}": (FOREIGN, foreign("/api/me/webhooks/{webhook}")),
    "POST /api/me/webhooks/{webhook_id}/deliveries/{delivery_id}/retry": (
        FOREIGN,
        foreign("/api/me/webhooks/{webhook}/deliveries/{delivery}/retry"),
    ),
    "GET /api/me/keys": (OWN, own("/api/me/keys")),
    "POST /api/me/keys": (OWN, own("/api/me/keys", 201, json={"name": "k", "scopes": ["read"]})),
    "POST /api/me/keys/{key_id}/rotate": (FOREIGN, foreign("/api/me/keys/{key}/rotate")),
    "DELETE /api/me/keys/{key_id}": (FOREIGN, foreign("/api/me/keys/{key}")),
    "GET /api/me/sessions": (OWN, own("/api/me/sessions")),
    "DELETE /api/me/sessions/{session_id}": (FOREIGN, foreign("/api/me/sessions/{session}")),
    "GET /healthz": (PUBLIC, own("/healthz")),
    "GET /readyz": (PUBLIC, own("/readyz")),
    "GET /metrics": (PUBLIC, own("/metrics")),
    "GET /openapi.json": (PUBLIC, own("/openapi.json")),
}

# The pages: by browser alone.
PAGES: dict[str, tuple[str, Tries]] = {
    "GET /": (PUBLIC, own("/", 303)),
    "GET /docs": (PUBLIC, own("/docs")),
    "GET /static": (PUBLIC, own("/static/nothing.css", 404)),
    "GET /sign-in": (PUBLIC, own("/sign-in")),
    "POST /sign-in": (PUBLIC, own("/sign-in", 401, data={"email": "charlie@globex.example", "password": "wrong"})),
    "POST /sign-in/organisation": (PUBLIC, own("/sign-in/organisation", 404, data={"link": "unknown"})),
    "POST /sign-out": (PUBLIC, own("/sign-out", 303)),
    "GET /login/{token}": (PUBLIC, own("/login/unknown", 404)),
    "GET /welcome/{token}": (PUBLIC, own("/welcome/unknown", 404)),
    "POST /welcome/{token}": (PUBLIC, own("/welcome/unknown", 404, data={"password": "a long enough password"})),
    "GET /skills": (OWN, own("/skills")),
    "GET /skills/{slug}": (FOREIGN, foreign("/skills/{skill}")),
    "GET /skills/{slug}/feedback": (FOREIGN, foreign("/skills/{skill}/feedback")),
    "POST /skills/{slug}/feedback": (FOREIGN, foreign("/skills/{skill}/feedback", data=WISH)),
    "POST /feedback/{feedback_id}/answer": (
        FOREIGN,
        both(foreign("/feedback/{feedback}/answer", data=ANSWER), foreign("/feedback/{example}/answer", data=ANSWER)),
    ),
    "GET /skills/{slug}/training": (FOREIGN, foreign("/skills/{skill}/training")),
    "POST /skills/{slug}/training": (FOREIGN, foreign("/skills/{skill}/training", data=GOLDEN)),
    "GET /training-examples/{example_id}": (FOREIGN, foreign("/training-examples/{example}")),
    "POST /training-examples/{example_id}": (FOREIGN, foreign("/training-examples/{example}", data=EDIT)),
    "POST /training-examples/{example_id}/review": (
        FOREIGN,
        foreign("/training-examples/{example}/review", data={"decision": "quarantine", "revision": "1"}),
    ),
    "POST /training-examples/{example_id}/report-leak": (FOREIGN, foreign("/training-examples/{example}/report-leak")),
    "GET /preferences": (OWN, own("/preferences")),
    "GET /preferences/consent/{event_id}/receipt.json": (
        FOREIGN,
        foreign("/preferences/consent/{record}/receipt.json"),
    ),
    "POST /preferences/data/{example_id}/report-leak": (FOREIGN, foreign("/preferences/data/{example}/report-leak")),
    "POST /preferences/delete-account": (
        OWN,
        own("/preferences/delete-account", 422, data={"confirm": "wrong@nowhere.example"}),
    ),
    "POST /preferences/consent": (OWN, own("/preferences/consent", 303, data={"consent_revision": "0"})),
    "POST /preferences/consent/withdraw": (OWN, own("/preferences/consent/withdraw", 303)),
    "POST /preferences/consent/purposes": (
        OWN,
        own("/preferences/consent/purposes", 303, data={"consent_revision": "0"}),
    ),
    "POST /preferences/consent/refuse": (OWN, own("/preferences/consent/refuse", 409, data={"consent_revision": "0"})),
    "POST /preferences/consent/skills/{skill_id}/give": (
        FOREIGN,
        foreign("/preferences/consent/skills/{skill}/give", data={"consent_revision": "0"}),
    ),
    "POST /preferences/consent/skills/{skill_id}/withdraw": (
        FOREIGN,
        foreign("/preferences/consent/skills/{skill}/withdraw"),
    ),
    "GET /preferences/notices/{version}": (FOREIGN, foreign("/preferences/notices/{notice}")),
    "GET /preferences/data.json": (OWN, own("/preferences/data.json")),
    "POST /preferences/consent/renew": (OWN, own("/preferences/consent/renew", 409, data={"consent_revision": "0"})),
    "POST /preferences/display": (OWN, own("/preferences/display", 303, data={"display": "name"})),
    "POST /preferences/data/erase": (OWN, own("/preferences/data/erase", 303)),
    "POST /preferences/data/{example_id}/erase": (FOREIGN, foreign("/preferences/data/{example}/erase")),
    "POST /preferences/keys": (OWN, own("/preferences/keys", 201, data={"name": "k", "scopes": "read"})),
    "POST /preferences/keys/{key_id}/rotate": (FOREIGN, foreign("/preferences/keys/{key}/rotate")),
    "POST /preferences/keys/{key_id}/revoke": (FOREIGN, foreign("/preferences/keys/{key}/revoke")),
    "POST /preferences/sessions/{session_id}/end": (FOREIGN, foreign("/preferences/sessions/{session}/end")),
    "GET /admin": (OWN, own("/admin")),
    "POST /admin/capture": (OWN, own("/admin/capture", 303, data={"capture": "off", "revision": "0"})),
    # The second change of the name: the first went through the API, above.
    "POST /admin/name": (OWN, own("/admin/name", 303, data={"name": "Globex", "revision": "2"})),
    "POST /admin/members/{person_id}/erase": (FOREIGN, foreign("/admin/members/{person}/erase")),
    "GET /admin/audit-report": (OWN, own("/admin/audit-report", params={"from": "2026-01-01", "to": "2026-12-31"})),
    "POST /admin/delete-organisation": (OWN, own("/admin/delete-organisation", 422, data={"confirm": "Wrong"})),
    "POST /admin/members/{person_id}": (
        FOREIGN,
        foreign("/admin/members/{person}", data={"change": "deactivate", "revision": "1"}),
    ),
    "POST /admin/members/{person_id}/invitation": (FOREIGN, foreign("/admin/members/{person}/invitation")),
    "POST /admin/invitations": (
        OWN,
        own("/admin/invitations", 201, data={"email": "newer@globex.example", "name": "New"}),
    ),
    "POST /admin/sanitizer-rules": (OWN, own("/admin/sanitizer-rules", 303, data={**RULE, "type": "worker"})),
    "POST /admin/sanitizer-rules/{rule_id}/delete": (FOREIGN, foreign("/admin/sanitizer-rules/{rule}/delete")),
    # The second notice: the first went through the API, above.
    "POST /admin/notices": (OWN, own("/admin/notices", 303, data={**NOTICE, "wider": "no", "revision": "1"})),
    "POST /admin/revoke-consent": (FOREIGN, foreign("/admin/revoke-consent", data={"person_id": "{person}"})),
    "POST /admin/keys/{key_id}/revoke": (FOREIGN, foreign("/admin/keys/{key}/revoke")),
}
ROUTES = {**API, **PAGES}
DOORS = {"POST /api/track", "POST /api/track/batch", "POST /api/hooks/claude-code"}


def leaves(routes: list[Any]) -> Iterator[str]:
    """Every route as `METHOD path`, those of included routers too; a mounted application counts as one."""
    for route in routes:
        if hasattr(route, "original_router"):
            yield from leaves(route.original_router.routes)
        elif getattr(route, "methods", None):
            yield from (f"{method} {route.path}" for method in route.methods if method != "HEAD")
        else:
            yield f"GET {route.path}"


@pytest.fixture
def acme(world: World) -> Ids:
    """Acme with something of everything, each with a word in it that stands nowhere else."""
    alice, bob = world.client("alice"), world.client("bob")
    tenant_id = world.someone("bob").tenant_id
    with world.database.write(tenant_id) as session:
        session.scalars(select(Person).where(Person.id == world.someone("bob").person_id)).one().name = PERSON_NAME
    bob.patch("/api/me/preferences", json={"display": "name"})
    example = world.capture(text=SECRET_INPUT, answer=SECRET_OUTPUT)
    alice.patch(f"/api/training-examples/{example}", json={"expected_output": REVIEWED, "review_notes": REVIEWED})
    golden = alice.post(
        f"/api/skills/{world.skill_id()}/training-examples",
        json={"example_input": "marigold golden", "example_output": "marigold golden"},
    ).json()
    dataset = alice.post("/api/datasets", json={**DATASET, "terms": TERMS}).json()
    assert alice.post("/api/datasets/notes-set/versions", json={}).status_code == 201
    alice.post("/api/datasets/notes-set/tags", json={"tag": "best", "version": "1"})
    wish = {**WISH, "comment": "marigold comment", "skill_id": world.skill_id()}
    feedback = bob.post("/api/feedback", json=wish).json()
    rule = world.client("dana").post("/api/settings/sanitizer-rules", json=RULE).json()
    asked = {"language": "en", "text": "A marigold notice.", "purposes": ["training"], "wider": False}
    notice = world.client("dana").post("/api/notices", json=asked).json()
    bob.post("/api/hooks/claude-code", json={**SKILL_CALL, "hook_event_name": "PreToolUse"})
    with world.database.read(tenant_id) as session:
        event = session.scalars(select(SkillFeedback.usage_event_id).where(SkillFeedback.id == example)).one()
        own_session = WebSession.person_id == world.someone("bob").person_id
        signed_in = session.scalars(select(WebSession.id).where(own_session)).one()
    assert event is not None
    with world.database.write(tenant_id) as session:
        bob_acts = world.actor("bob")
        url = "https://marigold.example/hook"
        webhook, _ = webhooks.add_webhook(session, world.runtime.server_key, bob_acts, url, world.time)
        webhooks.announce(session, tenant_id, [bob_acts.person_id], "test.told", {"of": "marigold"}, now=world.time)
        delivery = webhooks.list_webhooks(session, bob_acts)[0][1][0].id
    return Ids(
        skill=world.skill_id(),
        slug="release-notes",
        example=example,
        golden=golden["id"],
        feedback=feedback["id"],
        person=world.someone("bob").person_id,
        key=world.someone("bob").key_id,
        session=signed_in,
        event=event,
        rule=rule["id"],
        webhook=webhook.id,
        delivery=delivery,
        notice=notice["version"],
        record=world.client("bob").get("/api/me/consent").json()["records"][0]["id"],
        email=world.someone("bob").email,
        dataset=dataset["id"],
        dataset_slug="notes-set",
    )


def nobodys() -> Ids:
    """Ids of the same form that nothing has."""
    names = ("skill", "example", "golden", "feedback", "person", "key", "session", "event", "rule", "record", "dataset")
    names += ("webhook", "delivery")
    own = {
        "slug": "no-such-skill",
        "dataset_slug": "no-such-set",
        "email": "nobody@nowhere.example",
        "notice": "sha256:" + "0" * 64,
    }
    return Ids(**own, **{name: new_id() for name in names})


@pytest.fixture
def filter_off(monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> bool:
    """Switch the session's tenant filter off, so that what is below it has to hold alone."""
    off: bool = request.param
    if off:
        make = sessions.TenantSession.__init__

        def make_unfiltered(session: sessions.TenantSession, *args: Any, **options: Any) -> None:
            make(session, *args, **options)
            session.info["tenant_filter"] = False

        monkeypatch.setattr(sessions.TenantSession, "__init__", make_unfiltered)
    return off


AS_STRANGER = pytest.mark.parametrize(
    ("store", "filter_off"),
    [("sqlite", False), ("postgresql", False), ("postgresql", True)],
    indirect=True,
    ids=["sqlite", "postgresql", "postgresql-row-security-alone"],
)


def send(client: Any, route: str, one: Try) -> Any:
    method = route.split(" ", 1)[0]
    return client.request(method, one.path, json=one.json, data=one.data, headers=one.headers, params=one.params)


def acme_rows(world: World) -> str:
    """One digest over every row of Acme: whatever charlie tries, it stays the same."""
    url = make_url(world.owner_url)
    engine = create_engine(url.set(username="postgres") if url.get_backend_name() == "postgresql" else url)
    metadata = MetaData()
    metadata.reflect(engine)
    wanted = world.someone("alice").tenant_id.replace("-", "")
    found = []
    with engine.connect() as connection:
        for table in metadata.sorted_tables:
            rows = [dict(row) for row in connection.execute(select(table)).mappings()]
            keep = [row for row in rows if str(row.get("tenant_id", row.get("id"))).replace("-", "") == wanted]
            found.append((table.name, sorted(repr(sorted(row.items(), key=str)) for row in keep)))
    engine.dispose()
    assert sum(len(rows) for _, rows in found) > 20
    return hashlib.sha256(repr(found).encode()).hexdigest()


def what_can_be_compared(response: Any) -> tuple[int, Any]:
    """What two refusals must have in common."""
    is_json = response.headers.get("content-type", "").startswith("application/json")
    return response.status_code, response.json() if is_json else None


def status_alone(response: Any) -> int:
    return int(response.status_code)


def test_every_route_is_listed_here(world: World) -> None:
    assert set(leaves(world.app.router.routes)) | DOORS == set(ROUTES)


@AS_STRANGER
@pytest.mark.parametrize("way", ["key", "browser"])
def test_what_belongs_to_another_tenant_does_not_exist(world: World, acme: Ids, filter_off: bool, way: str) -> None:
    before, unknown = acme_rows(world), nobodys()
    world.runtime.limiter = Limiter(replace(world.runtime.settings, failed_authentication_limit_per_minute=10_000))
    client = world.client("charlie") if way == "key" else world.browser("charlie")
    for route, (kind, tries) in (API if way == "key" else ROUTES).items():
        if way == "browser" and route in DOORS:
            continue  # they take keys alone
        if route == "POST /sign-out":
            continue  # it would end charlie's session before the other routes are tried
        for real, other in zip(tries(acme), tries(unknown), strict=True):
            answer = send(client, route, real)
            assert answer.status_code == real.status, (route, real, answer.text)
            leaked = [needle for needle in acme.needles() if needle in _said(answer, real)]
            assert leaked == [], (route, leaked)
            if kind == FOREIGN:
                compared = what_can_be_compared if real.status >= 400 else status_alone
                assert compared(answer) == compared(send(client, route, other)), route
    assert acme_rows(world) == before
    assert world.metric_sum("goldvein_events_total", outcome="stored", door="hook") == 0


def _said(answer: Any, one: Try) -> str:
    """What the server said, without what the request had named itself (a form shows again what was typed)."""
    said = answer.text + json.dumps(dict(answer.headers))
    return said.replace(one.path, "") if answer.status_code == 404 else said


@AS_STRANGER
def test_a_key_of_one_tenant_stores_nothing_in_another(world: World, acme: Ids, filter_off: bool) -> None:
    """Even under the same name: charlie's skill of Acme's slug is charlie's."""
    client = world.client("charlie")
    assert client.post("/api/skills", json={"slug": acme.slug, "name": "Mine"}).status_code == 201
    before = acme_rows(world)
    answer = client.post("/api/track", json={**USE, "skill_id": acme.slug})
    assert answer.json()["outcome"] == "stored"
    mine = client.get(f"/api/skills/{acme.slug}").json()
    assert (mine["name"], mine["is_author"]) == ("Mine", True)
    count = client.get(f"/api/skills/{acme.slug}/training-examples/count").json()
    assert count == {"status": {}, "source": {}}
    assert acme_rows(world) == before


@AS_STRANGER
def test_the_same_event_id_in_two_tenants_is_two_events(world: World, filter_off: bool) -> None:
    first = world.track("bob", event_id="toolu_1").json()
    body = {**USE, "skill_id": "globex-notes", "event_id": "toolu_1"}
    second = world.client("charlie").post("/api/track", json=body).json()
    assert (first["outcome"], second["outcome"]) == ("stored", "stored")


@pytest.mark.parametrize("way", ["key", "browser"])
def test_an_admin_who_is_not_the_author_sees_no_captured_text_and_no_name(world: World, acme: Ids, way: str) -> None:
    """Members have names and addresses on the pages that manage members, and there alone."""
    with world.database.write(world.someone("dana").tenant_id) as session:
        membership = session.scalars(select(Membership).where(Membership.person_id == acme.person)).one()
        assert membership.display == "name"
    client = world.client("dana") if way == "key" else world.browser("dana")
    captured = (SECRET_INPUT, SECRET_OUTPUT, REVIEWED)
    manages_members = {"GET /api/members", "GET /api/keys", "GET /admin", "PATCH /api/members/{person_id}"}
    manages_members |= {"POST /admin/delete-organisation"}  # unconfirmed, it leads back to that page
    manages_members |= {"POST /admin/notices"}  # the second one is a conflict, shown on the page of the admin
    destroys = {"POST /sign-out", "POST /admin/members/{person_id}", "PATCH /api/members/{person_id}"}
    destroys |= {"POST /admin/revoke-consent", "POST /api/members/{person_id}/revoke-consent"}
    for route, (_, tries) in (API if way == "key" else ROUTES).items():
        if route in destroys or (way == "browser" and route in DOORS):
            continue
        for one in tries(acme):
            answer = send(client, route, one)
            assert answer.status_code < 500, (route, answer.text)
            assert [word for word in captured if word in answer.text] == [], route
            if route not in manages_members:
                assert PERSON_NAME not in answer.text, route
                assert acme.email not in answer.text or acme.email in json.dumps(one.json or one.data), route
    listed = client.get(f"/api/skills/{acme.skill}/training-examples").json()["items"]
    row = next(item for item in listed if item["id"] == acme.example)
    hidden = (
        "user",
        "example_input",
        "example_output",
        "expected_output",
        "review_notes",
        "usage_event_id",
        "findings",
    )
    assert {name: row[name] for name in hidden} == dict.fromkeys(hidden)
    assert next(item for item in listed if item["id"] == acme.golden)["example_input"] == "marigold golden"


def test_a_member_who_is_not_the_author_sees_only_numbers(world: World, acme: Ids) -> None:
    for name in ("bob", "erin"):
        client = world.client(name)
        assert client.get(f"/api/skills/{acme.skill}/training-examples").status_code == 403
        assert client.get(f"/api/training-examples/{acme.golden}").status_code == 403
        assert client.get(f"/api/skills/{acme.skill}/export").status_code == 403
        count = client.get(f"/api/skills/{acme.skill}/training-examples/count").json()
        assert count["source"] == {"usage_capture": 1, "api": 1}


def test_nobody_gets_past_the_door_without_a_key_or_a_session(world: World, acme: Ids) -> None:
    before = acme_rows(world)
    world.runtime.limiter = Limiter(replace(world.runtime.settings, failed_authentication_limit_per_minute=10_000))
    unknown_key = f"{world.someone('alice').api_key[:-6]}000000"
    for headers in ({}, {"Authorization": "Bearer x"}, {"Authorization": f"Bearer {unknown_key}"}, {"Cookie": "a=b"}):
        client = world.anonymous(Origin=ORIGIN, **headers)
        client.cookies.set(SESSION_COOKIE, "made-up")
        for route, (kind, tries) in API.items():
            for one in tries(acme):
                answer = send(client, route, one)
                if kind == PUBLIC:
                    assert answer.status_code == 200, route
                    continue
                assert answer.status_code == 401, (route, answer.text)
                assert answer.json()["error"]["code"] == "not_authenticated"
    assert acme_rows(world) == before


def test_pages_send_nobody_to_sign_in(world: World, acme: Ids) -> None:
    before = acme_rows(world)
    client = world.anonymous(Origin=ORIGIN)
    for route, (kind, tries) in PAGES.items():
        for one in tries(acme):
            answer = send(client, route, one)
            assert answer.status_code < 500, route
            assert [word for word in ("marigold", PERSON_NAME, acme.email) if word in answer.text] == [], route
            if kind != PUBLIC:
                is_get = route.startswith("GET")
                assert answer.status_code == (303 if is_get else 401), (route, answer.text)
                assert not is_get or answer.headers["location"].startswith("/sign-in"), route
    assert acme_rows(world) == before
