import json
import shutil
from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Query, Response
from fastapi.responses import StreamingResponse
from pydantic import BaseModel

from goldvein.consent.ledger import public_keys
from goldvein.datasets import choices, exporting, freezing, owning, publishing, revising, service, versions
from goldvein.datasets.exports import chat_jsonl
from goldvein.datasets.manifest import line
from goldvein.datasets.tables import Dataset, DatasetVersion
from goldvein.db.session import TenantSession
from goldvein.identity.access import ActorDep, Runtime, RuntimeDep
from goldvein.identity.actor import Actor
from goldvein.paging import CursorParam, LimitParam, decode_cursor, encode_cursor
from goldvein.schemas import ExpectedRevision, Page, RequestBody
from goldvein.skills import service as skills
from goldvein.skills.api import PersonRef

router = APIRouter(prefix="/api", tags=["datasets"])


class NewDataset(RequestBody):
    """A dataset to make of skills that you author, or whose author granted it to you."""

    slug: str
    name: str
    purpose: str
    skills: list[str]
    filter: dict[str, Any] | None = None
    shares: dict[str, int] | None = None
    threshold_percent: int | None = None
    seed: int | None = None
    terms: dict[str, Any] | None = None


class DatasetChange(RequestBody):
    """What to change; what is left out stays."""

    name: str | None = None
    skills: list[str] | None = None
    filter: dict[str, Any] | None = None
    shares: dict[str, int] | None = None
    threshold_percent: int | None = None
    seed: int | None = None
    terms: dict[str, Any] | None = None


class FreezeRequest(RequestBody):
    """Freeze the next version, or only see what it would be."""

    dry_run: bool = False
    allow_leakage: bool = False


class TagTarget(RequestBody):
    """A tag, and the version that it names."""

    tag: str
    version: str


class DatasetOut(BaseModel):
    """A dataset as its owner and readers see it; `terms_hash` is what a download accepts."""

    id: str
    slug: str
    name: str
    purpose: str
    owner_id: str
    is_owner: bool
    skills: list[str]
    filter: dict[str, Any]
    shares: dict[str, int]
    seed: int
    threshold_percent: int
    terms: dict[str, Any] | None
    terms_hash: str | None
    latest: str | None
    tags: dict[str, int]
    revision: int
    created_at: datetime
    updated_at: datetime


class VersionSummary(BaseModel):
    """A version or revision in the history of a dataset."""

    version: str
    state: str
    rows: int
    content_hash: str
    manifest_hash: str
    frozen_by: str
    frozen_at: datetime
    superseded_at: datetime | None


class VersionOut(VersionSummary):
    """A version with what it is made of."""

    content: dict[str, Any]
    statistics: dict[str, Any]
    borderline: list[Any]
    holdout_looks: int


class FreezeOut(BaseModel):
    """What a freeze did, or would do: how many rows, and why other examples are left out."""

    version: str | None
    is_new: bool
    rows: int
    left_out: dict[str, int]
    left_out_examples: dict[str, str]
    leakage: dict[str, Any]
    borderline: list[Any]
    statistics: dict[str, Any]


class ManifestOut(BaseModel):
    """The manifest as it was signed, the statement about it, and the public keys that may have signed."""

    manifest: str
    statement: dict[str, Any]
    public_keys: dict[str, str]


class RowOut(BaseModel):
    """A row of a version, with what explains it."""

    example_id: str
    content_hash: str
    split: str
    skill: str
    skill_version: str | None
    source: str
    tool_name: str | None
    example_input: str
    example_output: str
    expected_output: str | None
    answer: str | None
    quality_score: int | None
    provenance: dict[str, Any]


class DifferenceOut(BaseModel):
    """A row that is not the same in two versions."""

    kind: str
    example_id: str
    split_before: str | None
    split_after: str | None
    reason: str | None
    changes: dict[str, list[str]] | None


