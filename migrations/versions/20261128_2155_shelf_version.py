"""In which order a pool's batches stand is kept by those who show it: under a version that changes with whatever decides it.

What is offered changes under the pool's own lock. Names and the maker of a product change all pools: that hardly ever happens.
"""

import sqlalchemy as sa
from alembic import op

revision = "shelf_version"
down_revision = "asked_terms"
branch_labels = None
depends_on = None

FUNCTIONS = """
CREATE FUNCTION shelf_changed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  UPDATE pool SET shelf_version = gen_random_uuid() WHERE id IN (SELECT pool_id FROM changed);
  RETURN NULL;
END $$;

CREATE FUNCTION all_shelves_changed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  UPDATE pool SET shelf_version = gen_random_uuid();
  RETURN NULL;
END $$;
"""

TRIGGERS = """
CREATE TRIGGER shelf_filled AFTER INSERT ON offering REFERENCING NEW TABLE AS changed
  FOR EACH STATEMENT EXECUTE FUNCTION shelf_changed();
CREATE TRIGGER shelf_emptied AFTER DELETE ON offering REFERENCING OLD TABLE AS changed
  FOR EACH STATEMENT EXECUTE FUNCTION shelf_changed();
CREATE TRIGGER shelves_changed AFTER UPDATE OF pool_id, product_id OR TRUNCATE ON offering
  FOR EACH STATEMENT EXECUTE FUNCTION all_shelves_changed();
CREATE TRIGGER shelves_changed AFTER UPDATE OF name, artisan_id ON product
  FOR EACH STATEMENT EXECUTE FUNCTION all_shelves_changed();
CREATE TRIGGER shelves_changed AFTER UPDATE OF name ON artisan
  FOR EACH STATEMENT EXECUTE FUNCTION all_shelves_changed();
"""


def upgrade() -> None:
    op.add_column(
        "pool",
        sa.Column(
            "shelf_version",
            sa.Uuid(),
            server_default=sa.text("gen_random_uuid()"),
            nullable=False,
            comment="another whenever the order of its batches may be: by what is offered, and by names",
        ),
    )
    op.execute(FUNCTIONS)
    op.execute(TRIGGERS)
