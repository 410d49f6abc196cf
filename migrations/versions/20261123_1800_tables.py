"""All tables of the main job: from policies to payouts."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "tables"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "account",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("code", sa.Integer(), nullable=False, comment="number in the chart of accounts"),
        sa.Column(
            "party",
            sa.Text(),
            server_default="",
            nullable=False,
            comment="household:17, artisan:4, or empty for the co-op's own",
        ),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column(
            "side",
            sa.SmallInteger(),
            nullable=False,
            comment="-1: a liability that may not turn into a claim; +1: the reverse; 0: free",
        ),
        sa.CheckConstraint("side IN (-1, 0, 1)", name=op.f("ck_account_side")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_account")),
        sa.UniqueConstraint("code", "party", name=op.f("uq_account_code_party")),
    )
    op.create_table(
        "artisan",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("reference", sa.Text(), nullable=True, comment="the workshop's number in files brought in"),
        sa.Column("craft", sa.Text(), server_default="", nullable=False, comment="small-batch gin; jams & pickles"),
        sa.Column("town", sa.Text(), server_default="", nullable=False),
        sa.Column("distance_km", sa.Integer(), nullable=True),
        sa.Column(
            "story", sa.Text(), server_default="", nullable=False, comment="plain text, paragraphs by empty lines"
        ),
        sa.Column("picture", sa.Text(), nullable=True, comment="path under static/"),
        sa.Column("joined_at", sa.DateTime(timezone=True), server_default=sa.text("clock_timestamp()"), nullable=False),
        sa.Column("left_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("length(name) BETWEEN 1 AND 120", name=op.f("ck_artisan_name")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_artisan")),
        sa.UniqueConstraint("name", name=op.f("uq_artisan_name")),
        sa.UniqueConstraint("reference", name=op.f("uq_artisan_reference")),
    )
    op.create_table(
        "audit_record",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), server_default=sa.text("clock_timestamp()"), nullable=False),
        sa.Column(
            "actor_id",
            sa.BigInteger(),
            nullable=False,
            comment="person who acted; 0 for the command line and the clock",
        ),
        sa.Column("act", sa.Text(), nullable=False, comment="the command, in its own words: report_yield"),
        sa.Column("subject_kind", sa.Text(), nullable=False),
        sa.Column("subject_id", sa.BigInteger(), nullable=False),
        sa.Column(
            "detail",
            postgresql.JSONB(astext_type=sa.Text()),
            nullable=False,
            comment="before and after; never bank details or passwords",
        ),
        sa.Column("origin", sa.Text(), nullable=True, comment="network address the act came from"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_audit_record")),
    )
    op.create_index(
        op.f("ix_audit_record_subject_kind_subject_id"), "audit_record", ["subject_kind", "subject_id"], unique=False
    )
    op.create_table(
        "balance",
        sa.Column("account_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.Column("side", sa.SmallInteger(), nullable=False),
        sa.PrimaryKeyConstraint("account_id", name=op.f("pk_balance")),
    )
    op.create_table(
        "bank_statement",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("sha256", sa.Text(), nullable=False),
        sa.Column("bytes", sa.LargeBinary(), nullable=False),
        sa.Column("statement_reference", sa.Text(), nullable=False),
        sa.Column("opening_minor", sa.BigInteger(), nullable=False),
        sa.Column("closing_minor", sa.BigInteger(), nullable=False),
        sa.Column("closes_on", sa.Date(), nullable=False),
        sa.Column("imported_by", sa.BigInteger(), nullable=False),
        sa.Column("imported_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_bank_statement")),
        sa.UniqueConstraint("sha256", name=op.f("uq_bank_statement_sha256")),
    )
    op.create_table(
        "entry",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("key", sa.Text(), nullable=False, comment="the business fact it books; never pruned"),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("business_date", sa.Date(), nullable=False),
        sa.Column("posted_at", sa.DateTime(timezone=True), server_default=sa.text("clock_timestamp()"), nullable=False),
        sa.Column("period_id", sa.BigInteger(), nullable=False),
        sa.Column(
            "line_count",
            sa.Integer(),
            nullable=False,
            comment="how many postings it has; with all slots taken nothing can be slipped in",
        ),
        sa.Column("reverses_id", sa.BigInteger(), nullable=True),
        sa.Column(
            "actor_id",
            sa.BigInteger(),
            nullable=False,
            comment="person who acted; 0 for the command line and the clock",
        ),
        sa.Column("memo", sa.Text(), nullable=True),
        sa.CheckConstraint("line_count >= 2", name=op.f("ck_entry_line_count")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_entry")),
        sa.UniqueConstraint("key", name=op.f("uq_entry_key")),
    )
    op.create_index(
        "uq_entry_reverses_id",
        "entry",
        ["reverses_id"],
        unique=True,
        postgresql_where=sa.text("reverses_id IS NOT NULL"),
    )
    op.create_table(
        "entry_check",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("lowest", sa.BigInteger(), nullable=False),
        sa.Column("highest", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_entry_check")),
        prefixes=["UNLOGGED"],
    )
    op.create_table(
        "heartbeat",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("beat_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_heartbeat")),
    )
    op.create_table(
        "household",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("reference", sa.Text(), nullable=True, comment="the household's number in files brought in"),
        sa.Column("joined_at", sa.DateTime(timezone=True), server_default=sa.text("clock_timestamp()"), nullable=False),
        sa.Column("left_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("length(name) BETWEEN 1 AND 120", name=op.f("ck_household_name")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_household")),
        sa.UniqueConstraint("reference", name=op.f("uq_household_reference")),
    )
    op.create_table(
        "notice",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("key", sa.Text(), nullable=False, comment="what it is about; the same thing is told once"),
        sa.Column(
            "person_id", sa.BigInteger(), nullable=False, comment="0 for somebody who is not a person of the co-op yet"
        ),
        sa.Column("address", sa.Text(), nullable=False),
        sa.Column("template", sa.Text(), nullable=False, comment="name under templates/mail"),
        sa.Column(
            "values",
            postgresql.JSONB(astext_type=sa.Text()),
            nullable=False,
            comment="named values of the template; a one-time link only as its purpose",
        ),
        sa.Column(
            "created_at", sa.DateTime(timezone=True), server_default=sa.text("clock_timestamp()"), nullable=False
        ),
        sa.Column("sent_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("address LIKE '%%_@_%%'", name=op.f("ck_notice_address")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_notice")),
        sa.UniqueConstraint("key", name=op.f("uq_notice_key")),
    )
    op.create_index(op.f("ix_notice_person_id"), "notice", ["person_id"], unique=False)
    op.create_table(
        "outbox",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("job", sa.Text(), nullable=False),
        sa.Column("row_id", sa.BigInteger(), nullable=False, comment="the row that the job is about"),
        sa.Column("dedup_key", sa.Text(), nullable=False),
        sa.Column(
            "created_at", sa.DateTime(timezone=True), server_default=sa.text("clock_timestamp()"), nullable=False
        ),
        sa.Column(
            "next_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("clock_timestamp()"),
            nullable=False,
            comment="not rung again before",
        ),
        sa.Column(
            "attempts",
            sa.Integer(),
            server_default="0",
            nullable=False,
            comment="counted before the work, so a killer counts too",
        ),
        sa.Column("lease_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("epoch", sa.Integer(), server_default="0", nullable=False),
        sa.Column("done_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("dead_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("last_error", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_outbox")),
        sa.UniqueConstraint("dedup_key", name=op.f("uq_outbox_dedup_key")),
    )
    op.create_index(
        "ix_outbox_due",
        "outbox",
        ["next_at"],
        unique=False,
        postgresql_where=sa.text("done_at IS NULL AND dead_at IS NULL"),
    )
    op.create_table(
        "payout_run",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("through", sa.Date(), nullable=False, comment="last business date of what is paid"),
        sa.Column("minimum_minor", sa.BigInteger(), nullable=False),
        sa.Column("state", sa.Text(), server_default="requested", nullable=False),
        sa.Column("requested_by", sa.BigInteger(), nullable=False),
        sa.Column("requested_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("computed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("approved_by", sa.BigInteger(), nullable=True),
        sa.Column("approved_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("file_made_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("settled_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("failure", sa.Text(), nullable=True),
        sa.CheckConstraint(
            "state IN ('requested', 'computed', 'approved', 'file_made', 'settled', 'partly_returned', 'failed', 'cancelled')",
            name=op.f("ck_payout_run_state"),
        ),
        sa.CheckConstraint(
            "approved_by IS NULL OR approved_by <> requested_by", name=op.f("ck_payout_run_second_person")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_payout_run")),
    )
    op.create_index(
        "uq_payout_run_open",
        "payout_run",
        [sa.literal_column("(true)")],
        unique=True,
        postgresql_where=sa.text("state IN ('requested', 'computed', 'approved')"),
    )
    op.create_table(
        "period",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("starts", sa.Date(), nullable=False),
        sa.Column("ends", sa.Date(), nullable=False, comment="last day, included"),
        sa.Column("closed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("closed_by", sa.BigInteger(), nullable=True),
        sa.CheckConstraint("starts <= ends", name=op.f("ck_period_order")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_period")),
        sa.UniqueConstraint("starts", name=op.f("uq_period_starts")),
    )
    op.create_table(
        "person",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("email", sa.Text(), nullable=False),
        sa.Column("email_key", sa.Text(), nullable=False, comment="the address as compared: NFC, case folded"),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("phone", sa.Text(), nullable=True),
        sa.Column("password_hash", sa.Text(), nullable=True, comment="argon2id; null until a first password is set"),
        sa.Column("password_set_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("joined_at", sa.DateTime(timezone=True), server_default=sa.text("clock_timestamp()"), nullable=False),
        sa.Column("left_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("length(name) BETWEEN 1 AND 120", name=op.f("ck_person_name")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_person")),
        sa.UniqueConstraint("email_key", name=op.f("uq_person_email_key")),
    )
    op.create_table(
        "pickup_point",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("place", sa.Text(), nullable=False, comment="street and town"),
        sa.Column("hours", sa.Text(), nullable=False, comment="in words: Wednesdays 16:00 to 19:00"),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_pickup_point")),
        sa.UniqueConstraint("name", name=op.f("uq_pickup_point_name")),
    )
    op.create_table(
        "policy",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("value", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("effective_from", sa.DateTime(timezone=True), nullable=False),
        sa.Column("set_by", sa.BigInteger(), nullable=False, comment="person who acted; 0 for the command line"),
        sa.Column("set_at", sa.DateTime(timezone=True), server_default=sa.text("clock_timestamp()"), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_policy")),
        sa.UniqueConstraint("name", "effective_from", name=op.f("uq_policy_name_effective_from")),
    )
    op.create_table(
        "posting",
        sa.Column("entry_id", sa.BigInteger(), nullable=False),
        sa.Column("n", sa.Integer(), nullable=False, comment="slot 1 .. entry.line_count"),
        sa.Column("account_id", sa.BigInteger(), nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False, comment="debit +, credit -"),
        sa.Column("line_id", sa.BigInteger(), nullable=True, comment="order line that the money belongs to"),
        sa.CheckConstraint("abs(amount) <= 100000000000", name=op.f("ck_posting_limit")),
        sa.CheckConstraint("amount <> 0", name=op.f("ck_posting_amount")),
        sa.PrimaryKeyConstraint("entry_id", "n", name=op.f("pk_posting")),
    )
    op.create_index(op.f("ix_posting_account_id_entry_id"), "posting", ["account_id", "entry_id"], unique=False)
    op.create_index(
        "ix_posting_line_id", "posting", ["line_id"], unique=False, postgresql_where=sa.text("line_id IS NOT NULL")
    )
    op.create_table(
        "seal",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column(
            "covered", postgresql.INT8MULTIRANGE(), nullable=False, comment="ids of the audit records under this seal"
        ),
        sa.Column("previous_hash", sa.LargeBinary(), nullable=False),
        sa.Column("hash", sa.LargeBinary(), nullable=False),
        sa.Column("sealed_at", sa.DateTime(timezone=True), server_default=sa.text("clock_timestamp()"), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_seal")),
        sa.UniqueConstraint("hash", name=op.f("uq_seal_hash")),
        sa.UniqueConstraint("previous_hash", name=op.f("uq_seal_previous_hash")),
    )
    op.create_table(
        "season",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("starts", sa.Date(), nullable=False),
        sa.Column("ends", sa.Date(), nullable=False),
        sa.Column(
            "rule",
            sa.Text(),
            server_default="cea/standing@1",
            nullable=False,
            comment="rule in force unless an offering says another",
        ),
        sa.Column("memory", sa.Text(), server_default="rounding", nullable=False),
        sa.Column("guests_may_order", sa.Boolean(), server_default=sa.text("true"), nullable=False),
        sa.Column("guest_weight", sa.Integer(), server_default="1", nullable=False),
        sa.Column(
            "secret_sealed", sa.LargeBinary(), nullable=False, comment="season secret, AES-GCM under the field key"
        ),
        sa.Column(
            "secret_hash", sa.Text(), nullable=False, comment="SHA-256 of the secret, published before orders open"
        ),
        sa.Column(
            "files_digest", sa.Text(), nullable=True, comment="digest of the files the season was brought in from"
        ),
        sa.Column("made_at", sa.DateTime(timezone=True), server_default=sa.text("clock_timestamp()"), nullable=False),
        sa.CheckConstraint("memory IN ('none', 'rounding', 'season')", name=op.f("ck_season_memory")),
        sa.CheckConstraint("guest_weight BETWEEN 1 AND 32767", name=op.f("ck_season_guest_weight")),
        sa.CheckConstraint("starts < ends", name=op.f("ck_season_order")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_season")),
        sa.UniqueConstraint("files_digest", name=op.f("uq_season_files_digest")),
        sa.UniqueConstraint("name", name=op.f("uq_season_name")),
    )
    op.create_table(
        "spent_key",
        sa.Column("actor_id", sa.BigInteger(), nullable=False, comment="person who acted; 0 for the command line"),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("body_hash", sa.Text(), nullable=False),
        sa.Column("answer", sa.BigInteger(), nullable=True, comment="id that the command returned"),
        sa.Column("at", sa.DateTime(timezone=True), server_default=sa.text("clock_timestamp()"), nullable=False),
        sa.PrimaryKeyConstraint("actor_id", "key", name=op.f("pk_spent_key")),
    )
    op.create_table(
        "artisan_terms",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("artisan_id", sa.BigInteger(), nullable=False),
        sa.Column("effective_from", sa.DateTime(timezone=True), nullable=False),
        sa.Column("model", sa.Text(), server_default="agent", nullable=False),
        sa.Column("fee_bp", sa.Integer(), nullable=False, comment="co-op fee taken off, basis points"),
        sa.Column("fee_tax_bp", sa.Integer(), server_default="0", nullable=False, comment="tax inside the fee"),
        sa.Column(
            "price_tax_bp",
            sa.Integer(),
            server_default="0",
            nullable=False,
            comment="tax inside the price, resale only",
        ),
        sa.CheckConstraint("model IN ('agent', 'resale')", name=op.f("ck_artisan_terms_model")),
        sa.CheckConstraint("fee_bp BETWEEN 0 AND 5000", name=op.f("ck_artisan_terms_fee")),
        sa.CheckConstraint("fee_tax_bp BETWEEN 0 AND 5000", name=op.f("ck_artisan_terms_fee_tax")),
        sa.CheckConstraint("price_tax_bp BETWEEN 0 AND 5000", name=op.f("ck_artisan_terms_price_tax")),
        sa.ForeignKeyConstraint(["artisan_id"], ["artisan.id"], name=op.f("fk_artisan_terms_artisan_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_artisan_terms")),
        sa.UniqueConstraint("artisan_id", "effective_from", name=op.f("uq_artisan_terms_artisan_id_effective_from")),
    )
    op.create_table(
        "bank_details",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("artisan_id", sa.BigInteger(), nullable=False),
        sa.Column("holder", sa.Text(), nullable=False),
        sa.Column("iban_sealed", sa.LargeBinary(), nullable=False, comment="AES-GCM under the field key"),
        sa.Column("iban_ending", sa.Text(), nullable=False),
        sa.Column("set_by", sa.BigInteger(), nullable=False),
        sa.Column("set_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["artisan_id"], ["artisan.id"], name=op.f("fk_bank_details_artisan_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_bank_details")),
    )
    op.create_index(op.f("ix_bank_details_artisan_id"), "bank_details", ["artisan_id"], unique=False)
    op.create_table(
        "bank_file",
        sa.Column("run_id", sa.BigInteger(), nullable=False),
        sa.Column("message_id", sa.Text(), nullable=False),
        sa.Column("bytes", sa.LargeBinary(), nullable=False),
        sa.Column("sha256", sa.Text(), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["run_id"], ["payout_run.id"], name=op.f("fk_bank_file_run_id")),
        sa.PrimaryKeyConstraint("run_id", name=op.f("pk_bank_file")),
        sa.UniqueConstraint("message_id", name=op.f("uq_bank_file_message_id")),
    )
    op.create_table(
        "bank_line",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("statement_id", sa.BigInteger(), nullable=False),
        sa.Column(
            "reference",
            sa.Text(),
            nullable=False,
            comment="the bank's own; without one, the file's digest and the position",
        ),
        sa.Column("amount_minor", sa.BigInteger(), nullable=False, comment="in +, out -"),
        sa.Column("booked_on", sa.Date(), nullable=False),
        sa.Column("end_to_end_id", sa.Text(), nullable=True),
        sa.Column("words", sa.Text(), server_default="", nullable=False),
        sa.Column("entry_id", sa.BigInteger(), nullable=True, comment="entry that books it; null while unmatched"),
        sa.ForeignKeyConstraint(["statement_id"], ["bank_statement.id"], name=op.f("fk_bank_line_statement_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_bank_line")),
        sa.UniqueConstraint("reference", name=op.f("uq_bank_line_reference")),
    )
    op.create_index(op.f("ix_bank_line_statement_id"), "bank_line", ["statement_id"], unique=False)
    op.create_table(
        "belonging",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("person_id", sa.BigInteger(), nullable=False),
        sa.Column("household_id", sa.BigInteger(), nullable=False),
        sa.Column("since", sa.DateTime(timezone=True), server_default=sa.text("clock_timestamp()"), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["household_id"], ["household.id"], name=op.f("fk_belonging_household_id")),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_belonging_person_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_belonging")),
    )
    op.create_index(op.f("ix_belonging_household_id"), "belonging", ["household_id"], unique=False)
    op.create_index(
        "uq_belonging_current", "belonging", ["person_id"], unique=True, postgresql_where=sa.text("ended_at IS NULL")
    )
    op.create_table(
        "one_time_token",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("purpose", sa.Text(), nullable=False),
        sa.Column("token_hash", sa.LargeBinary(), nullable=False),
        sa.Column("person_id", sa.BigInteger(), nullable=True),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("used_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "purpose IN ('reset_password', 'first_admin', 'confirm_email')", name=op.f("ck_one_time_token_purpose")
        ),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_one_time_token_person_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_one_time_token")),
        sa.UniqueConstraint("token_hash", name=op.f("uq_one_time_token_token_hash")),
    )
    op.create_table(
        "pickup_choice",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("household_id", sa.BigInteger(), nullable=False),
        sa.Column("point_id", sa.BigInteger(), nullable=False),
        sa.Column("chosen_at", sa.DateTime(timezone=True), server_default=sa.text("clock_timestamp()"), nullable=False),
        sa.ForeignKeyConstraint(["household_id"], ["household.id"], name=op.f("fk_pickup_choice_household_id")),
        sa.ForeignKeyConstraint(["point_id"], ["pickup_point.id"], name=op.f("fk_pickup_choice_point_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_pickup_choice")),
    )
    op.create_index(op.f("ix_pickup_choice_household_id_id"), "pickup_choice", ["household_id", "id"], unique=False)
    op.create_table(
        "pool",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("season_id", sa.BigInteger(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column(
            "opens_at",
            sa.DateTime(timezone=True),
            nullable=False,
            comment="planned opening; weights are those held at this instant",
        ),
        sa.Column("closes_at", sa.DateTime(timezone=True), nullable=False, comment="cut-off, announced before opening"),
        sa.Column("pickup_on", sa.Date(), nullable=False, comment="the day of the hand-over, and its business date"),
        sa.Column(
            "opened_at",
            sa.DateTime(timezone=True),
            nullable=True,
            comment="when orders really opened; from here on rule, caps and prices stand",
        ),
        sa.Column("opened_by", sa.BigInteger(), nullable=True),
        sa.Column(
            "closed_at",
            sa.DateTime(timezone=True),
            nullable=True,
            comment="when it was closed; never before the cut-off unless nobody ordered",
        ),
        sa.Column("closed_by", sa.BigInteger(), nullable=True),
        sa.Column("made_at", sa.DateTime(timezone=True), server_default=sa.text("clock_timestamp()"), nullable=False),
        sa.CheckConstraint("opens_at < closes_at", name=op.f("ck_pool_order")),
        sa.ForeignKeyConstraint(["season_id"], ["season.id"], name=op.f("fk_pool_season_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_pool")),
        sa.UniqueConstraint("name", name=op.f("uq_pool_name")),
        sa.UniqueConstraint("season_id", "name", name=op.f("uq_pool_season_id_name")),
    )
    op.create_table(
        "product",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("artisan_id", sa.BigInteger(), nullable=False),
        sa.Column("reference", sa.Text(), nullable=True),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("unit_one", sa.Text(), server_default="piece", nullable=False, comment="jar"),
        sa.Column("unit_many", sa.Text(), server_default="pieces", nullable=False, comment="jars"),
        sa.Column("line", sa.Text(), server_default="", nullable=False, comment="one line under the name"),
        sa.Column("story", sa.Text(), server_default="", nullable=False),
        sa.Column(
            "family",
            sa.Text(),
            server_default="all",
            nullable=False,
            comment="pieces of a family count alike in the standing",
        ),
        sa.Column("min_age", sa.Integer(), nullable=True),
        sa.Column(
            "deposit_minor",
            sa.BigInteger(),
            server_default="0",
            nullable=False,
            comment="returnable deposit on jar or bottle",
        ),
        sa.Column("picture", sa.Text(), nullable=True, comment="path under static/"),
        sa.CheckConstraint("length(name) BETWEEN 1 AND 120", name=op.f("ck_product_name")),
        sa.CheckConstraint("min_age IS NULL OR min_age BETWEEN 1 AND 99", name=op.f("ck_product_min_age")),
        sa.ForeignKeyConstraint(["artisan_id"], ["artisan.id"], name=op.f("fk_product_artisan_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_product")),
        sa.UniqueConstraint("reference", name=op.f("uq_product_reference")),
    )
    op.create_index(op.f("ix_product_artisan_id"), "product", ["artisan_id"], unique=False)
    op.create_table(
        "role_grant",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("person_id", sa.BigInteger(), nullable=False),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column(
            "artisan_id",
            sa.BigInteger(),
            nullable=True,
            comment="the workshop acted for; artisans stand higher on the stair",
        ),
        sa.Column("granted_by", sa.BigInteger(), nullable=False),
        sa.Column(
            "granted_at", sa.DateTime(timezone=True), server_default=sa.text("clock_timestamp()"), nullable=False
        ),
        sa.Column("ended_by", sa.BigInteger(), nullable=True),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("(role = 'artisan') = (artisan_id IS NOT NULL)", name=op.f("ck_role_grant_artisan")),
        sa.CheckConstraint("role IN ('artisan', 'packer', 'treasurer', 'admin')", name=op.f("ck_role_grant_role")),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_role_grant_person_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_role_grant")),
    )
    op.create_index(
        "uq_role_grant_current",
        "role_grant",
        ["person_id", "role", sa.literal_column("coalesce(artisan_id, 0)")],
        unique=True,
        postgresql_where=sa.text("ended_at IS NULL"),
    )
    op.create_table(
        "share_size",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("season_id", sa.BigInteger(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("line", sa.Text(), server_default="", nullable=False, comment="one line that says whom it suits"),
        sa.Column("weight", sa.Integer(), nullable=False),
        sa.Column("price_minor", sa.BigInteger(), nullable=False),
        sa.Column("cap", sa.Integer(), nullable=True, comment="how many there are; null for no limit"),
        sa.CheckConstraint("cap IS NULL OR cap >= 0", name=op.f("ck_share_size_cap")),
        sa.CheckConstraint("price_minor >= 0", name=op.f("ck_share_size_price")),
        sa.CheckConstraint("weight BETWEEN 1 AND 32767", name=op.f("ck_share_size_weight")),
        sa.ForeignKeyConstraint(["season_id"], ["season.id"], name=op.f("fk_share_size_season_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_share_size")),
        sa.UniqueConstraint("season_id", "name", name=op.f("uq_share_size_season_id_name")),
    )
    op.create_table(
        "sign_in",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("token_hash", sa.LargeBinary(), nullable=False, comment="SHA-256 of the random token in the cookie"),
        sa.Column("person_id", sa.BigInteger(), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("seen_at", sa.DateTime(timezone=True), nullable=False, comment="kept to the minute"),
        sa.Column(
            "confirmed_at", sa.DateTime(timezone=True), nullable=False, comment="when the password was last given"
        ),
        sa.Column("device", sa.Text(), nullable=False, comment="browser as it names itself, cut to 200 characters"),
        sa.Column("origin", sa.Text(), nullable=True),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_sign_in_person_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sign_in")),
        sa.UniqueConstraint("token_hash", name=op.f("uq_sign_in_token_hash")),
    )
    op.create_index(op.f("ix_sign_in_person_id"), "sign_in", ["person_id"], unique=False)
    op.create_table(
        "snapshot",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("season_id", sa.BigInteger(), nullable=False),
        sa.Column("taken_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("figures", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.ForeignKeyConstraint(["season_id"], ["season.id"], name=op.f("fk_snapshot_season_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_snapshot")),
        sa.UniqueConstraint("season_id", "taken_at", name=op.f("uq_snapshot_season_id_taken_at")),
    )
    op.create_table(
        "standing",
        sa.Column("season_id", sa.BigInteger(), nullable=False),
        sa.Column("family", sa.Text(), nullable=False),
        sa.Column("household_id", sa.BigInteger(), nullable=False),
        sa.Column("owed_micro", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["household_id"], ["household.id"], name=op.f("fk_standing_household_id")),
        sa.ForeignKeyConstraint(["season_id"], ["season.id"], name=op.f("fk_standing_season_id")),
        sa.PrimaryKeyConstraint("season_id", "family", "household_id", name=op.f("pk_standing")),
    )
    op.create_table(
        "statement",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("run_id", sa.BigInteger(), nullable=False),
        sa.Column("artisan_id", sa.BigInteger(), nullable=False),
        sa.Column("series", sa.Text(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column(
            "sold_minor", sa.BigInteger(), nullable=False, comment="price of all pieces handed over, deposits apart"
        ),
        sa.Column("fee_minor", sa.BigInteger(), nullable=False),
        sa.Column("tax_minor", sa.BigInteger(), nullable=False, comment="tax inside the fee"),
        sa.Column(
            "earned_minor", sa.BigInteger(), nullable=False, comment="sum of its lines: what the maker's account gained"
        ),
        sa.Column(
            "payable_minor",
            sa.BigInteger(),
            nullable=False,
            comment="what is paid",
        ),
        sa.ForeignKeyConstraint(["artisan_id"], ["artisan.id"], name=op.f("fk_statement_artisan_id")),
        sa.ForeignKeyConstraint(["run_id"], ["payout_run.id"], name=op.f("fk_statement_run_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_statement")),
        sa.UniqueConstraint("run_id", "artisan_id", name=op.f("uq_statement_run_id_artisan_id")),
        sa.UniqueConstraint("series", "number", name=op.f("uq_statement_series_number")),
    )
    op.create_index(op.f("ix_statement_artisan_id"), "statement", ["artisan_id"], unique=False)
    op.create_table(
        "allocation_run",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("pool_id", sa.BigInteger(), nullable=False),
        sa.Column("version", sa.Integer(), server_default="1", nullable=False),
        sa.Column("rule", sa.Text(), nullable=False),
        sa.Column("memory", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), server_default="requested", nullable=False),
        sa.Column("requested_by", sa.BigInteger(), nullable=False),
        sa.Column("requested_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("input_digest", sa.Text(), nullable=True, comment="of the batches' inputs in order of application"),
        sa.Column("chain_start", sa.Text(), nullable=True, comment="result digest that the season's chain stood at"),
        sa.Column("result_digest", sa.Text(), nullable=True),
        sa.Column(
            "figures",
            postgresql.JSONB(astext_type=sa.Text()),
            nullable=True,
            comment="claims, pieces, short, lowest_fill, jain, seconds",
        ),
        sa.Column("proposed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("published_by", sa.BigInteger(), nullable=True),
        sa.Column("published_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("failure", sa.Text(), nullable=True, comment="what went wrong, in plain words"),
        sa.CheckConstraint(
            "state IN ('requested', 'proposed', 'publishing', 'published', 'failed', 'cancelled', 'superseded')",
            name=op.f("ck_allocation_run_state"),
        ),
        sa.ForeignKeyConstraint(["pool_id"], ["pool.id"], name=op.f("fk_allocation_run_pool_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_allocation_run")),
    )
    op.create_index(op.f("ix_allocation_run_pool_id"), "allocation_run", ["pool_id"], unique=False)
    op.create_index(
        "uq_allocation_run_live",
        "allocation_run",
        ["pool_id"],
        unique=True,
        postgresql_where=sa.text("state IN ('requested', 'proposed', 'publishing', 'published')"),
    )
    op.create_table(
        "batch",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("product_id", sa.BigInteger(), nullable=False),
        sa.Column("lot_number", sa.Text(), nullable=False),
        sa.Column("planned", sa.BigInteger(), nullable=False),
        sa.Column(
            "planned_at", sa.DateTime(timezone=True), server_default=sa.text("clock_timestamp()"), nullable=False
        ),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=True, comment="in work since"),
        sa.Column("story", sa.Text(), server_default="", nullable=False),
        sa.CheckConstraint("length(lot_number) BETWEEN 1 AND 80", name=op.f("ck_batch_lot_number")),
        sa.CheckConstraint("planned >= 0", name=op.f("ck_batch_planned")),
        sa.ForeignKeyConstraint(["product_id"], ["product.id"], name=op.f("fk_batch_product_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_batch")),
        sa.UniqueConstraint("lot_number", name=op.f("uq_batch_lot_number")),
    )
    op.create_index(op.f("ix_batch_product_id"), "batch", ["product_id"], unique=False)
    op.create_table(
        "household_order",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("pool_id", sa.BigInteger(), nullable=False),
        sa.Column("household_id", sa.BigInteger(), nullable=False),
        sa.Column("placed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("edited_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column(
            "edits",
            sa.Integer(),
            server_default="0",
            nullable=False,
            comment="how often it was changed; part of the key of its entries",
        ),
        sa.ForeignKeyConstraint(["household_id"], ["household.id"], name=op.f("fk_household_order_household_id")),
        sa.ForeignKeyConstraint(["pool_id"], ["pool.id"], name=op.f("fk_household_order_pool_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_household_order")),
        sa.UniqueConstraint("pool_id", "household_id", name=op.f("uq_household_order_pool_id_household_id")),
    )
    op.create_index(op.f("ix_household_order_household_id"), "household_order", ["household_id"], unique=False)
    op.create_table(
        "payment",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("statement_id", sa.BigInteger(), nullable=False),
        sa.Column("bank_details_id", sa.BigInteger(), nullable=False),
        sa.Column("amount_minor", sa.BigInteger(), nullable=False),
        sa.Column("end_to_end_id", sa.Text(), nullable=False, comment="at most 35 of A-Z 0-9"),
        sa.Column("sent_entry_id", sa.BigInteger(), nullable=True, comment="set when the bank file is made"),
        sa.Column("settled_on", sa.Date(), nullable=True),
        sa.Column("settled_entry_id", sa.BigInteger(), nullable=True),
        sa.Column("returned_on", sa.Date(), nullable=True),
        sa.Column("returned_entry_id", sa.BigInteger(), nullable=True),
        sa.CheckConstraint("amount_minor > 0", name=op.f("ck_payment_amount")),
        sa.ForeignKeyConstraint(["bank_details_id"], ["bank_details.id"], name=op.f("fk_payment_bank_details_id")),
        sa.ForeignKeyConstraint(["statement_id"], ["statement.id"], name=op.f("fk_payment_statement_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_payment")),
        sa.UniqueConstraint("end_to_end_id", name=op.f("uq_payment_end_to_end_id")),
        sa.UniqueConstraint("sent_entry_id", name=op.f("uq_payment_sent_entry_id")),
        sa.UniqueConstraint("statement_id", name=op.f("uq_payment_statement_id")),
    )
    op.create_table(
        "season_share",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("size_id", sa.BigInteger(), nullable=False),
        sa.Column("household_id", sa.BigInteger(), nullable=False),
        sa.Column("taken_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("taken_by", sa.BigInteger(), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["household_id"], ["household.id"], name=op.f("fk_season_share_household_id")),
        sa.ForeignKeyConstraint(["size_id"], ["share_size.id"], name=op.f("fk_season_share_size_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_season_share")),
    )
    op.create_index(op.f("ix_season_share_household_id"), "season_share", ["household_id"], unique=False)
    op.create_index(
        "uq_season_share_current",
        "season_share",
        ["size_id", "household_id"],
        unique=True,
        postgresql_where=sa.text("ended_at IS NULL"),
    )
    op.create_table(
        "share_wait",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("size_id", sa.BigInteger(), nullable=False),
        sa.Column("household_id", sa.BigInteger(), nullable=False),
        sa.Column("since", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("outcome", sa.Text(), nullable=True, comment="took: a share came free; left: the household gave up"),
        sa.ForeignKeyConstraint(["household_id"], ["household.id"], name=op.f("fk_share_wait_household_id")),
        sa.ForeignKeyConstraint(["size_id"], ["share_size.id"], name=op.f("fk_share_wait_size_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_share_wait")),
    )
    op.create_index(
        "uq_share_wait_current",
        "share_wait",
        ["size_id", "household_id"],
        unique=True,
        postgresql_where=sa.text("ended_at IS NULL"),
    )
    op.create_table(
        "statement_line",
        sa.Column("statement_id", sa.BigInteger(), nullable=False),
        sa.Column("entry_id", sa.BigInteger(), nullable=False),
        sa.Column("n", sa.Integer(), nullable=False),
        sa.Column("amount_minor", sa.BigInteger(), nullable=False),
        sa.Column(
            "live",
            sa.Boolean(),
            server_default=sa.text("true"),
            nullable=False,
            comment="false once the run was cancelled",
        ),
        sa.ForeignKeyConstraint(["statement_id"], ["statement.id"], name=op.f("fk_statement_line_statement_id")),
        sa.PrimaryKeyConstraint("statement_id", "entry_id", "n", name=op.f("pk_statement_line")),
    )
    op.create_index(
        "uq_statement_line_live", "statement_line", ["entry_id", "n"], unique=True, postgresql_where=sa.text("live")
    )
    op.create_table(
        "award",
        sa.Column("run_id", sa.BigInteger(), nullable=False),
        sa.Column(
            "offering_id",
            sa.BigInteger(),
            nullable=False,
            comment="of the line; first in the key so that a batch reads together",
        ),
        sa.Column("line_id", sa.BigInteger(), nullable=False),
        sa.Column("pieces", sa.BigInteger(), nullable=False, comment="awarded in all, extra included"),
        sa.Column("extra", sa.BigInteger(), nullable=False, comment="awarded beyond the wish, out of plenty"),
        sa.Column(
            "entitled_micro",
            sa.BigInteger(),
            nullable=True,
            comment="entitlement in micro-units; null where the season keeps no standing",
        ),
        sa.Column("owed_before_micro", sa.BigInteger(), nullable=True),
        sa.CheckConstraint("pieces >= 0 AND extra >= 0", name=op.f("ck_award_pieces")),
        sa.PrimaryKeyConstraint("run_id", "offering_id", "line_id", name=op.f("pk_award")),
    )
    op.create_table(
        "chain_head",
        sa.Column("season_id", sa.BigInteger(), nullable=False),
        sa.Column("result_digest", sa.Text(), nullable=False),
        sa.Column("run_id", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(["run_id"], ["allocation_run.id"], name=op.f("fk_chain_head_run_id")),
        sa.ForeignKeyConstraint(["season_id"], ["season.id"], name=op.f("fk_chain_head_season_id")),
        sa.PrimaryKeyConstraint("season_id", name=op.f("pk_chain_head")),
    )
    op.create_table(
        "hand_over",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("order_id", sa.BigInteger(), nullable=False),
        sa.Column("entry_id", sa.BigInteger(), nullable=True, comment="the entry that earns it; null when it was free"),
        sa.Column("handed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("handed_by", sa.BigInteger(), nullable=False),
        sa.Column(
            "age_checked_minimum", sa.Integer(), nullable=True, comment="age that the packer confirmed to have checked"
        ),
        sa.CheckConstraint("age_checked_minimum IS NULL OR age_checked_minimum > 0", name=op.f("ck_hand_over_age")),
        sa.ForeignKeyConstraint(["order_id"], ["household_order.id"], name=op.f("fk_hand_over_order_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_hand_over")),
        sa.UniqueConstraint("entry_id", name=op.f("uq_hand_over_entry_id")),
    )
    op.create_index(op.f("ix_hand_over_order_id"), "hand_over", ["order_id"], unique=False)
    op.create_table(
        "instalment",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("share_id", sa.BigInteger(), nullable=False),
        sa.Column("n", sa.Integer(), nullable=False),
        sa.Column("due_on", sa.Date(), nullable=False),
        sa.Column("amount_minor", sa.BigInteger(), nullable=False),
        sa.Column("released_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("amount_minor > 0", name=op.f("ck_instalment_amount")),
        sa.ForeignKeyConstraint(["share_id"], ["season_share.id"], name=op.f("fk_instalment_share_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_instalment")),
        sa.UniqueConstraint("share_id", "n", name=op.f("uq_instalment_share_id_n")),
    )
    op.create_table(
        "offering",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("pool_id", sa.BigInteger(), nullable=False),
        sa.Column("product_id", sa.BigInteger(), nullable=False),
        sa.Column("batch_id", sa.BigInteger(), nullable=False, comment="the batch that serves it"),
        sa.Column("terms_id", sa.BigInteger(), nullable=False),
        sa.Column("price_minor", sa.BigInteger(), nullable=False),
        sa.Column("deposit_minor", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("cap", sa.Integer(), nullable=True, comment="most pieces one household may take"),
        sa.Column("rule", sa.Text(), nullable=True, comment="null: the season's"),
        sa.Column(
            "surplus",
            sa.Text(),
            server_default="next_pool",
            nullable=False,
            comment="where pieces beyond all wishes go from the shelf",
        ),
        sa.CheckConstraint("surplus IN ('next_pool', 'artisan')", name=op.f("ck_offering_surplus")),
        sa.CheckConstraint("cap IS NULL OR cap > 0", name=op.f("ck_offering_cap")),
        sa.CheckConstraint("deposit_minor >= 0", name=op.f("ck_offering_deposit")),
        sa.CheckConstraint("price_minor >= 0", name=op.f("ck_offering_price")),
        sa.ForeignKeyConstraint(["batch_id"], ["batch.id"], name=op.f("fk_offering_batch_id")),
        sa.ForeignKeyConstraint(["pool_id"], ["pool.id"], name=op.f("fk_offering_pool_id")),
        sa.ForeignKeyConstraint(["product_id"], ["product.id"], name=op.f("fk_offering_product_id")),
        sa.ForeignKeyConstraint(["terms_id"], ["artisan_terms.id"], name=op.f("fk_offering_terms_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_offering")),
        sa.UniqueConstraint("batch_id", name=op.f("uq_offering_batch_id")),
    )
    op.create_index(op.f("ix_offering_pool_id"), "offering", ["pool_id"], unique=False)
    op.create_table(
        "recorded_payment",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("household_id", sa.BigInteger(), nullable=False),
        sa.Column("share_id", sa.BigInteger(), nullable=True),
        sa.Column("purpose", sa.Text(), nullable=False),
        sa.Column("amount_minor", sa.BigInteger(), nullable=False),
        sa.Column("received_on", sa.Date(), nullable=False),
        sa.Column("reference", sa.Text(), nullable=False, comment="as the bank or the till names it"),
        sa.Column("entry_id", sa.BigInteger(), nullable=False),
        sa.Column("recorded_by", sa.BigInteger(), nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("(purpose = 'share') = (share_id IS NOT NULL)", name=op.f("ck_recorded_payment_share")),
        sa.CheckConstraint("purpose IN ('share', 'credit')", name=op.f("ck_recorded_payment_purpose")),
        sa.CheckConstraint("amount_minor > 0", name=op.f("ck_recorded_payment_amount")),
        sa.ForeignKeyConstraint(["household_id"], ["household.id"], name=op.f("fk_recorded_payment_household_id")),
        sa.ForeignKeyConstraint(["share_id"], ["season_share.id"], name=op.f("fk_recorded_payment_share_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_recorded_payment")),
        sa.UniqueConstraint("entry_id", name=op.f("uq_recorded_payment_entry_id")),
        sa.UniqueConstraint("reference", name=op.f("uq_recorded_payment_reference")),
    )
    op.create_index(op.f("ix_recorded_payment_household_id"), "recorded_payment", ["household_id"], unique=False)
    op.create_table(
        "release",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("batch_id", sa.BigInteger(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("pieces", sa.BigInteger(), nullable=False),
        sa.Column("released_by", sa.BigInteger(), nullable=False),
        sa.Column("released_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("pieces >= 0", name=op.f("ck_release_pieces")),
        sa.ForeignKeyConstraint(["batch_id"], ["batch.id"], name=op.f("fk_release_batch_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_release")),
        sa.UniqueConstraint("batch_id", "version", name=op.f("uq_release_batch_id_version")),
    )
    op.create_table(
        "yield_report",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("batch_id", sa.BigInteger(), nullable=False),
        sa.Column("n", sa.Integer(), nullable=False, comment="1 is the first report, the highest counts"),
        sa.Column("pieces", sa.BigInteger(), nullable=False),
        sa.Column(
            "broken", sa.BigInteger(), server_default="0", nullable=False, comment="made, but not fit to share out"
        ),
        sa.Column("made_on", sa.Date(), nullable=True),
        sa.Column("best_before", sa.Date(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("reported_by", sa.BigInteger(), nullable=False),
        sa.Column("reported_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "best_before IS NULL OR made_on IS NULL OR best_before >= made_on", name=op.f("ck_yield_report_best_before")
        ),
        sa.CheckConstraint("broken >= 0", name=op.f("ck_yield_report_broken")),
        sa.CheckConstraint("n = 1 OR reason IS NOT NULL", name=op.f("ck_yield_report_reason")),
        sa.CheckConstraint("pieces >= 0", name=op.f("ck_yield_report_pieces")),
        sa.ForeignKeyConstraint(["batch_id"], ["batch.id"], name=op.f("fk_yield_report_batch_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_yield_report")),
        sa.UniqueConstraint("batch_id", "n", name=op.f("uq_yield_report_batch_id_n")),
    )
    op.create_table(
        "order_line",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("order_id", sa.BigInteger(), nullable=False),
        sa.Column("offering_id", sa.BigInteger(), nullable=False),
        sa.Column("wish", sa.BigInteger(), nullable=False),
        sa.Column("up_to", sa.BigInteger(), nullable=False),
        sa.Column(
            "unit_minor", sa.BigInteger(), nullable=False, comment="price of a piece as shown when it was ordered"
        ),
        sa.Column("deposit_minor", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column(
            "ordered_at", sa.DateTime(timezone=True), server_default=sa.text("clock_timestamp()"), nullable=False
        ),
        sa.CheckConstraint("unit_minor >= 0 AND deposit_minor >= 0", name=op.f("ck_order_line_price")),
        sa.CheckConstraint("wish >= 0 AND up_to >= wish", name=op.f("ck_order_line_wish")),
        sa.ForeignKeyConstraint(["offering_id"], ["offering.id"], name=op.f("fk_order_line_offering_id")),
        sa.ForeignKeyConstraint(["order_id"], ["household_order.id"], name=op.f("fk_order_line_order_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_order_line")),
        sa.UniqueConstraint("order_id", "offering_id", name=op.f("uq_order_line_order_id_offering_id")),
    )
    op.create_index(op.f("ix_order_line_offering_id"), "order_line", ["offering_id"], unique=False)
    op.create_table(
        "hand_over_line",
        sa.Column("hand_over_id", sa.BigInteger(), nullable=False),
        sa.Column("line_id", sa.BigInteger(), nullable=False),
        sa.Column("pieces", sa.BigInteger(), nullable=False),
        sa.Column("fee_minor", sa.BigInteger(), nullable=False, comment="co-op fee of these pieces, tax included"),
        sa.Column(
            "tax_minor",
            sa.BigInteger(),
            nullable=False,
            comment="tax inside the fee, or inside the price in resale",
        ),
        sa.Column("net_minor", sa.BigInteger(), nullable=False, comment="what the maker earned with them"),
        sa.CheckConstraint("pieces > 0", name=op.f("ck_hand_over_line_pieces")),
        sa.ForeignKeyConstraint(["hand_over_id"], ["hand_over.id"], name=op.f("fk_hand_over_line_hand_over_id")),
        sa.ForeignKeyConstraint(["line_id"], ["order_line.id"], name=op.f("fk_hand_over_line_line_id")),
        sa.PrimaryKeyConstraint("hand_over_id", "line_id", name=op.f("pk_hand_over_line")),
    )
    op.create_index(op.f("ix_hand_over_line_line_id"), "hand_over_line", ["line_id"], unique=False)