class ReaderOut(BaseModel):
    """A reader of a dataset."""

    person_id: str
    added_by: str
    added_at: datetime


class RemovalOut(BaseModel):
    """An example that was taken out of a version. `seq` is what to poll after."""

    seq: int
    version: str
    example_id: str
    cause: str
    removed_at: datetime


class RemovalsOut(BaseModel):
    """What was removed, in order, and the signed lists of the versions that it was removed from."""

    items: list[RemovalOut]
    lists: dict[str, dict[str, Any]]


class DownloadOut(BaseModel):
    """An entry of the export log."""

    version: str
    person_id: str
    form: str
    splits: list[str]
    terms_hash: str | None
    downloaded_at: datetime


@router.get("/skills/{skill_id}/export", response_class=Response)
def export_skill(
    skill_id: str,
    actor: ActorDep,
    runtime: RuntimeDep,
    format_name: Annotated[str, Query(alias="format")] = chat_jsonl.FORMAT.name,
    system: Annotated[bool, Query(description="Put the skill's text before each row as system message.")] = False,
) -> Response:
    """Download the approved examples as a zip of JSON lines, what was skipped and why, and a manifest. Author only."""
    with runtime.database.write(actor.tenant_id) as session:
        skill = skills.find_skill(session, skill_id)
        export = service.export_skill(
            session, actor, skill, format_name=format_name, now=runtime.now(), with_system=system
        )
        file_name = f"{skill.slug}-{format_name}.zip"
    return Response(
        export.as_zip(),
        media_type="application/zip",
        headers={"Content-Disposition": f'attachment; filename="{file_name}"'},
    )


_CHOSEN = ("filter", "shares", "threshold_percent", "seed", "terms")


def _chosen(body: NewDataset | DatasetChange) -> dict[str, Any]:
    return {name: getattr(body, name) for name in _CHOSEN}


def show_dataset(session: TenantSession, actor: Actor, dataset: Dataset) -> DatasetOut:
    """A dataset with its skills, tags and newest version."""
    newest = publishing.newest_version(session, dataset.id)
    return DatasetOut(
        id=dataset.id,
        slug=dataset.slug,
        name=dataset.name,
        purpose=dataset.purpose,
        owner_id=dataset.owner_id,
        is_owner=dataset.owner_id == actor.person_id,
        skills=[skill.slug for skill in owning.skills_of(session, dataset)],
        filter=dataset.filter,
        shares=dataset.shares,
        seed=dataset.seed,
        threshold_percent=dataset.threshold_percent,
        terms=dataset.terms,
        terms_hash=None if dataset.terms is None else choices.hash_of(dataset.terms),
        latest=None if newest is None else newest.label,
        tags={tag.tag: tag.number for tag in versions.tags_of(session, dataset)},
        revision=dataset.revision,
        created_at=dataset.created_at,
        updated_at=dataset.updated_at,
    )


@router.get("/datasets")
def list_datasets(
    actor: ActorDep, runtime: RuntimeDep, limit: LimitParam = 50, cursor: CursorParam = None
) -> Page[DatasetOut]:
    """List the datasets that you own or read, by slug."""
    after = decode_cursor(cursor, 1)[0] if cursor else None
    with runtime.database.read(actor.tenant_id) as session:
        found = owning.list_datasets(session, actor, limit=limit + 1, after=after)
        items = [show_dataset(session, actor, dataset) for dataset in found[:limit]]
    return Page(items=items, next_cursor=encode_cursor(items[-1].slug) if len(found) > limit else None)


@router.post("/datasets", status_code=201)
def create_dataset(body: NewDataset, actor: ActorDep, runtime: RuntimeDep) -> DatasetOut:
    """Make a dataset; you own it."""
    with runtime.database.write(actor.tenant_id) as session:
        dataset = owning.create_dataset(
            session,
            actor,
            slug=body.slug,
            name=body.name,
            purpose=body.purpose,
            skill_ids=body.skills,
            now=runtime.now(),
            chosen=_chosen(body),
        )
        return show_dataset(session, actor, dataset)


