"""Second factors, signing in by two steps, and the workshops whose people need one because their account is known."""

import sqlalchemy as sa
from alembic import op

revision = "factors"
down_revision = "recipes"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "app_secret",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("person_id", sa.BigInteger(), nullable=False),
        sa.Column("secret_sealed", sa.LargeBinary(), nullable=False, comment="bound to its person"),
        sa.Column(
            "last_step",
            sa.BigInteger(),
            nullable=False,
            comment="step of 30 seconds whose code was used last; no earlier one counts",
        ),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_app_secret_person_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_app_secret")),
    )
    current = sa.text("ended_at IS NULL")
    op.create_index("uq_app_secret_current", "app_secret", ["person_id"], unique=True, postgresql_where=current)
    op.create_table(
        "passkey",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("person_id", sa.BigInteger(), nullable=False),
        sa.Column("credential", sa.LargeBinary(), nullable=False, comment="the key's id, as its device chose it"),
        sa.Column("public_key", sa.LargeBinary(), nullable=False, comment="COSE"),
        sa.Column(
            "sign_count", sa.BigInteger(), nullable=False, comment="as the device last said; 0 where it does not count"
        ),
        sa.Column("name", sa.Text(), nullable=False, comment="what its owner calls it"),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("used_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("length(name) BETWEEN 1 AND 60", name="name"),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_passkey_person_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_passkey")),
        sa.UniqueConstraint("credential", name=op.f("uq_passkey_credential")),
    )
    op.create_index(op.f("ix_passkey_person_id"), "passkey", ["person_id"])
    op.create_table(
        "recovery_code",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("person_id", sa.BigInteger(), nullable=False),
        sa.Column("code_hash", sa.Text(), nullable=False, comment="HMAC under the field key"),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True, comment="used, or replaced by new ones"),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_recovery_code_person_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_recovery_code")),
    )
    both = ["person_id", "code_hash"]
    op.create_index("uq_recovery_code_current", "recovery_code", both, unique=True, postgresql_where=current)
    op.create_table(
        "paid_workshop",
        sa.Column("artisan_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("since", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("artisan_id", name=op.f("pk_paid_workshop")),
    )
    op.execute("INSERT INTO paid_workshop SELECT artisan_id, min(set_at) FROM bank_details GROUP BY artisan_id")
    _sign_ins()


def _sign_ins() -> None:
    let_in = "when the last step of signing in was taken; null while the second is awaited"
    op.add_column("sign_in", sa.Column("let_in_at", sa.DateTime(timezone=True), nullable=True, comment=let_in))
    op.execute("UPDATE sign_in SET let_in_at = started_at")
    asked = "what a passkey signs next in this session; renewed once it was signed"
    op.add_column("sign_in", sa.Column("challenge", sa.LargeBinary(), nullable=True, comment=asked))
    op.execute("UPDATE sign_in SET challenge = sha256(token_hash || uuid_send(gen_random_uuid()))")
    op.alter_column("sign_in", "challenge", nullable=False)
    proved = "when the person last proved that it is them: by the second factor, or by the password where there is none"
    was = "when the password was last given"
    op.alter_column("sign_in", "confirmed_at", comment=proved, existing_comment=was)
