"""An admin changes a line of a proposed outcome by hand, another one approves it, and the member reads both numbers and the reason."""

from __future__ import annotations

from sqlalchemy import text

from tests.web.test_sharing_pages import (  # noqa: F401 - fixtures are taken by their names
    book,
    line_of,
    member_of,
    proposed,
    town,
    why,
    words,
)


def test_a_line_is_changed_by_one_admin_approved_by_another_and_told_to_the_member(db, client_as, town, proposed):  # noqa: F811
    helen, imran = client_as("admin"), client_as("admin")
    lines = f"/allocation/{proposed}/batches/{town.gin}"
    assert f'href="{lines}"' in helen.get(f"/allocation/{proposed}").text
    listed = words(helen.get(lines).text)
    # Weights 2 and 1 on 4 gin: 3 and 1 by the rule.
    assert "Ana 3 3 3" in listed
    assert "Tomas 3 1 1" in listed
    form = f"/allocation/{proposed}/lines/{line_of(db, town.gin, town.ana)}"
    assert f'href="{form}"' in helen.get(lines).text
    made = helen.fill(form, {"pieces": "2", "reason": "Ana told us that she needs only two."})
    assert (made.status_code, made.location) == (303, f"/allocation/{proposed}/overrides")
    mine = helen.get(made.location).text
    assert "Take it back" in mine
    assert "Approve" not in mine
    assert "One change by hand waits for a second person" in words(helen.get(f"/allocation/{proposed}").text)
    refused = helen.press(f"/allocation/{proposed}/publish")
    assert refused.status_code == 422
    assert "waits for a second person" in refused.text
    theirs = imran.fill(made.location, action=next(_actions(imran.get(made.location).text, "approve")))
    assert theirs.status_code == 303
    assert "approved" in imran.get(made.location).text
    assert "2 changed by hand" in words(imran.get(lines).text)
    assert imran.press(f"/allocation/{proposed}/publish").status_code == 303
    book(db, proposed)
    ana = member_of(db, client_as("member"), town.ana)
    told = "Changed by the co-op from 3 to 2: Ana told us that she needs only two."
    assert told in words(ana.get(f"/pools/{town.pool}/awards").text)
    page = words(ana.get(why(db, town.gin, town.ana)).text)
    assert told in page
    assert "By the rule you would have received 3 ; the co-op gave you 2" in page.replace("3;", "3 ;")
    assert "gives something else" not in page
    assert "short 1" in page
    by_hand = words(client_as("member").get(f"/pools/{town.pool}/verify").text)
    assert "Changed by hand" in by_hand


def _actions(html, end):
    return (part.split('"')[0] for part in html.split('action="')[1:] if part.split('"')[0].endswith(end))


def test_what_is_typed_wrong_is_said_at_its_field_kept_and_not_stored(db, client_as, town, proposed):  # noqa: F811
    admin = client_as("admin")
    form = f"/allocation/{proposed}/lines/{line_of(db, town.gin, town.tomas)}"
    for pieces, said in (("4", "Give from 0 to 3 pieces"), ("-1", "Please give a whole number"), ("1.5", "whole number"), ("2", "Take them from another line first"), ("1", "has 1 pieces already")):  # fmt: skip
        refused = admin.fill(form, {"pieces": pieces, "reason": "Because it was so."})
        assert refused.status_code == 422
        assert said in words(refused.text)
        assert f'value="{pieces}"' in refused.text
        assert 'value="Because it was so."' in refused.text
    assert admin.fill(form, {"pieces": "0", "reason": " "}).status_code == 422
    own = member_of(db, client_as("admin", "member"), town.tomas)
    refused = own.fill(form, {"pieces": "0", "reason": "I need none."})
    assert refused.status_code == 422
    assert "own household" in words(refused.text)
    with db() as session:
        assert session.scalar(text("SELECT count(*) FROM award_override")) == 0


def test_what_is_not_there_is_not_found(client_as, town, proposed):  # noqa: F811
    admin = client_as("admin")
    for path in (f"/allocation/{proposed}/batches/999999", f"/allocation/{proposed}/lines/999999", "/allocation/999999/overrides"):  # fmt: skip
        assert admin.get(path).status_code == 404
    assert admin.press("/overrides/999999/approve").status_code == 404
    assert "Nothing was changed by hand" in admin.get(f"/allocation/{proposed}/overrides").text