@router.get("/datasets/{dataset_id}")
def get_dataset(dataset_id: str, actor: ActorDep, runtime: RuntimeDep, response: Response) -> DatasetOut:
    """Read one dataset, by id or slug. Owner and readers."""
    with runtime.database.read(actor.tenant_id) as session:
        dataset = owning.need_reader(session, actor, dataset_id)
        response.headers["ETag"] = f'"{dataset.revision}"'
        return show_dataset(session, actor, dataset)


@router.patch("/datasets/{dataset_id}")
def change_dataset(
    dataset_id: str,
    body: DatasetChange,
    actor: ActorDep,
    runtime: RuntimeDep,
    expected_revision: ExpectedRevision = None,
) -> DatasetOut:
    """Change what the next version is made of. Owner only; frozen versions stay as they are."""
    with runtime.database.write(actor.tenant_id) as session:
        dataset = owning.change_dataset(
            session,
            actor,
            dataset_id,
            now=runtime.now(),
            chosen=_chosen(body),
            name=body.name,
            skill_ids=body.skills,
            expected_revision=expected_revision,
        )
        return show_dataset(session, actor, dataset)


@router.delete("/datasets/{dataset_id}", status_code=204)
def delete_dataset(dataset_id: str, actor: ActorDep, runtime: RuntimeDep) -> None:
    """Delete a dataset of which nothing was ever frozen. Owner only."""
    with runtime.database.write(actor.tenant_id) as session:
        owning.delete_dataset(session, actor, dataset_id, now=runtime.now())


@router.get("/datasets/{dataset_id}/readers")
def list_readers(dataset_id: str, actor: ActorDep, runtime: RuntimeDep) -> Page[ReaderOut]:
    """List who may read and export the versions. Owner and readers."""
    with runtime.database.read(actor.tenant_id) as session:
        dataset = owning.need_reader(session, actor, dataset_id)
        items = [
            ReaderOut(person_id=reader.person_id, added_by=reader.added_by, added_at=reader.added_at)
            for reader in owning.readers_of(session, dataset)
        ]
    return Page(items=items)


@router.post("/datasets/{dataset_id}/readers", status_code=204)
def add_reader(dataset_id: str, body: PersonRef, actor: ActorDep, runtime: RuntimeDep) -> None:
    """Let a member read and export the versions. Owner only."""
    with runtime.database.write(actor.tenant_id) as session:
        owning.add_reader(session, actor, dataset_id, body.person_id, now=runtime.now())


@router.delete("/datasets/{dataset_id}/readers/{person_id}", status_code=204)
def remove_reader(dataset_id: str, person_id: str, actor: ActorDep, runtime: RuntimeDep) -> None:
    """Take a reader's place back. The owner, and the reader."""
    with runtime.database.write(actor.tenant_id) as session:
        owning.remove_reader(session, actor, dataset_id, person_id, now=runtime.now())


@router.post("/skills/{skill_id}/dataset-grants", status_code=204)
def grant_skill(skill_id: str, body: PersonRef, actor: ActorDep, runtime: RuntimeDep) -> None:
    """Let a member take the approved examples of your skill into datasets of theirs. Author only."""
    with runtime.database.write(actor.tenant_id) as session:
        skill = skills.find_skill(session, skill_id)
        owning.grant(session, actor, skill, body.person_id, now=runtime.now())


@router.delete("/skills/{skill_id}/dataset-grants/{person_id}", status_code=204)
def revoke_grant(skill_id: str, person_id: str, actor: ActorDep, runtime: RuntimeDep) -> None:
    """Take such a grant back; versions that are frozen stay. Author only."""
    with runtime.database.write(actor.tenant_id) as session:
        skill = skills.find_skill(session, skill_id)
        owning.revoke_grant(session, actor, skill, person_id, now=runtime.now())


