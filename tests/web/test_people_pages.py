"""An admin finds people and gives them roles."""


def test_an_admin_finds_a_person_and_gives_them_a_role(client_as, someone):
    ana, tomas = client_as("admin"), someone("member")
    found = ana.get("/people", query_string={"q": tomas.email[:8].upper()})
    assert f"/people/{tomas.id}" in found.text
    given = ana.fill(f"/people/{tomas.id}/roles", {"role": "treasurer"})
    assert (given.status_code, given.location) == (303, f"/people/{tomas.id}")
    assert "treasurer" in ana.get(given.location).text


def test_giving_no_role_says_so_beside_the_choice(client_as, someone):
    answer = client_as("admin").fill(f"/people/{someone('member').id}/roles")
    assert answer.status_code == 422
    assert "Please choose a role." in answer.text


def test_the_last_admin_stays(client_as):
    ana = client_as("admin")
    page = ana.get(f"/people/{ana.person_id}").text
    action = next(
        part.split('"')[0]
        for part in page.split('action="')
        if part.split('"')[0].endswith("/end") and "/roles/" in part[:60]
    )
    kept = ana.fill(f"/people/{ana.person_id}", action=action)
    assert kept.status_code == 422
    assert "only admin" in kept.text
