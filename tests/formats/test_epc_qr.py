"""The code to scan says what EPC069-12 asks for, and its drawing obeys the pages' policy."""

from coop.formats.epc_qr import drawn, epc_payload


def test_the_code_names_account_amount_and_structured_reference_line_by_line():
    told = {"holder": "Riverside Häuschen", "iban": "DE02120300000000202051", "amount_minor": 30_050}
    lines = epc_payload(**told, reference="RF07H0000012").split("\n")
    assert lines[:4] == ["BCD", "002", "1", "SCT"]
    assert lines[4:] == ["", "Riverside Hauschen", "DE02120300000000202051", "EUR300.50", "", "RF07H0000012", "", ""]


def test_the_drawing_has_no_style_and_no_script():
    picture = drawn("BCD")
    assert picture.startswith("<svg viewBox=")
    assert "style" not in picture
    assert "script" not in picture
