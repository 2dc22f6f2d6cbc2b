"""A small synchronous client for the goldvein API.

Every call either returns what the server answered or raises one `ClientError`. The key is sent in a header to the one
address the client was made for; redirects are not followed, so that it goes nowhere else.
"""

import ipaddress
import json
import os
import uuid
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http import HTTPStatus
from itertools import chain, islice
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self
from urllib.parse import quote, urlsplit

import httpx2 as httpx

from goldvein_client.archive import ArchiveRefused, write_archive

DEFAULT_TIMEOUT_SECONDS: Final = 10.0
PAGE_SIZE: Final = 200
EXPORT_TIMEOUT_SECONDS: Final = 120.0
BATCH_TIMEOUT_SECONDS: Final = 60.0

JSONObject = dict[str, Any]


@dataclass(eq=False)
class ClientError(Exception):
    """A call failed. `status` is the HTTP status; None when no answer came or the answer was not usable."""

    code: str
    message: str
    details: Mapping[str, Any] = field(default_factory=dict)
    status: int | None = None

    def __str__(self) -> str:
        return f"{self.code}: {self.message}"


class Client:
    """One person's (or one service's) way to one goldvein server.

    `base_url` is the server's address without a path; `api_key` is sent with every call. Usable as a context manager.
    `transport` replaces the network, for tests. `channel` is recorded with a choice about consent: `cli`, `mcp`.
    Where `DO_NOT_TRACK=1` is set, nothing it reports is captured.
    """

    def __init__(
        self,
        base_url: str,
        api_key: str,
        *,
        timeout: float = DEFAULT_TIMEOUT_SECONDS,
        transport: httpx.BaseTransport | None = None,
        channel: str | None = None,
    ) -> None:
        self.base_url = _checked_base_url(base_url)
        self._http = httpx.Client(
            base_url=self.base_url,
            headers={"Authorization": f"Bearer {_checked_key(api_key)}", "User-Agent": "goldvein-client"}
            | ({"X-Goldvein-Channel": channel} if channel else {})
            | ({"Sec-GPC": "1"} if os.environ.get("DO_NOT_TRACK") == "1" else {}),
            timeout=timeout,
            transport=transport,
            # A proxy set in the environment has no business between this program and a server on the same machine.
            trust_env=not is_loopback(self.base_url),
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    # Reporting uses

    def track(
        self,
        skill: str,
        tool_name: str,
        *,
        ts: datetime | str | None = None,
        event_id: str | None = None,
        hook_event: str | None = None,
        session_id: str | None = None,
        skill_digest: str | None = None,
        user_id: str | None = None,
        tool_input_snippet: str | None = None,
        tool_output_snippet: str | None = None,
        model_name: str | None = None,
        input_tokens: int | None = None,
        output_tokens: int | None = None,
        latency_ms: int | None = None,
    ) -> JSONObject:
        """Report one use of a skill (id or slug); returns what became of it.

        Without `event_id` the client makes one for this call. Give your own, made from your own ids, to be able to
        send the same event again: it is stored once.
        """
        moment = ts if ts is not None else datetime.now(UTC)
        event = {
            "skill_id": skill,
            "tool_name": tool_name,
            "ts": moment if isinstance(moment, str) else moment.isoformat(),
            "event_id": event_id or str(uuid.uuid4()),
            "hook_event": hook_event,
            "session_id": session_id,
            "skill_digest": skill_digest,
            "user_id": user_id,
            "tool_input_snippet": tool_input_snippet,
            "tool_output_snippet": tool_output_snippet,
            "model_name": model_name,
            "input_tokens": input_tokens,
            "output_tokens": output_tokens,
            "latency_ms": latency_ms,
        }
        return self.request("POST", "/api/track", json_body=_given(event))

    def track_batch(self, events: Sequence[Mapping[str, Any]]) -> list[JSONObject]:
        """Report up to 1,000 uses, each as `POST /api/track` takes it; what became of each, in order.

        Give each its `event_id`: then a batch whose answer was lost can be sent again.
        """
        body = {"events": [_given(event) for event in events]}
        answer = self.request("POST", "/api/track/batch", json_body=body, timeout=BATCH_TIMEOUT_SECONDS)
        return _results_for(events, answer)

    # Feedback

    def give_feedback(
        self,
        skill: str,
        feedback_type: str,
        *,
        comment: str | None = None,
        category: str | None = None,
        severity: str | None = None,
        usage_event_id: str | None = None,
    ) -> JSONObject:
        """Leave `thumbs_up`, `thumbs_down`, a `suggestion` or a `bug_report`."""
        given = {
            "skill_id": skill,
            "feedback_type": feedback_type,
            "comment": comment,
            "category": category,
            "severity": severity,
            "usage_event_id": usage_event_id,
        }
        return self.request("POST", "/api/feedback", json_body=_given(given))

    def list_feedback(self, skill: str, *, limit: int | None = None) -> list[JSONObject]:
        """The feedback of a skill, newest first; all of it, or the first `limit`."""
        return self._pages(f"/api/skills/{_segment(skill)}/feedback", {}, limit)

    # Skills

    def list_skills(self, *, mine: bool = False, limit: int | None = None) -> list[JSONObject]:
        """The skills of the tenant by slug, or only those you count as author of."""
        return self._pages("/api/skills", {"mine": "true"} if mine else {}, limit)

    def get_skill(self, skill: str) -> JSONObject:
        """One skill, by id or slug."""
        return self.request("GET", f"/api/skills/{_segment(skill)}")

    def list_versions(self, skill: str) -> list[JSONObject]:
        """Every version of a skill's text, newest first."""
        return self._pages(f"/api/skills/{_segment(skill)}/versions", {}, None)

    def create_skill(self, slug: str, name: str, *, description: str = "", body: str | None = None) -> JSONObject:
        """Register a skill; you become its author."""
        given = {"slug": slug, "name": name, "description": description, "body": body}
        return self.request("POST", "/api/skills", json_body=_given(given))

    def change_skill(
        self,
        skill: str,
        *,
        name: str | None = None,
        description: str | None = None,
        body: str | None = None,
        revision: int | None = None,
    ) -> JSONObject:
        """Change a skill; a changed text is a new version. With `revision`, only if it is still the current one."""
        given = _given({"name": name, "description": description, "body": body})
        return self.request("PATCH", f"/api/skills/{_segment(skill)}", json_body=given, revision=revision)

    # Training examples

    def list_examples(
        self, skill: str, *, status: str | None = None, source: str | None = None, limit: int | None = None
    ) -> list[JSONObject]:
        """The training examples of a skill, newest first; all of them, or the first `limit`."""
        filters = _given({"status": status, "source": source})
        return self._pages(f"/api/skills/{_segment(skill)}/training-examples", filters, limit)

    def count_examples(self, skill: str) -> JSONObject:
        """How many examples a skill has, by status and by source."""
        return self.request("GET", f"/api/skills/{_segment(skill)}/training-examples/count")

    def get_example(self, example_id: str) -> JSONObject:
        """One training example."""
        return self.request("GET", f"/api/training-examples/{_segment(example_id)}")

    def add_example(
        self,
        skill: str,
        *,
        example_input: str,
        example_output: str,
        expected_output: str | None = None,
        quality_score: int | None = None,
    ) -> JSONObject:
        """Add a golden example, as the skill's author."""
        given = {
            "example_input": example_input,
            "example_output": example_output,
            "expected_output": expected_output,
            "quality_score": quality_score,
        }
        return self.request("POST", f"/api/skills/{_segment(skill)}/training-examples", json_body=_given(given))

    def import_examples(self, skill: str, items: Sequence[Mapping[str, Any]]) -> list[JSONObject]:
        """Add up to 100 golden examples, as the skill's author; what became of each, in order.

        Each has an `example_input`, an `example_output` and what else `add_example` takes. Those that the skill has
        from an import already are `duplicate`, so a batch whose answer was lost can be sent again.
        """
        path = f"/api/skills/{_segment(skill)}/training-examples/import"
        answer = self.request("POST", path, json_body={"items": list(items)}, timeout=BATCH_TIMEOUT_SECONDS)
        return _results_for(items, answer)

    def edit_example(self, example_id: str, changes: Mapping[str, Any], *, revision: int | None = None) -> JSONObject:
        """Change the named fields. An empty expected output or note, or a score of None, removes it."""
        path = f"/api/training-examples/{_segment(example_id)}"
        return self.request("PATCH", path, json_body=changes, revision=revision)

    def review_example(
        self,
        example_id: str,
        decision: str,
        *,
        quality_score: int | None = None,
        output_verdict: str | None = None,
        expected_output: str | None = None,
        notes: str | None = None,
        revision: int | None = None,
    ) -> JSONObject:
        """Decide on an example: `approve`, `reject`, `quarantine` or `reopen`."""
        given = {
            "decision": decision,
            "quality_score": quality_score,
            "output_verdict": output_verdict,
            "expected_output": expected_output,
            "notes": notes,
        }
        path = f"/api/training-examples/{_segment(example_id)}/review"
        return self.request("POST", path, json_body=_given(given), revision=revision)

    def get_assertions(self, *, skill: str | None = None, example_id: str | None = None) -> JSONObject:
        """What answers must satisfy, of a skill or of one example, with the revision to put others on."""
        return self.request("GET", _assertions_of(skill, example_id))

    def put_assertions(
        self,
        assertions: Sequence[Mapping[str, str]],
        *,
        skill: str | None = None,
        example_id: str | None = None,
        revision: int | None = None,
    ) -> JSONObject:
        """Put assertions (`kind`, `value`) in the place of those of a skill, or of one example."""
        body = {"assertions": [dict(assertion) for assertion in assertions]}
        return self.request("PUT", _assertions_of(skill, example_id), json_body=body, revision=revision)

    # Results of evaluations

    def import_results(self, skill: str, results: Mapping[str, Any]) -> JSONObject:
        """Store scores of up to 2,000 rows, as the skill's author; see `POST /api/skills/{skill_id}/results`."""
        path = f"/api/skills/{_segment(skill)}/results"
        return self.request("POST", path, json_body=dict(results), timeout=BATCH_TIMEOUT_SECONDS)

    def list_results(self, skill: str) -> list[JSONObject]:
        """The evaluations of a skill, newest first."""
        return self._pages(f"/api/skills/{_segment(skill)}/results", {}, None)

    def compare_results(self, skill: str, *, before: str, after: str) -> list[JSONObject]:
        """Two versions of a skill (digest or number) on the rows that both have answered, by dataset and model."""
        params = {"before": before, "after": after}
        return self._pages(f"/api/skills/{_segment(skill)}/results/comparison", params, None)

    def delete_example(self, example_id: str) -> None:
        """Delete an example with its texts."""
        self.request("DELETE", f"/api/training-examples/{_segment(example_id)}")

    def export(
        self,
        skill: str,
        folder: Path,
        *,
        format_name: str = "chat-jsonl",
        system: bool = False,
        overwrite: bool = False,
    ) -> JSONObject:
        """Download the approved examples into a folder; returns the manifest.

        Every file is checked against the manifest's sha256 before any of them is put in place. A folder that holds
        something is refused unless `overwrite`; then files of the same name are replaced and others stay.
        """
        params = _given({"format": format_name, "system": "true" if system else None})
        answer = self._send(
            "GET", f"/api/skills/{_segment(skill)}/export", params=params, timeout=EXPORT_TIMEOUT_SECONDS
        )
        try:
            return write_archive(answer.content, Path(folder), overwrite=overwrite)
        except ArchiveRefused as error:
            raise ClientError("export_refused", str(error)) from error

    # Datasets

    def list_datasets(self, *, limit: int | None = None) -> list[JSONObject]:
        """The datasets that you own or read, by slug."""
        return self._pages("/api/datasets", {}, limit)

    def freeze_dataset(self, dataset: str, *, dry_run: bool = False, allow_leakage: bool = False) -> JSONObject:
        """Freeze the next version of a dataset, or tell what would be in it. Large ones take a while."""
        body = {"dry_run": dry_run, "allow_leakage": allow_leakage}
        path = f"/api/datasets/{_segment(dataset)}/versions"
        return self.request("POST", path, json_body=body, timeout=EXPORT_TIMEOUT_SECONDS)

    def export_dataset(
        self,
        dataset: str,
        version: str,
        target: Path,
        *,
        format_name: str = "chat-jsonl",
        splits: Sequence[str] | None = None,
        placeholders: str = "keep",
        system: bool = False,
        accept_terms: str | None = None,
    ) -> int:
        """Download a version as a zip file that does not exist yet; returns its size. Readers accept the terms."""
        chosen = {"format": format_name, "placeholders": placeholders, "system": "true" if system else None}
        params = _given({**chosen, "split": list(splits) if splits else None, "accept_terms": accept_terms})
        path = f"/api/datasets/{_segment(dataset)}/versions/{_segment(version)}/export"
        answer = self._send("GET", path, params=params, timeout=EXPORT_TIMEOUT_SECONDS)
        with Path(target).open("xb") as file:
            return file.write(answer.content)

    # Consent and one's own data

    def get_notice(self, *, language: str | None = None) -> JSONObject:
        """The notice in force, the text consent is asked with; that it was shown is recorded."""
        return self.request("GET", "/api/notice", params=_given({"language": language}))

    def read_notice(self, version: str) -> JSONObject:
        """A notice that is or was in force, by its version."""
        return self.request("GET", f"/api/notices/{_segment(version)}")

    def list_notices(self) -> list[JSONObject]:
        """What was put in force and when, newest first. Admins only."""
        return self._pages("/api/notices", {}, None)

    def publish_notice(
        self, language: str, text: str, *, purposes: Sequence[str], wider: bool, revision: int | None = None
    ) -> JSONObject:
        """Put a notice in force in a language. Admins only; `wider`: everybody has to choose again."""
        body = {"language": language, "text": text, "purposes": list(purposes), "wider": wider}
        return self.request("POST", "/api/notices", json_body=body, revision=revision)

    def invalidate_notice(self, version: str) -> JSONObject:
        """Say that consents to this text do not count. Admins only."""
        return self.request("POST", f"/api/notices/{_segment(version)}/invalidate")

    def get_consent(self) -> JSONObject:
        """My consent as it reads now, and every choice I made."""
        return self.request("GET", "/api/me/consent")

    def give_consent(
        self,
        *,
        notice_version: str | None = None,
        purposes: Sequence[str] | None = None,
        skills: Sequence[str] | None = None,
        revision: int | None = None,
    ) -> JSONObject:
        """Give consent to the notice in force. Needs a key with scope `me`."""
        given = {
            "decision": "give",
            "notice_version": notice_version,
            "purposes": None if purposes is None else list(purposes),
            "skills": None if skills is None else list(skills),
        }
        return self.request("POST", "/api/me/consent", json_body=_given(given), revision=revision)

    def refuse_consent(self, *, notice_version: str | None = None) -> JSONObject:
        """Say no to the notice in force: nobody asks again until a wider one."""
        body = _given({"decision": "refuse", "notice_version": notice_version})
        return self.request("POST", "/api/me/consent", json_body=body)

    def withdraw_consent(
        self, *, skills: Sequence[str] | None = None, purposes: Sequence[str] | None = None
    ) -> JSONObject:
        """Withdraw consent, with any key of mine; what was captured from me is erased in the same moment.

        For all, for some skills (their examples are erased), or for some purposes (nothing is erased).
        """
        named = {"skills": skills, "purposes": purposes}
        body = {"decision": "withdraw", **{name: list(value) for name, value in named.items() if value is not None}}
        return self.request("POST", "/api/me/consent", json_body=body)

    def get_receipt(self, record_id: str) -> JSONObject:
        """The signed receipt of one choice of yours, with the server's public keys. Needs the scope `me`."""
        return self.request("GET", f"/api/me/consent/{_segment(record_id)}/receipt")

    def get_checkpoint(self) -> JSONObject:
        """The signed state of the tenant's ledger, with the server's public keys; as its admin."""
        return self.request("GET", "/api/ledger/checkpoint")

    def list_ledger(self, size: int) -> Iterator[JSONObject]:
        """The first `size` entries of the tenant's ledger, page by page; as its admin."""
        pages = self._each_page("/api/ledger/entries", {}, None)
        return islice(chain.from_iterable(pages), size)

    def get_data(self) -> JSONObject:
        """Everything that was captured from me, as it is stored."""
        return self.request("GET", "/api/me/data")

    def erase_data(self, example_id: str | None = None) -> JSONObject:
        """Erase what was captured from me, all of it or one example. The consent stays as it is."""
        path = "/api/me/data" if example_id is None else f"/api/me/data/{_segment(example_id)}"
        return self.request("DELETE", path)

    def report_leak(self, example_id: str) -> JSONObject:
        """Erase an example that holds what should have been removed, with its copies; the admins learn of it."""
        return self.request("POST", f"/api/training-examples/{_segment(example_id)}/report-leak")

    def delete_account(self, confirm: str) -> JSONObject:
        """Delete my account in this organisation; `confirm` repeats my address. There is no way back."""
        return self.request("DELETE", "/api/me", params={"confirm": confirm})

    def get_audit(self, first: str, last: str, *, section: str | None = None) -> bytes:
        """The auditor's report of these days (2026-01-31) as a zip, or one table of it as CSV; as admin."""
        params = _given({"from": first, "to": last, "section": section})
        return self._send("GET", "/api/reports/audit", params=params, timeout=EXPORT_TIMEOUT_SECONDS).content

    # Me, my keys, the tenant

    def get_me(self) -> JSONObject:
        """Who I am, and what this key may do."""
        return self.request("GET", "/api/me")

    def get_preferences(self) -> JSONObject:
        """My preferences, with the defaults filled in."""
        return self.request("GET", "/api/me/preferences")

    def change_preference(self, name: str, value: str | bool, *, revision: int | None = None) -> JSONObject:
        """Change one preference: `training_data_consent` or `display`."""
        return self.request("PATCH", "/api/me/preferences", json_body={name: value}, revision=revision)

    def list_webhooks(self) -> list[JSONObject]:
        """Where I am told, each with what could not be delivered."""
        return self._pages("/api/me/webhooks", {}, None)

    def add_webhook(self, url: str) -> JSONObject:
        """Be told at this URL; the answer has the signing secret, which is shown this once."""
        return self.request("POST", "/api/me/webhooks", json_body={"url": url})

    def remove_webhook(self, webhook_id: str) -> None:
        """Be told there no more."""
        self.request("DELETE", f"/api/me/webhooks/{_segment(webhook_id)}")

    def list_keys(self) -> list[JSONObject]:
        """My keys, without secrets."""
        return self._pages("/api/me/keys", {}, None)

    def create_key(
        self,
        name: str,
        scopes: Sequence[str],
        *,
        kind: str = "personal",
        expires_at: str | None = None,
        requires_signature: bool = False,
    ) -> JSONObject:
        """Make a key for me, or, as admin, a service key. The answer holds its secrets, this once."""
        given = {
            "name": name,
            "scopes": list(scopes),
            "kind": kind,
            "expires_at": expires_at,
            "requires_signature": requires_signature,
        }
        return self.request("POST", "/api/me/keys", json_body=_given(given))

    def rotate_key(self, key_id: str) -> JSONObject:
        """Replace a key of mine; the old one works for 24 hours more."""
        return self.request("POST", f"/api/me/keys/{_segment(key_id)}/rotate")

    def revoke_key(self, key_id: str) -> JSONObject:
        """End a key of mine at once."""
        return self.request("DELETE", f"/api/me/keys/{_segment(key_id)}")

    def get_settings(self) -> JSONObject:
        """The settings of the tenant, as its admin."""
        return self.request("GET", "/api/settings")

    def change_setting(self, name: str, value: str | bool, *, revision: int | None = None) -> JSONObject:
        """Change one setting of the tenant, as its admin."""
        return self.request("PATCH", "/api/settings", json_body={name: value}, revision=revision)

    # One request

    def request(
        self,
        method: str,
        path: str,
        *,
        json_body: object = None,
        params: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
        revision: int | None = None,
        timeout: float | None = None,
    ) -> JSONObject:
        """Send one request and return the JSON object of the answer; {} for an answer without content."""
        sent = dict(headers or {})
        if revision is not None:
            sent["If-Match"] = f'"{revision}"'
        answer = self._send(method, path, json_body=json_body, params=params, headers=sent, timeout=timeout)
        if answer.status_code == HTTPStatus.NO_CONTENT:
            return {}
        content = _read_object(answer)
        if content is None:
            raise ClientError("bad_answer", "The server answered with something that is not JSON.", {}, None)
        return content

    def _send(
        self,
        method: str,
        path: str,
        *,
        json_body: object = None,
        params: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
        timeout: float | None = None,
    ) -> httpx.Response:
        content, sent = None, dict(headers or {})
        if json_body is not None:
            content = _encode(json_body)
            sent["Content-Type"] = "application/json"
        patience = httpx.USE_CLIENT_DEFAULT if timeout is None else timeout
        try:
            answer = self._http.request(
                method, path, content=content, params=dict(params or {}), headers=sent, timeout=patience
            )
        except httpx.TimeoutException as error:
            raise ClientError("timeout", f"{self.base_url} did not answer in time.") from error
        except httpx.HTTPError as error:
            raise ClientError("unreachable", f"{self.base_url} cannot be reached ({type(error).__name__}).") from error
        if not answer.is_success:
            raise _error_of(answer)
        return answer

    def _pages(self, path: str, params: Mapping[str, str], limit: int | None) -> list[JSONObject]:
        """Follow the pages of a list, up to `limit` items."""
        items: list[JSONObject] = []
        for page in self._each_page(path, params, limit):
            items += page
            if limit is not None and len(items) >= limit:
                return items[:limit]
        return items

    def _each_page(self, path: str, params: Mapping[str, str], limit: int | None) -> Iterator[list[JSONObject]]:
        size = PAGE_SIZE if limit is None else max(1, min(limit, PAGE_SIZE))
        query = {**params, "limit": str(size)}
        while True:
            page = self.request("GET", path, params=query)
            items = page.get("items")
            if not isinstance(items, list) or not all(isinstance(item, dict) for item in items):
                raise ClientError("bad_answer", "The server answered with something that is not a list.")
            yield items
            cursor = page.get("next_cursor")
            if not isinstance(cursor, str) or not items:
                return
            query["cursor"] = cursor


def is_loopback(base_url: str) -> bool:
    """Whether an address names this machine itself."""
    host = urlsplit(base_url).hostname or ""
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _checked_base_url(base_url: str) -> str:
    problem = ClientError(
        "invalid_url",
        "The server's address must be http:// or https:// with a host, and without user, query, fragment.",
    )
    try:
        parts = urlsplit(base_url)
        _ = parts.port  # a wrong port raises only when it is read
    except ValueError:
        raise problem from None
    plain = parts.scheme in {"http", "https"} and parts.hostname and parts.username is None
    if not plain or parts.query or parts.fragment or not base_url.isprintable() or " " in base_url:
        raise problem
    return base_url.rstrip("/")


def _checked_key(api_key: str) -> str:
    """Refuse what cannot stand in a header; the message never shows it."""
    if not api_key or not api_key.isascii() or not api_key.isprintable() or " " in api_key:
        raise ClientError("invalid_key", "The API key is empty or holds characters that no key has.")
    return api_key


def _segment(name: str) -> str:
    """A name as one segment of a path: it can neither end it nor climb out of it."""
    if name in {"", ".", ".."}:
        raise ClientError("invalid_field", "A skill, example or key is named by its id or slug.", {"field": "id"})
    return quote(name, safe="", errors="backslashreplace")


def _given(values: Mapping[str, Any]) -> JSONObject:
    return {name: value for name, value in values.items() if value is not None}


def _assertions_of(skill: str | None, example_id: str | None) -> str:
    if (skill is None) == (example_id is None):
        raise ClientError("invalid_field", "Name a skill or an example.", {"field": "id"})
    owner = f"skills/{_segment(skill)}" if skill is not None else f"training-examples/{_segment(example_id or '')}"
    return f"/api/{owner}/assertions"


def _results_for(sent: Sequence[object], answer: JSONObject) -> list[JSONObject]:
    results = answer.get("results")
    if not isinstance(results, list) or len(results) != len(sent):
        raise ClientError("bad_answer", "The server answered with something that is not a list of results.")
    return results


def _encode(body: object) -> bytes:
    try:
        return json.dumps(body, ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode()
    except (TypeError, ValueError, RecursionError) as error:
        raise ClientError("invalid", f"The request cannot be written as JSON ({type(error).__name__}).") from error


def _read_object(answer: httpx.Response) -> JSONObject | None:
    try:
        content = json.loads(answer.content)
    except (ValueError, RecursionError):
        return None
    return content if isinstance(content, dict) else None


def _error_of(answer: httpx.Response) -> ClientError:
    """The error the server described; an answer in another shape (a proxy's page) becomes `http_error`."""
    match _read_object(answer):
        case {"error": {"code": str(code), "message": str(message)} as described}:
            details = described.get("details")
            return ClientError(code, message, details if isinstance(details, dict) else {}, answer.status_code)
        case _:
            message = f"The server answered {answer.status_code} {answer.reason_phrase}."
            return ClientError("http_error", message, {}, answer.status_code)
