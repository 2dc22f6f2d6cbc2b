"""The first schema: identity, skills, consent, feedback and examples, capture."""

from alembic import op
import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "people",
        sa.Column("id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("email", sa.String(length=254), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("password_hash", sa.String(length=200), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_people")),
        sa.UniqueConstraint("email", name=op.f("uq_people_email")),
    )
    op.create_table(
        "tenants",
        sa.Column("id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("is_demo", sa.Boolean(), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_tenants")),
    )
    op.create_table(
        "memberships",
        sa.Column("tenant_id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("person_id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("role", sa.String(length=20), nullable=False),
        sa.Column("display", sa.String(length=20), nullable=False),
        sa.Column("accepted_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("deactivated_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("display IN ('pseudonym', 'name')", name=op.f("ck_memberships_display")),
        sa.CheckConstraint("role IN ('admin', 'member')", name=op.f("ck_memberships_role")),
        sa.ForeignKeyConstraint(["person_id"], ["people.id"], name=op.f("fk_memberships_person_id")),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenants.id"], name=op.f("fk_memberships_tenant_id")),
        sa.PrimaryKeyConstraint("tenant_id", "person_id", name=op.f("pk_memberships")),
    )
    with op.batch_alter_table("memberships", schema=None) as batch_op:
        batch_op.create_index("ix_memberships_person_id", ["person_id"], unique=False)

    op.create_table(
        "notices",
        sa.Column("tenant_id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("version", sa.String(length=80), nullable=False),
        sa.Column("language", sa.String(length=20), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenants.id"], name=op.f("fk_notices_tenant_id")),
        sa.PrimaryKeyConstraint("tenant_id", "version", name=op.f("pk_notices")),
    )
    op.create_table(
        "api_keys",
        sa.Column("tenant_id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("public_id", sa.String(length=12), nullable=False),
        sa.Column("secret_hash", sa.LargeBinary(), nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("person_id", sa.Uuid(as_uuid=False), nullable=True),
        sa.Column("created_by", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("name", sa.String(length=100), nullable=False),
        sa.Column("scopes", sa.JSON().with_variant(postgresql.JSONB(), "postgresql"), nullable=False),
        sa.Column("requires_signature", sa.Boolean(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("revoked_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("rotated_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "(kind = 'personal') = (person_id IS NOT NULL)", name=op.f("ck_api_keys_personal_has_person")
        ),
        sa.CheckConstraint("kind IN ('personal', 'service')", name=op.f("ck_api_keys_kind")),
        sa.ForeignKeyConstraint(
            ["tenant_id", "created_by"],
            ["memberships.tenant_id", "memberships.person_id"],
            name=op.f("fk_api_keys_tenant_id_created_by"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "person_id"],
            ["memberships.tenant_id", "memberships.person_id"],
            name=op.f("fk_api_keys_tenant_id_person_id"),
        ),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenants.id"], name=op.f("fk_api_keys_tenant_id")),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_api_keys")),
        sa.UniqueConstraint("public_id", name=op.f("uq_api_keys_public_id")),
    )
    op.create_table(
        "consent_events",
        sa.Column("tenant_id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.Column("subject", sa.String(length=20), nullable=False),
        sa.Column("person_id", sa.Uuid(as_uuid=False), nullable=True),
        sa.Column("action", sa.String(length=20), nullable=False),
        sa.Column("actor_id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("channel", sa.String(length=20), nullable=False),
        sa.Column("notice_version", sa.String(length=80), nullable=False),
        sa.Column("purposes", sa.JSON().with_variant(postgresql.JSONB(), "postgresql"), nullable=False),
        sa.Column("skill_ids", sa.JSON().with_variant(postgresql.JSONB(), "postgresql"), nullable=True),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("occurred_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "(subject = 'person') = (person_id IS NOT NULL)",
            name=op.f("ck_consent_events_subject_has_person"),
        ),
        sa.CheckConstraint(
            "(subject = 'tenant' AND action IN ('switched_on', 'switched_off')) OR (subject = 'person' AND action IN ('given', 'withdrawn'))",
            name=op.f("ck_consent_events_action"),
        ),
        sa.CheckConstraint(
            "action <> 'given' OR expires_at IS NOT NULL", name=op.f("ck_consent_events_given_expires")
        ),
        sa.CheckConstraint("channel IN ('web', 'api', 'cli')", name=op.f("ck_consent_events_channel")),
        sa.ForeignKeyConstraint(
            ["tenant_id", "actor_id"],
            ["memberships.tenant_id", "memberships.person_id"],
            name=op.f("fk_consent_events_tenant_id_actor_id"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "notice_version"],
            ["notices.tenant_id", "notices.version"],
            name=op.f("fk_consent_events_tenant_id_notice_version"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "person_id"],
            ["memberships.tenant_id", "memberships.person_id"],
            name=op.f("fk_consent_events_tenant_id_person_id"),
        ),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenants.id"], name=op.f("fk_consent_events_tenant_id")),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_consent_events")),
        sa.UniqueConstraint("tenant_id", "seq", name=op.f("uq_consent_events_tenant_id_seq")),
    )
    with op.batch_alter_table("consent_events", schema=None) as batch_op:
        batch_op.create_index(
            "ix_consent_events_subject", ["tenant_id", "subject", "person_id", "seq"], unique=False
        )

    op.create_table(
        "one_time_links",
        sa.Column("tenant_id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("token_hash", sa.LargeBinary(), nullable=False),
        sa.Column("person_id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("purpose", sa.String(length=20), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("used_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "purpose IN ('login', 'invitation', 'reset', 'choice')", name=op.f("ck_one_time_links_purpose")
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "person_id"],
            ["memberships.tenant_id", "memberships.person_id"],
            name=op.f("fk_one_time_links_tenant_id_person_id"),
        ),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenants.id"], name=op.f("fk_one_time_links_tenant_id")),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_one_time_links")),
        sa.UniqueConstraint("token_hash", name=op.f("uq_one_time_links_token_hash")),
    )
    op.create_table(
        "skills",
        sa.Column("tenant_id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("slug", sa.String(length=100), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("description", sa.String(length=2000), nullable=False),
        sa.Column("author_id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("proposed_author_id", sa.Uuid(as_uuid=False), nullable=True),
        sa.Column("current_digest", sa.String(length=80), nullable=True),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id", "author_id"],
            ["memberships.tenant_id", "memberships.person_id"],
            name=op.f("fk_skills_tenant_id_author_id"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "proposed_author_id"],
            ["memberships.tenant_id", "memberships.person_id"],
            name=op.f("fk_skills_tenant_id_proposed_author_id"),
        ),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenants.id"], name=op.f("fk_skills_tenant_id")),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_skills")),
        sa.UniqueConstraint("tenant_id", "slug", name=op.f("uq_skills_tenant_id_slug")),
    )
    op.create_table(
        "web_sessions",
        sa.Column("tenant_id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("token_hash", sa.LargeBinary(), nullable=False),
        sa.Column("person_id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id", "person_id"],
            ["memberships.tenant_id", "memberships.person_id"],
            name=op.f("fk_web_sessions_tenant_id_person_id"),
        ),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenants.id"], name=op.f("fk_web_sessions_tenant_id")),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_web_sessions")),
        sa.UniqueConstraint("token_hash", name=op.f("uq_web_sessions_token_hash")),
    )
    op.create_table(
        "hook_turns",
        sa.Column("tenant_id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("reporter_id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("session_id", sa.String(length=200), nullable=False),
        sa.Column("prompt_id", sa.String(length=200), nullable=False),
        sa.Column("skill_id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("seen_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id", "skill_id"],
            ["skills.tenant_id", "skills.id"],
            name=op.f("fk_hook_turns_tenant_id_skill_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenants.id"], name=op.f("fk_hook_turns_tenant_id")),
        sa.PrimaryKeyConstraint(
            "tenant_id", "reporter_id", "session_id", "prompt_id", name=op.f("pk_hook_turns")
        ),
    )
    with op.batch_alter_table("hook_turns", schema=None) as batch_op:
        batch_op.create_index("ix_hook_turns_seen_at", ["tenant_id", "seen_at"], unique=False)

    op.create_table(
        "skill_co_authors",
        sa.Column("tenant_id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("skill_id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("person_id", sa.Uuid(as_uuid=False), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id", "person_id"],
            ["memberships.tenant_id", "memberships.person_id"],
            name=op.f("fk_skill_co_authors_tenant_id_person_id"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "skill_id"],
            ["skills.tenant_id", "skills.id"],
            name=op.f("fk_skill_co_authors_tenant_id_skill_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenants.id"], name=op.f("fk_skill_co_authors_tenant_id")),
        sa.PrimaryKeyConstraint("tenant_id", "skill_id", "person_id", name=op.f("pk_skill_co_authors")),
    )
    op.create_table(
        "skill_versions",
        sa.Column("tenant_id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("skill_id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("digest", sa.String(length=80), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("created_by", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id", "created_by"],
            ["memberships.tenant_id", "memberships.person_id"],
            name=op.f("fk_skill_versions_tenant_id_created_by"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "skill_id"],
            ["skills.tenant_id", "skills.id"],
            name=op.f("fk_skill_versions_tenant_id_skill_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenants.id"], name=op.f("fk_skill_versions_tenant_id")),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_skill_versions")),
        sa.UniqueConstraint(
            "tenant_id", "skill_id", "digest", name=op.f("uq_skill_versions_tenant_id_skill_id_digest")
        ),
        sa.UniqueConstraint(
            "tenant_id", "skill_id", "number", name=op.f("uq_skill_versions_tenant_id_skill_id_number")
        ),
    )
    with op.batch_alter_table("skill_versions", schema=None) as batch_op:
        batch_op.create_index("ix_skill_versions_digest", ["tenant_id", "digest"], unique=False)

    op.create_table(
        "usage_events",
        sa.Column("tenant_id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("skill_id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("person_id", sa.Uuid(as_uuid=False), nullable=True),
        sa.Column("key_id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("reporter_id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("event_hash", sa.LargeBinary(), nullable=True),
        sa.Column("body_hash", sa.LargeBinary(), nullable=True),
        sa.Column("door", sa.String(length=20), nullable=False),
        sa.Column("tool_name", sa.String(length=200), nullable=False),
        sa.Column("hook_event", sa.String(length=200), nullable=True),
        sa.Column("session_id", sa.String(length=200), nullable=True),
        sa.Column("skill_version_id", sa.Uuid(as_uuid=False), nullable=True),
        sa.Column("skill_digest", sa.String(length=80), nullable=True),
        sa.Column("latency_ms", sa.BigInteger(), nullable=True),
        sa.Column("capture_outcome", sa.String(length=20), nullable=False),
        sa.Column("capture_reason", sa.String(length=40), nullable=True),
        sa.Column("occurred_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "(capture_outcome = 'captured') = (capture_reason IS NULL)",
            name=op.f("ck_usage_events_capture_reason"),
        ),
        sa.CheckConstraint(
            "capture_outcome IN ('captured', 'denied', 'none', 'failed')",
            name=op.f("ck_usage_events_capture_outcome"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "key_id"],
            ["api_keys.tenant_id", "api_keys.id"],
            name=op.f("fk_usage_events_tenant_id_key_id"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "person_id"],
            ["memberships.tenant_id", "memberships.person_id"],
            name=op.f("fk_usage_events_tenant_id_person_id"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "skill_id"],
            ["skills.tenant_id", "skills.id"],
            name=op.f("fk_usage_events_tenant_id_skill_id"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "skill_version_id"],
            ["skill_versions.tenant_id", "skill_versions.id"],
            name=op.f("fk_usage_events_tenant_id_skill_version_id"),
        ),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenants.id"], name=op.f("fk_usage_events_tenant_id")),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_usage_events")),
        sa.UniqueConstraint(
            "tenant_id",
            "reporter_id",
            "event_hash",
            name=op.f("uq_usage_events_tenant_id_reporter_id_event_hash"),
        ),
        sa.UniqueConstraint(
            "tenant_id", "skill_id", "id", name=op.f("uq_usage_events_tenant_id_skill_id_id")
        ),
    )
    with op.batch_alter_table("usage_events", schema=None) as batch_op:
        batch_op.create_index("ix_usage_events_person", ["tenant_id", "person_id"], unique=False)

    op.create_table(
        "skill_feedback",
        sa.Column("tenant_id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("feedback_type", sa.String(length=30), nullable=False),
        sa.Column("skill_id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("user_id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("usage_event_id", sa.Uuid(as_uuid=False), nullable=True),
        sa.Column("status", sa.String(length=20), nullable=True),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("comment", sa.Text(), nullable=True),
        sa.Column("category", sa.String(length=30), nullable=True),
        sa.Column("severity", sa.String(length=30), nullable=True),
        sa.Column("author_reply", sa.Text(), nullable=True),
        sa.Column("replied_by", sa.Uuid(as_uuid=False), nullable=True),
        sa.Column("replied_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("example_input", sa.Text(), nullable=True),
        sa.Column("example_output", sa.Text(), nullable=True),
        sa.Column("expected_output", sa.Text(), nullable=True),
        sa.Column("quality_score", sa.Integer(), nullable=True),
        sa.Column("source", sa.String(length=20), nullable=True),
        sa.Column("output_verdict", sa.String(length=20), nullable=True),
        sa.Column("reviewed_by", sa.Uuid(as_uuid=False), nullable=True),
        sa.Column("reviewed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("review_notes", sa.Text(), nullable=True),
        sa.Column("sanitizer_version", sa.String(length=40), nullable=True),
        sa.Column("findings", sa.JSON().with_variant(postgresql.JSONB(), "postgresql"), nullable=True),
        sa.Column("tool_name", sa.String(length=200), nullable=True),
        sa.Column("skill_version_id", sa.Uuid(as_uuid=False), nullable=True),
        sa.Column("skill_digest", sa.String(length=80), nullable=True),
        sa.Column("tenant_consent_id", sa.Uuid(as_uuid=False), nullable=True),
        sa.Column("person_consent_id", sa.Uuid(as_uuid=False), nullable=True),
        sa.CheckConstraint(
            "(feedback_type = 'training_example') OR (example_input IS NULL AND example_output IS NULL AND expected_output IS NULL AND quality_score IS NULL AND source IS NULL AND output_verdict IS NULL)",
            name=op.f("ck_skill_feedback_only_examples_have_texts"),
        ),
        sa.CheckConstraint(
            "(feedback_type IN ('thumbs_up', 'thumbs_down') AND status IS NULL) OR (feedback_type IN ('suggestion', 'bug_report') AND status IN ('pending', 'accepted', 'dismissed', 'implemented')) OR (feedback_type = 'training_example' AND status IN ('pending', 'approved', 'rejected', 'quarantined', 'withdrawn', 'expired'))",
            name=op.f("ck_skill_feedback_status"),
        ),
        sa.CheckConstraint(
            "NOT (feedback_type = 'training_example') OR (status IN ('withdrawn', 'expired')) = (example_input IS NULL)",
            name=op.f("ck_skill_feedback_only_ended_ones_have_no_text"),
        ),
        sa.CheckConstraint(
            "NOT (feedback_type = 'training_example') OR source IN ('web', 'api', 'usage_capture')",
            name=op.f("ck_skill_feedback_source"),
        ),
        sa.CheckConstraint(
            "NOT (feedback_type IN ('suggestion', 'bug_report')) OR (comment IS NOT NULL AND category IN ('output_quality', 'missing_feature', 'error', 'performance', 'other') AND severity IN ('nice_to_have', 'important', 'critical'))",
            name=op.f("ck_skill_feedback_written"),
        ),
        sa.CheckConstraint(
            "feedback_type IN ('thumbs_up', 'thumbs_down', 'suggestion', 'bug_report', 'training_example')",
            name=op.f("ck_skill_feedback_feedback_type"),
        ),
        sa.CheckConstraint(
            "output_verdict IS NULL OR output_verdict IN ('good', 'bad', 'unsure')",
            name=op.f("ck_skill_feedback_output_verdict"),
        ),
        sa.CheckConstraint(
            "source <> 'usage_capture' OR (usage_event_id IS NOT NULL AND tenant_consent_id IS NOT NULL AND person_consent_id IS NOT NULL)",
            name=op.f("ck_skill_feedback_captured_stands_on_consent"),
        ),
        sa.CheckConstraint(
            "status NOT IN ('withdrawn', 'expired') OR (example_output IS NULL AND expected_output IS NULL AND review_notes IS NULL AND findings IS NULL)",
            name=op.f("ck_skill_feedback_ended_ones_keep_nothing"),
        ),
        sa.CheckConstraint(
            "quality_score IS NULL OR quality_score BETWEEN 1 AND 10",
            name=op.f("ck_skill_feedback_quality_score"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "person_consent_id"],
            ["consent_events.tenant_id", "consent_events.id"],
            name=op.f("fk_skill_feedback_tenant_id_person_consent_id"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "replied_by"],
            ["memberships.tenant_id", "memberships.person_id"],
            name=op.f("fk_skill_feedback_tenant_id_replied_by"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "reviewed_by"],
            ["memberships.tenant_id", "memberships.person_id"],
            name=op.f("fk_skill_feedback_tenant_id_reviewed_by"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "skill_id", "usage_event_id"],
            ["usage_events.tenant_id", "usage_events.skill_id", "usage_events.id"],
            name=op.f("fk_skill_feedback_tenant_id_skill_id_usage_event_id"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "skill_id"],
            ["skills.tenant_id", "skills.id"],
            name=op.f("fk_skill_feedback_tenant_id_skill_id"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "skill_version_id"],
            ["skill_versions.tenant_id", "skill_versions.id"],
            name=op.f("fk_skill_feedback_tenant_id_skill_version_id"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "tenant_consent_id"],
            ["consent_events.tenant_id", "consent_events.id"],
            name=op.f("fk_skill_feedback_tenant_id_tenant_consent_id"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "user_id"],
            ["memberships.tenant_id", "memberships.person_id"],
            name=op.f("fk_skill_feedback_tenant_id_user_id"),
        ),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenants.id"], name=op.f("fk_skill_feedback_tenant_id")),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_skill_feedback")),
    )
    with op.batch_alter_table("skill_feedback", schema=None) as batch_op:
        batch_op.create_index(
            "ix_skill_feedback_list",
            ["tenant_id", "skill_id", "feedback_type", "created_at", "id"],
            unique=False,
        )
        batch_op.create_index(
            "ix_skill_feedback_user", ["tenant_id", "user_id", "feedback_type"], unique=False
        )
        batch_op.create_index(
            "uq_skill_feedback_example_of_event",
            ["tenant_id", "usage_event_id"],
            unique=True,
            sqlite_where=sa.text("feedback_type = 'training_example' AND usage_event_id IS NOT NULL"),
            postgresql_where=sa.text("feedback_type = 'training_example' AND usage_event_id IS NOT NULL"),
        )
        batch_op.create_index(
            "uq_skill_feedback_vote_on_event",
            ["tenant_id", "usage_event_id", "user_id"],
            unique=True,
            sqlite_where=sa.text(
                "feedback_type IN ('thumbs_up', 'thumbs_down') AND usage_event_id IS NOT NULL"
            ),
            postgresql_where=sa.text(
                "feedback_type IN ('thumbs_up', 'thumbs_down') AND usage_event_id IS NOT NULL"
            ),
        )
        batch_op.create_index(
            "uq_skill_feedback_vote_on_skill",
            ["tenant_id", "skill_id", "user_id"],
            unique=True,
            sqlite_where=sa.text("feedback_type IN ('thumbs_up', 'thumbs_down') AND usage_event_id IS NULL"),
            postgresql_where=sa.text(
                "feedback_type IN ('thumbs_up', 'thumbs_down') AND usage_event_id IS NULL"
            ),
        )

    op.create_table(
        "token_measurements",
        sa.Column("tenant_id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("usage_event_id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("model_name", sa.String(length=100), nullable=False),
        sa.Column("input_tokens", sa.BigInteger(), nullable=True),
        sa.Column("output_tokens", sa.BigInteger(), nullable=True),
        sa.Column("estimated_cost_usd", sa.Numeric().with_variant(sa.String(64), "sqlite"), nullable=True),
        sa.Column("prices_as_of", sa.String(length=10), nullable=True),
        sa.ForeignKeyConstraint(
            ["tenant_id", "usage_event_id"],
            ["usage_events.tenant_id", "usage_events.id"],
            name=op.f("fk_token_measurements_tenant_id_usage_event_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenants.id"], name=op.f("fk_token_measurements_tenant_id")),
        sa.PrimaryKeyConstraint("tenant_id", "usage_event_id", name=op.f("pk_token_measurements")),
    )
    op.create_table(
        "example_revisions",
        sa.Column("tenant_id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("example_id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("example_input", sa.Text(), nullable=False),
        sa.Column("example_output", sa.Text(), nullable=False),
        sa.Column("expected_output", sa.Text(), nullable=True),
        sa.Column("review_notes", sa.Text(), nullable=True),
        sa.Column("edited_by", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("edited_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id", "edited_by"],
            ["memberships.tenant_id", "memberships.person_id"],
            name=op.f("fk_example_revisions_tenant_id_edited_by"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "example_id"],
            ["skill_feedback.tenant_id", "skill_feedback.id"],
            name=op.f("fk_example_revisions_tenant_id_example_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenants.id"], name=op.f("fk_example_revisions_tenant_id")),
        sa.PrimaryKeyConstraint("tenant_id", "example_id", "revision", name=op.f("pk_example_revisions")),
    )
    _protect()


# Rows that must be found before the tenant is known: whose key, whose session is this?
_IDENTITY_TABLES = ("memberships", "api_keys", "web_sessions", "one_time_links")
_TENANT_TABLES = (
    "notices",
    "consent_events",
    "skills",
    "skill_co_authors",
    "skill_versions",
    "skill_feedback",
    "example_revisions",
    "usage_events",
    "token_measurements",
    "hook_turns",
)
_ACROSS_TENANTS = "current_setting('goldvein.tenant_id') = '*'"


def _protect() -> None:
    if op.get_bind().dialect.name == "postgresql":
        _protect_rows()
        _append_only_on_postgresql("consent_events")
    else:
        _append_only_on_sqlite("consent_events")


def _protect_rows() -> None:
    """A missing setting is an error; '*' (across tenants) opens identity rows and nothing else."""
    op.execute(
        "CREATE FUNCTION goldvein_tenant() RETURNS uuid LANGUAGE sql STABLE AS $$ SELECT CASE"
        " current_setting('goldvein.tenant_id') WHEN '*' THEN NULL ELSE current_setting('goldvein.tenant_id')::uuid END $$"
    )
    for table in _TENANT_TABLES:
        _policy(table, "tenant_id = goldvein_tenant()")
    for table in _IDENTITY_TABLES:
        _policy(table, f"{_ACROSS_TENANTS} OR tenant_id = goldvein_tenant()")
    _policy("tenants", f"{_ACROSS_TENANTS} OR id = goldvein_tenant()")
    members = "SELECT person_id FROM memberships WHERE tenant_id = goldvein_tenant()"
    _policy("people", f"{_ACROSS_TENANTS} OR id IN ({members})")


def _policy(table: str, condition: str) -> None:
    op.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
    op.execute(f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY")
    op.execute(f"CREATE POLICY tenant ON {table} USING ({condition}) WITH CHECK ({condition})")


def _append_only_on_postgresql(table: str) -> None:
    op.execute(
        "CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS"
        " $$ BEGIN RAISE EXCEPTION '% is append-only', TG_TABLE_NAME; END $$"
    )
    op.execute(
        f"CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON {table} FOR EACH ROW EXECUTE FUNCTION refuse_change()"
    )
    op.execute(
        f"CREATE TRIGGER no_truncate BEFORE TRUNCATE ON {table} FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()"
    )


def _append_only_on_sqlite(table: str) -> None:
    for change in ("UPDATE", "DELETE"):
        op.execute(
            f"CREATE TRIGGER {table}_refuse_{change.lower()} BEFORE {change} ON {table}"
            f" BEGIN SELECT RAISE(ABORT, '{table} is append-only'); END"
        )
