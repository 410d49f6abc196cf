"""What the recipe of a season share asks of a pool."""

from coop.core.recipes import Asked, OnOffer, Portion, wishes_of

GIN, JAM, HONEY, POT, BOWL = range(1, 6)
ONE_GIN_OR_TWO_JAMS, ONE_POT = [Portion(GIN, 1), Portion(JAM, 2)], [Portion(POT, 1)]


def on_offer(*products, together=(), caps=None):
    """Offer products in this order, the offering of product 3 being number 30 (and 31 where it stands there again)."""
    found = []
    for place, product in enumerate(products):
        number = 10 * product + products[:place].count(product)
        found.append(OnOffer(number, product, (caps or {}).get(product), product in together))
    return found


def test_a_part_is_the_best_liked_of_what_the_pool_offers():
    recipe = [ONE_GIN_OR_TWO_JAMS, ONE_POT]
    assert wishes_of(recipe, on_offer(JAM, POT, GIN)) == [Asked(10, 1), Asked(40, 1)]
    assert wishes_of(recipe, on_offer(JAM, POT)) == [Asked(20, 2), Asked(40, 1)]
    assert wishes_of(recipe, on_offer(HONEY)) == []


def test_as_many_pieces_of_batches_shared_out_together_stand_in_for_one_another():
    part = [Portion(JAM, 2), Portion(HONEY, 2), Portion(GIN, 1), Portion(POT, 2)]
    offered = on_offer(GIN, JAM, HONEY, POT, together=(GIN, JAM, HONEY))
    assert wishes_of([part], offered) == [Asked(20, 2, 1, 1), Asked(30, 2, 1, 2)]


def test_a_gin_or_two_jams_is_no_choice_of_equal_numbers_so_the_gin_is_asked_for():
    assert wishes_of([ONE_GIN_OR_TWO_JAMS], on_offer(GIN, JAM, together=(GIN, JAM))) == [Asked(10, 1)]


def test_two_lots_of_one_product_stand_in_for_one_another_only_where_they_are_shared_out_together():
    assert wishes_of([[Portion(JAM, 2)]], on_offer(JAM, JAM)) == [Asked(20, 2)]
    both = on_offer(JAM, JAM, together=(JAM,))
    assert wishes_of([[Portion(JAM, 2)]], both) == [Asked(20, 2, 1, 1), Asked(21, 2, 1, 2)]


def test_what_two_parts_ask_of_one_batch_is_added_up_within_its_cap():
    parts = [[Portion(POT, 2)], [Portion(BOWL, 1), Portion(POT, 1)], [Portion(POT, 3)]]
    assert wishes_of(parts, on_offer(POT)) == [Asked(40, 6)]
    assert wishes_of(parts, on_offer(POT, caps={POT: 4})) == [Asked(40, 4)]


def test_a_batch_stands_in_one_choice_only():
    parts = [[Portion(JAM, 1), Portion(HONEY, 1)], [Portion(HONEY, 1), Portion(GIN, 1)]]
    offered = on_offer(GIN, JAM, HONEY, together=(GIN, JAM, HONEY))
    assert wishes_of(parts, offered) == [Asked(10, 1), Asked(20, 1, 1, 1), Asked(30, 1, 1, 2)]


def test_caps_make_numbers_unequal_and_a_choice_impossible():
    part = [Portion(JAM, 2), Portion(HONEY, 2)]
    offered = on_offer(JAM, HONEY, together=(JAM, HONEY), caps={HONEY: 1})
    assert wishes_of([part], offered) == [Asked(20, 2)]
    alike = on_offer(JAM, HONEY, together=(JAM, HONEY), caps={HONEY: 1, JAM: 1})
    assert wishes_of([part], alike) == [Asked(20, 1, 1, 1), Asked(30, 1, 1, 2)]


def test_a_choice_has_at_most_five_alternatives():
    products = list(range(1, 9))
    part = [Portion(product, 1) for product in products]
    asked = wishes_of([part], on_offer(*products, together=products))
    assert [one.rank for one in asked] == [1, 2, 3, 4, 5, 6]