@router.post("/datasets/{dataset_id}/versions", status_code=201)
def freeze(dataset_id: str, body: FreezeRequest, actor: ActorDep, runtime: RuntimeDep, response: Response) -> FreezeOut:
    """Freeze the next version, or with `dry_run` see what it would be (200). Owner only.

    200 too when nothing has changed since the newest version: that one is the answer.
    """
    revise_waiting(runtime, actor, dataset_id)
    frozen = freezing.freeze(
        runtime.database,
        runtime.server_key,
        runtime.settings,
        actor,
        dataset_id,
        now=runtime.now(),
        dry_run=body.dry_run,
        allow_leakage=body.allow_leakage,
    )
    if frozen.version is None or not frozen.is_new:
        response.status_code = 200
    plan = frozen.plan
    return FreezeOut(
        version=None if frozen.version is None else frozen.version.label,
        is_new=frozen.is_new,
        rows=len(plan.rows) if frozen.version is None else frozen.version.row_count,
        left_out=plan.reasons,
        left_out_examples=dict(list(plan.left_out.items())[:MOST_LISTED]),
        leakage=publishing.said_of(plan.leakage, allowed=body.allow_leakage),
        borderline=plan.borderline[:MOST_LISTED],
        statistics=frozen.statistics,
    )


MOST_LISTED = 1_000
"""How many examples an answer names at most, of those that are left out and of borderline pairs."""


def revise_waiting(runtime: Runtime, actor: Actor, dataset_id: str) -> None:
    """Make the revisions that a removal has left to be made, for whoever asks first."""
    with runtime.database.read(actor.tenant_id) as session:
        dataset = owning.need_reader(session, actor, dataset_id)
        waiting = versions.is_waiting(session, dataset)
    for number in waiting:
        revising.revise(runtime.database, runtime.server_key, actor.tenant_id, dataset.id, number, now=runtime.now())


def summary(version: DatasetVersion) -> VersionSummary:
    """A version in a list."""
    return VersionSummary(**_summary(version))


def _summary(version: DatasetVersion) -> dict[str, Any]:
    return {
        "version": version.label,
        "state": version.state,
        "rows": version.row_count,
        "content_hash": version.content_hash,
        "manifest_hash": version.manifest_hash,
        "frozen_by": version.frozen_by,
        "frozen_at": version.frozen_at,
        "superseded_at": version.superseded_at,
    }


@router.get("/datasets/{dataset_id}/versions")
def list_versions(dataset_id: str, actor: ActorDep, runtime: RuntimeDep) -> Page[VersionSummary]:
    """List every version and revision, the newest first; superseded ones too. Owner and readers."""
    revise_waiting(runtime, actor, dataset_id)
    with runtime.database.read(actor.tenant_id) as session:
        dataset = owning.need_reader(session, actor, dataset_id)
        return Page(items=[summary(version) for version in versions.history(session, dataset)])


@router.get("/datasets/{dataset_id}/versions/{version}")
def get_version(dataset_id: str, version: str, actor: ActorDep, runtime: RuntimeDep) -> VersionOut:
    """Read one version: by number (its newest revision), revision or tag. 410 names what stands in its place."""
    revise_waiting(runtime, actor, dataset_id)
    with runtime.database.read(actor.tenant_id) as session:
        dataset = owning.need_reader(session, actor, dataset_id)
        found = versions.find_version(session, dataset, version)
        return VersionOut(
            **_summary(found),
            content=json.loads(found.manifest or "{}")["content"],
            statistics=found.statistics or {},
            borderline=found.borderline or [],
            holdout_looks=versions.holdout_looks(session, found),
        )


@router.get("/datasets/{dataset_id}/versions/{version}/manifest")
def get_manifest(dataset_id: str, version: str, actor: ActorDep, runtime: RuntimeDep) -> ManifestOut:
    """Read the manifest as it was signed, with the statement about it. Owner and readers."""
    revise_waiting(runtime, actor, dataset_id)
    with runtime.database.read(actor.tenant_id) as session:
        dataset = owning.need_reader(session, actor, dataset_id)
        found = versions.find_version(session, dataset, version)
        return ManifestOut(
            manifest=found.manifest or "",
            statement=found.statement or {},
            public_keys=public_keys(runtime.server_key),
        )


