"""Notices: the texts consent is asked with. A tenant's own, by language, over the built-in one.

A notice is known by its text: its version is the sha256. Publishing puts one in force in its language. When it asks for
more than before, the tenant's edition goes up, and consents given to an earlier edition are not enough any more.
"""

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from importlib.resources import files
from typing import Final

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from goldvein.consent import ledger
from goldvein.consent.decision import PURPOSES, SIMPLE_PURPOSES, clean_purposes
from goldvein.consent.tables import ConsentRequest, Notice, NoticePublication
from goldvein.db.ids import new_id
from goldvein.db.session import Database, TenantSession, lock_consent
from goldvein.errors import InvalidField, NotFound, StaleRevision
from goldvein.identity.actor import Actor
from goldvein.sanitizer import sanitize

BUILTIN_LANGUAGE: Final = "en"
BUILTIN_EDITION: Final = 1
"""A release that widens the built-in text raises this, and appends to the switch of each tenant that has no own one."""

MAX_NOTICE_CHARS: Final = 20_000
_LANGUAGE: Final = re.compile(r"[a-z]{2,3}(-[A-Za-z0-9]{2,8}){0,2}")
_VERSION: Final = re.compile(r"sha256:[0-9a-f]{64}")
_CONTACTS: Final = frozenset({"email", "phone"})  # a notice says whom to turn to
_MOST_LANGUAGES_ASKED: Final = 20


@dataclass(frozen=True, kw_only=True, slots=True)
class NoticeInForce:
    """A notice that consent can be given to now."""

    version: str
    language: str
    text: str
    purposes: tuple[str, ...]
    edition: int

    @property
    def simple_purposes(self) -> list[str]:
        """What the one-box choice gives under this notice; never sharing outside."""
        return [purpose for purpose in SIMPLE_PURPOSES if purpose in self.purposes]


@cache
def builtin_notice() -> tuple[str, str]:
    """The notice a tenant has without its own: its version (sha256 of the text) and its text (Markdown)."""
    text = (files("goldvein.consent") / "notice.md").read_text(encoding="utf-8")
    return version_of(text), text


def version_of(text: str) -> str:
    """The version of a notice: what a choice points to."""
    return "sha256:" + hashlib.sha256(text.encode()).hexdigest()


def _builtin() -> NoticeInForce:
    version, text = builtin_notice()
    return NoticeInForce(
        version=version, language=BUILTIN_LANGUAGE, text=text, purposes=PURPOSES, edition=BUILTIN_EDITION
    )


def publications(session: TenantSession) -> list[NoticePublication]:
    """Every publication of the tenant, newest first."""
    return list(session.scalars(select(NoticePublication).order_by(NoticePublication.number.desc())))


def edition_in_force(session: TenantSession) -> int:
    """What a consent must have reached to be enough for new captures."""
    newest = session.scalar(select(NoticePublication).order_by(NoticePublication.number.desc()).limit(1))
    return BUILTIN_EDITION if newest is None else newest.edition


def notices_in_force(session: TenantSession) -> list[NoticeInForce]:
    """The notice of each language, oldest language first; those that ask for less than another are not in force."""
    found = {BUILTIN_LANGUAGE: _builtin()}
    edition = BUILTIN_EDITION
    for row in reversed(publications(session)):
        found[row.language] = _published(session, row)
        edition = row.edition
    return [notice for notice in found.values() if notice.edition == edition]


def _published(session: TenantSession, row: NoticePublication) -> NoticeInForce:
    text = find_notice(session, row.version).text
    return NoticeInForce(
        version=row.version, language=row.language, text=text, purposes=tuple(row.purposes), edition=row.edition
    )


def notice_in_force(session: TenantSession, languages: Sequence[str] = ()) -> NoticeInForce:
    """The notice to show to someone who reads these languages, best first; else English; else the oldest."""
    there = {notice.language.lower(): notice for notice in notices_in_force(session)}
    for language in (*languages, BUILTIN_LANGUAGE):
        for wanted in (language.lower(), language.lower().partition("-")[0]):
            if wanted in there:
                return there[wanted]
    return next(iter(there.values()))


def accepted_languages(header: str) -> list[str]:
    """The languages of an Accept-Language header, best first."""
    weighted = []
    for place, item in enumerate(header.split(",")[:_MOST_LANGUAGES_ASKED]):
        name, _, weight = item.strip().partition(";q=")
        try:
            quality = float(weight or 1)
        except ValueError:
            continue
        if _LANGUAGE.fullmatch(name) and quality > 0:
            weighted.append((-quality, place, name))
    return [name for _, _, name in sorted(weighted)]


def notice_chosen(session: TenantSession, version: str | None, languages: Sequence[str] = ()) -> NoticeInForce:
    """The notice a yes is to. One that is not in force (any more), or nobody's, is a StaleRevision with what is."""
    if version is None:
        return notice_in_force(session, languages)
    here = notices_in_force(session)
    chosen = next((notice for notice in here if notice.version == version), None)
    if chosen is not None:
        return chosen
    replaced = session.scalar(select(Notice).where(Notice.version == version))
    now = notice_in_force(session, [replaced.language] if replaced is not None else languages)
    raise StaleRevision(
        current={"notice_version": now.version, "language": now.language, "text": now.text, "edition": now.edition}
    )


