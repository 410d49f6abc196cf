"""Which passwords are refused, and that nothing more is asked of them."""

import pytest

from coop.core.errors import RuleBroken
from coop.core.passwords import refuse_weak
from coop.people.service import common_passwords

KNOWN = ("Little Harbour Crafts", "ana.petersen@example.org", "smallbatch")


def code_of(password: str) -> str:
    try:
        refuse_weak(password, common=common_passwords(), known=KNOWN)
    except RuleBroken as broken:
        assert broken.field == "password"
        return broken.code
    return "accepted"


@pytest.mark.parametrize(
    ("password", "code"),
    [
        ("kettle song", "too_short"),  # 11
        ("kettle songs", "accepted"),  # 12
        ("ladle " * 42 + "abcd", "accepted"),  # 256, and 64 is well within
        ("ladle " * 42 + "abcde", "too_long"),  # 257
    ],
)
def test_the_bounds_of_length_are_twelve_and_256(password, code):
    if code == "accepted" and len(password) == 256:
        password = "".join(chr(97 + (i * 7 + i // 5) % 26) for i in range(256))
    if code == "too_long":
        password = "".join(chr(97 + (i * 7 + i // 5) % 26) for i in range(257))
    assert code_of(password) == code


@pytest.mark.parametrize(
    "password",
    ["password1234", "Password1234!", "P@ssw0rd2024", "passwordpassword", "123456789012", "qwertyuiop[]", "qwertyuiopas", "abcdefghijklm", "1qaz2wsx3edc",
     "aaaaaaaaaaaa", "abcabcabcabc", "987654321098", "telechargement", "liverpool123", "Christopher1!", "111222333444"],
)  # fmt: skip
def test_what_is_tried_first_is_refused(password):
    assert code_of(password) == "too_common"


@pytest.mark.parametrize(
    "password",
    ["LittleHarbourCrafts", "little harbour crafts", "ana.petersen2026", "ana.petersen@example.org", "Smallbatch2026"],
)
def test_what_everybody_knows_about_us_is_refused(password):
    assert code_of(password) in {"too_close", "too_common"}


@pytest.mark.parametrize(
    "password",
    ["seven kettles sing at noon", "\U0001f375\U0001f9f6\U0001fad9 tea wool jars", "lowercase only words here", "19 geese, 4 foxes", "correct horse battery", "d\u00fcnne Suppe am Herd"],
)  # fmt: skip
def test_no_kind_of_character_is_asked_for(password):
    assert code_of(password) == "accepted"