@router.get("/datasets/{dataset_id}/versions/{version}/rows.jsonl", response_class=Response)
def get_row_lines(dataset_id: str, version: str, actor: ActorDep, runtime: RuntimeDep) -> Response:
    """Read the file of rows whose digest is in the manifest: what explains each row, without its texts."""
    revise_waiting(runtime, actor, dataset_id)
    with runtime.database.read(actor.tenant_id) as session:
        dataset = owning.need_reader(session, actor, dataset_id)
        found = versions.find_version(session, dataset, version)
        content = b"".join(line(publishing.facts_of(row)) for row in publishing.rows_of(session, found.rows_of))
    return Response(content, media_type="application/jsonl")


@router.get("/datasets/{dataset_id}/versions/{version}/rows")
def get_rows(
    *,
    dataset_id: str,
    version: str,
    actor: ActorDep,
    runtime: RuntimeDep,
    split: Annotated[str | None, Query(description="One split; the holdout only when it is named.")] = None,
    limit: LimitParam = 50,
    cursor: CursorParam = None,
) -> Page[RowOut]:
    """Read rows in their order. Owner and readers; each look at the holdout is counted in the ledger."""
    revise_waiting(runtime, actor, dataset_id)
    splits = versions.splits_asked(split)
    after = versions.position_in(decode_cursor(cursor, 1)[0]) if cursor else -1
    if versions.HOLDOUT in splits:
        _log_look(runtime, actor, dataset_id, version)
    with runtime.database.read(actor.tenant_id) as session:
        dataset = owning.need_reader(session, actor, dataset_id)
        found = versions.find_version(session, dataset, version)
        rows = list(versions.read_rows(session, found, splits=splits, after=after, limit=limit + 1))
    more = encode_cursor(str(rows[limit - 1].position)) if len(rows) > limit else None
    items = [RowOut(**versions.as_shown(one)) for one in rows[:limit]]
    return Page(items=items, next_cursor=more)


def _log_look(runtime: Runtime, actor: Actor, dataset_id: str, version: str) -> None:
    """Count a look at the holdout before it is taken."""
    with runtime.database.write(actor.tenant_id) as session:
        dataset = owning.need_reader(session, actor, dataset_id)
        found = versions.find_version(session, dataset, version)
        splits = (versions.HOLDOUT,)
        versions.log_download(
            session, actor, found, form=versions.HOLDOUT, splits=splits, terms_hash=None, now=runtime.now()
        )


@router.get("/datasets/{dataset_id}/diff")
def get_diff(
    dataset_id: str,
    actor: ActorDep,
    runtime: RuntimeDep,
    before: Annotated[str | None, Query(max_length=60, description="Default: the number before the other.")] = None,
    after: Annotated[str, Query(max_length=60, description="The later version.")] = choices.LATEST,
) -> Page[DifferenceOut]:
    """Compare two versions: rows added, removed with the reason, edited with a text diff, moved between splits."""
    revise_waiting(runtime, actor, dataset_id)
    with runtime.database.read(actor.tenant_id) as session:
        dataset = owning.need_reader(session, actor, dataset_id)
        later = versions.find_version(session, dataset, after)
        earlier = versions.find_version(session, dataset, before or str((later.number or 0) - 1))
        return Page(items=[DifferenceOut(**one.as_json()) for one in versions.diff(session, earlier, later)])


@router.post("/datasets/{dataset_id}/tags", status_code=204)
def put_tag(dataset_id: str, body: TagTarget, actor: ActorDep, runtime: RuntimeDep) -> None:
    """Let a tag name a version, from now on. Owner only."""
    revise_waiting(runtime, actor, dataset_id)
    with runtime.database.write(actor.tenant_id) as session:
        versions.put_tag(session, actor, dataset_id, body.tag, version=body.version, now=runtime.now())