def find_notice(session: TenantSession, version: str) -> Notice:
    """A notice that is or was in force in this tenant, by its version."""
    found = session.scalar(select(Notice).where(Notice.version == version)) if _VERSION.fullmatch(version) else None
    if found is None:
        raise NotFound(what="notice")
    return found


def keep_notice(session: TenantSession, notice: NoticeInForce, now: datetime) -> None:
    """Keep the text with its version, so that what a choice points to can be read for ever."""
    if session.scalar(select(Notice).where(Notice.version == notice.version)) is None:
        session.add(Notice(version=notice.version, language=notice.language, text=notice.text, created_at=now))
        session.flush()


def publish_notice(
    session: TenantSession,
    actor: Actor,
    *,
    language: str,
    text: str,
    purposes: Sequence[str],
    wider: bool,
    now: datetime,
    expected_number: int | None = None,
) -> NoticePublication:
    """As admin, put a text in force in a language. `wider`: it asks for more than the one before.

    A purpose that was not asked for before makes it wider whatever was said. Only `goldvein.consent.service.publish`
    calls this: in the same transaction it brings the tenant's switch to the new edition.
    """
    actor.need_admin()
    language, text, cleaned = _clean_notice(language, text, purposes)
    lock_consent(session, exclusive=True)
    before = publications(session)
    number = before[0].number if before else 0
    if expected_number is not None and expected_number != number:
        raise StaleRevision(current={"revision": number, "notice_version": notice_in_force(session).version})
    asked_before = {purpose for notice in notices_in_force(session) for purpose in notice.purposes}
    edition = edition_in_force(session) + (1 if wider or set(cleaned) - asked_before else 0)
    notice = NoticeInForce(
        version=version_of(text), language=language, text=text, purposes=tuple(cleaned), edition=edition
    )
    keep_notice(session, notice, now)
    row = NoticePublication(
        id=new_id(),
        number=number + 1,
        language=language,
        version=notice.version,
        purposes=cleaned,
        edition=edition,
        published_by=actor.person_id,
        channel=actor.channel,
        published_at=now,
    )
    session.add(row)
    session.flush()
    ledger.record_published(session, row)
    return row


def _clean_notice(language: str, text: str, purposes: Sequence[str]) -> tuple[str, str, list[str]]:
    if _LANGUAGE.fullmatch(language) is None:
        raise InvalidField(field="language", reason="a language such as en, fr or pt-BR")
    text = text.replace("\r\n", "\n").strip() + "\n"
    if not 1 < len(text) <= MAX_NOTICE_CHARS or "\x00" in text:
        raise InvalidField(field="text", reason=f"1 to {MAX_NOTICE_CHARS} characters of Markdown, without NUL")
    cleaned = clean_purposes(purposes)
    if cleaned is None or not set(cleaned) & set(SIMPLE_PURPOSES):
        raise InvalidField(
            field="purposes", reason="evaluation, training or both, and sharing_outside_tenant if the text asks for it"
        )
    found = next((finding for finding in sanitize(text).findings if finding.type not in _CONTACTS), None)
    if found is not None:
        line = text.count("\n", 0, found.start) + 1
        raise InvalidField(field="text", reason=f"line {line} looks like a secret ({found.type}); remove it")
    return language, text, cleaned


# Who was shown what


def was_shown(session: TenantSession, person_id: str, version: str, skill_id: str | None = None) -> bool:
    """Whether a person was shown this version already; with a skill: was asked about that skill with it."""
    asked = [ConsentRequest.person_id == person_id, ConsentRequest.notice_version == version]
    if skill_id is not None:
        asked.append(ConsentRequest.skill_id == skill_id)
    return session.scalar(select(ConsentRequest.id).where(*asked).limit(1)) is not None


def requests_to(session: TenantSession, person_id: str) -> list[ConsentRequest]:
    """When a person was shown which notice, oldest first."""
    rows = select(ConsentRequest).where(ConsentRequest.person_id == person_id)
    return list(session.scalars(rows.order_by(ConsentRequest.occurred_at, ConsentRequest.id)))


def record_shown(
    database: Database, actor: Actor, notice: NoticeInForce, now: datetime, *, skill_id: str | None = None
) -> None:
    """Record that a person is being shown a notice, the first time (for a skill: that they are asked about it)."""
    with database.read(actor.tenant_id) as session:
        if was_shown(session, actor.person_id, notice.version, skill_id):
            return
    try:
        _add_request(database, actor, notice, now, skill_id)
    except IntegrityError:  # another request kept the same text at the same moment; it is there now
        _add_request(database, actor, notice, now, skill_id)


def _add_request(database: Database, actor: Actor, notice: NoticeInForce, now: datetime, skill_id: str | None) -> None:
    with database.write(actor.tenant_id) as session:
        if was_shown(session, actor.person_id, notice.version, skill_id):
            return
        keep_notice(session, notice, now)
        row = ConsentRequest(
            id=new_id(),
            person_id=actor.person_id,
            notice_version=notice.version,
            skill_id=skill_id,
            channel=actor.channel,
            occurred_at=now,
        )
        session.add(row)
        ledger.record_requested(session, row)
