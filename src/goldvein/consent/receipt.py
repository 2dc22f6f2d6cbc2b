"""A receipt for one choice of a person: the record with the field names of ISO/IEC TS 27560, signed.

It holds nothing that the person does not know: their id and not their name or address, the choice, the notice it was
about, and where it stands in the ledger.
"""

from datetime import datetime
from typing import Any

import rfc8785

from goldvein.consent import ledger
from goldvein.consent.tables import ConsentEvent
from goldvein.db.session import TenantSession
from goldvein.identity.server_key import ServerKey
from goldvein.identity.tables import Tenant
from goldvein.verify.documents import RECEIPT
from goldvein.verify.envelope import sign

SCHEMA_VERSION = "ISO/IEC TS 27560:2023"


def make_receipt(
    session: TenantSession, server_key: ServerKey, tenant: Tenant, event: ConsentEvent, now: datetime
) -> dict[str, Any]:
    """The signed receipt of a person's consent event; without a place in the ledger when it is older than that."""
    receipt = {"record": _record(tenant, event), "ledger": _place(session, server_key, event, now)}
    return sign(ledger.signing_seed(server_key), RECEIPT, rfc8785.dumps(receipt))


def _record(tenant: Tenant, event: ConsentEvent) -> dict[str, Any]:
    return {
        "schema_version": SCHEMA_VERSION,
        "record_id": event.id,
        "pii_principal_id": event.person_id,
        "pii_processing": {
            "privacy_notice": event.notice_version,
            "purposes": [{"purpose": purpose, "lawful_basis": "consent"} for purpose in event.purposes],
            "pii_information": ["inputs and outputs of skill uses, sanitized"],
            "services": "all skills" if event.skill_ids is None else list(event.skill_ids),
            "services_excepted": list(event.excepted_skill_ids or ()),
            "pii_controllers": [tenant.id],
            "withdrawal_method": 'POST /api/me/consent {"decision":"withdraw"}, or the page Preferences',
        },
        "party_identification": [{"party_id": tenant.id, "party_name": tenant.name, "party_role": "pii_controller"}],
        "events": [
            {
                "event_time": ledger.timestamp(event.occurred_at),
                "event_type": "explicit",
                "event_state": event.action,
                "entity_id": tenant.id,
                "validity_duration": None
                if event.expires_at is None
                else f"until {ledger.timestamp(event.expires_at)}",
                "channel": event.channel,
            }
        ],
    }


def _place(session: TenantSession, server_key: ServerKey, event: ConsentEvent, now: datetime) -> dict[str, Any] | None:
    included = ledger.find_included(session, server_key, event.id, now)
    key = ledger.consent_key(session, event.person_id or "")
    if included is None or key is None:
        return None
    return {
        "seq": included.seq,
        "entry": included.entry,
        "proof": included.proof,
        "checkpoint": included.checkpoint,
        "commitment_key": key.hex(),
    }