@router.delete("/datasets/{dataset_id}/tags/{tag}", status_code=204)
def drop_tag(dataset_id: str, tag: str, actor: ActorDep, runtime: RuntimeDep) -> None:
    """Take a tag away. Owner only."""
    with runtime.database.write(actor.tenant_id) as session:
        versions.drop_tag(session, actor, dataset_id, tag, now=runtime.now())


@router.get("/datasets/{dataset_id}/removals")
def get_removals(
    dataset_id: str,
    actor: ActorDep,
    runtime: RuntimeDep,
    since: Annotated[int, Query(ge=0, le=2**53, description="The last `seq` you have seen.")] = 0,
    limit: LimitParam = 200,
) -> RemovalsOut:
    """Poll what was removed from versions, so that copies can lose it too. Owner and readers."""
    revise_waiting(runtime, actor, dataset_id)
    with runtime.database.read(actor.tenant_id) as session:
        dataset = owning.need_reader(session, actor, dataset_id)
        found = versions.removals_since(session, dataset, since=since, limit=limit)
        lists = versions.removal_lists(session, dataset, {(one.number, one.minor) for one in found})
    items = [
        RemovalOut(
            seq=one.seq,
            version=versions.label_of(one.number, one.minor),
            example_id=one.example_id,
            cause=one.cause,
            removed_at=one.removed_at,
        )
        for one in found
    ]
    return RemovalsOut(items=items, lists=lists)


@router.get("/datasets/{dataset_id}/versions/{version}/export", response_class=StreamingResponse)
def export_version(
    *,
    dataset_id: str,
    version: str,
    actor: ActorDep,
    runtime: RuntimeDep,
    format_name: Annotated[str, Query(alias="format", max_length=40)] = chat_jsonl.FORMAT.name,
    split: Annotated[list[str] | None, Query(description="Default: all but the holdout.", max_length=4)] = None,
    placeholders: Annotated[str, Query(max_length=20, description="keep or surrogate")] = "keep",
    system: Annotated[bool, Query(description="Put the skill's text before each row as system message.")] = False,
    accept_terms: Annotated[str | None, Query(max_length=80, description="The hash of the terms.")] = None,
) -> StreamingResponse:
    """Download a version in a format, as a zip. Owner, and readers who accept its terms; every download is logged."""
    revise_waiting(runtime, actor, dataset_id)
    options = exporting.options_of(split, placeholders=placeholders, system=system)
    asked = exporting.Asked(
        dataset=dataset_id, version=version, format_name=format_name, options=options, accept_terms=accept_terms
    )
    work = exporting.work_folder(runtime.settings.data_dir)
    folder = work / "export"
    try:
        exporting.export_version(runtime.database, runtime.server_key, actor, asked, folder, now=runtime.now())
    except BaseException:
        shutil.rmtree(work, ignore_errors=True)
        raise
    return StreamingResponse(
        exporting.zipped(work, folder),
        media_type="application/zip",
        headers={"Content-Disposition": 'attachment; filename="dataset.zip"'},
    )


@router.get("/datasets/{dataset_id}/downloads")
def get_downloads(dataset_id: str, actor: ActorDep, runtime: RuntimeDep, limit: LimitParam = 50) -> Page[DownloadOut]:
    """Read the export log, the newest first. Owner only."""
    with runtime.database.read(actor.tenant_id) as session:
        dataset = owning.need_owner(session, actor, dataset_id)
        items = [
            DownloadOut(
                version=label,
                person_id=one.person_id,
                form=one.form,
                splits=one.splits,
                terms_hash=one.terms_hash,
                downloaded_at=one.downloaded_at,
            )
            for label, one in versions.downloads_of(session, dataset, limit=limit)
        ]
    return Page(items=items)
