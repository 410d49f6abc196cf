"""Order what the recipes of season shares ask for, once a pool has opened."""

from coop import jobs
from coop.db import Db
from coop.jobs import Lease
from coop.recipes import service as recipes
from workers.answering import answers


@answers(jobs.APPLY_RECIPES)
def apply_recipes(db: Db, lease: Lease) -> None:
    recipes.carry_out(db, lease)
