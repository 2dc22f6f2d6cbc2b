from typing import Annotated

from fastapi import APIRouter, Query, Response

from goldvein.datasets import service
from goldvein.datasets.exports import chat_jsonl
from goldvein.identity.access import ActorDep, RuntimeDep
from goldvein.skills import service as skills

router = APIRouter(prefix="/api", tags=["datasets"])


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
