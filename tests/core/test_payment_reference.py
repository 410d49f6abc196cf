"""A payment reference is found in whatever a bank writes around it, and a slip in it is seen."""

from hypothesis import given
from hypothesis import strategies as st

from coop.core.payment_reference import CREDIT, GIFT, SHARE, PaymentReference, references_in

references = st.builds(PaymentReference, st.sampled_from([SHARE, CREDIT, GIFT]), st.integers(1, 10**7 - 1))


def test_the_check_digits_are_those_of_iso_11649():
    # 539007547034 is the standard's own example, RF18; ours are computed alike.
    own = "H0000012"
    turned = int("".join(str(int(mark, 36)) for mark in own + "RF00"))
    assert PaymentReference(CREDIT, 12).written() == f"RF{98 - turned % 97:02}{own}"


@given(references, st.sampled_from(["", " ", "-", ". "]), st.sampled_from(["", "Jam, thank you ", "SVWZ+"]))
def test_a_reference_is_found_however_it_is_grouped(reference, between, before):
    written = reference.written()
    groups = between.join(written[start : start + 4] for start in range(0, len(written), 4))
    assert references_in(f"{before}{groups.lower()} for July") == {reference}


@given(references, st.integers(2, 11), st.integers(1, 9))
def test_one_wrong_digit_is_no_reference(reference, place, more):
    written = reference.written()
    if written[place].isdigit():
        slipped = written[:place] + str((int(written[place]) + more) % 10) + written[place + 1 :]
        assert references_in(slipped) == set()


def test_longer_numbers_and_two_references_are_not_mistaken():
    one, two = PaymentReference(SHARE, 7), PaymentReference(GIFT, 7)
    assert references_in(one.written() + "1") == set()
    assert references_in(f"{one.written()} and {two.written()}") == {one, two}
