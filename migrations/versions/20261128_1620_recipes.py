"""Recipes of season shares, and the most that a household lets an order cost."""

import sqlalchemy as sa
from alembic import op

revision = "recipes"
down_revision = "mending"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "recipe_line",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("size_id", sa.BigInteger(), nullable=False),
        sa.Column("part", sa.Integer(), nullable=False, comment="number of the part of the recipe, from 1"),
        sa.Column("rank", sa.Integer(), nullable=False, comment="place among what the part may be: 1 is liked best"),
        sa.Column("product_id", sa.BigInteger(), nullable=False),
        sa.Column("pieces", sa.Integer(), nullable=False),
        sa.CheckConstraint("part >= 1 AND rank >= 1", name="place"),
        sa.CheckConstraint("pieces BETWEEN 1 AND 1000", name="pieces"),
        sa.ForeignKeyConstraint(["product_id"], ["product.id"], name=op.f("fk_recipe_line_product_id")),
        sa.ForeignKeyConstraint(["size_id"], ["share_size.id"], name=op.f("fk_recipe_line_size_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_recipe_line")),
        sa.UniqueConstraint("size_id", "part", "rank", name=op.f("uq_recipe_line_size_id_part_rank")),
        sa.UniqueConstraint("size_id", "part", "product_id", name=op.f("uq_recipe_line_size_id_part_product_id")),
    )
    op.add_column(
        "household_order",
        sa.Column(
            "most_minor",
            sa.BigInteger(),
            nullable=True,
            comment="the most the household lets this order cost; null for no bound but its credit",
        ),
    )
    op.add_column(
        "household_order",
        sa.Column(
            "recipe",
            sa.Text(),
            nullable=True,
            comment="what came of the recipe of the household's season share; null where it had none, or had ordered before",
        ),
    )
    op.create_check_constraint("most", "household_order", "most_minor >= 0")
    op.create_check_constraint("recipe", "household_order", "recipe IN ('written', 'no_credit', 'refused')")
