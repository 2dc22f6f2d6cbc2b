"""Keyset paging: `?limit=&cursor=` in, `{"items": [...], "next_cursor": ...}` out."""

import base64
import binascii
from datetime import UTC, datetime
from typing import Annotated

from fastapi import Query

from goldvein.db.ids import is_id
from goldvein.errors import InvalidField

MAX_LIMIT = 200

LimitParam = Annotated[int, Query(ge=1, le=MAX_LIMIT, description="How many items at most.")]
CursorParam = Annotated[str | None, Query(max_length=300, description="`next_cursor` of the page before.")]


def encode_cursor(*parts: str) -> str:
    """An opaque cursor from the keys of the last item of a page."""
    return base64.urlsafe_b64encode("\n".join(parts).encode()).decode().rstrip("=")


def decode_cursor(cursor: str, count: int) -> list[str]:
    """The keys in a cursor; InvalidField for anything we did not write."""
    try:
        text = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)).decode()
    except (binascii.Error, ValueError):
        text = ""
    parts = text.split("\n")
    if len(parts) != count or not all(part.isprintable() and part for part in parts):
        raise InvalidField(field="cursor", reason="not a cursor of this list")
    return parts


def time_cursor(created_at: datetime, row_id: str) -> str:
    """The cursor of a list ordered by time, newest first."""
    return encode_cursor(created_at.isoformat(), row_id)


def decode_time_cursor(cursor: str | None) -> tuple[datetime, str] | None:
    """The time and id in a cursor; None without one."""
    if cursor is None:
        return None
    text, row_id = decode_cursor(cursor, 2)
    try:
        created_at = datetime.fromisoformat(text)
    except ValueError:
        created_at = None
    if created_at is None or created_at.tzinfo != UTC or not is_id(row_id):
        raise InvalidField(field="cursor", reason="not a cursor of this list")
    return created_at, row_id
