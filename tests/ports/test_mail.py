"""Mail: no name can add a header, a server that is away is not a refusal, and without a server letters are kept."""

from __future__ import annotations

from datetime import UTC, datetime
from email import message_from_bytes, policy
from pathlib import Path

import pytest

from coop.core.errors import RuleBroken
from coop.ports.mail import Mail, MailRefused, MailServerAway, mailer_for, written
from tests.crew import PostOffice

SENDER = "Riverside Makers <hello@coop.example>"


def a_mail(**other: str) -> Mail:
    words = {"to": "ana@example.org", "subject": "Your share", "text": "Hello Ana\n", "html": "<p>Hello Ana</p>"}
    at = datetime(2026, 11, 24, 10, 0, tzinfo=UTC)
    return Mail(**(words | other), message_id="<notice-1@coop.example>", at=at)


def test_a_letter_arrives_as_text_and_html(post_office: PostOffice, tmp_path: Path) -> None:
    mailer_for(post_office.url, SENDER, tmp_path).send(a_mail())
    (letter,) = post_office.letters
    assert letter["From"] == SENDER
    assert letter["Date"] == "Tue, 24 Nov 2026 10:00:00 +0000"
    assert letter["Message-ID"] == "<notice-1@coop.example>"
    assert [part.get_content_type() for part in letter.iter_parts()] == ["text/plain", "text/html"]


@pytest.mark.parametrize("ending", ["\r\n", "\n", "\r", "\u2028", "\x0b", "\x00"])
def test_a_line_end_in_a_name_adds_no_header(ending: str) -> None:
    message = written(a_mail(subject=f"A share for Ana{ending}Bcc: eve@example.org"), SENDER)
    read = message_from_bytes(bytes(message), policy=policy.default)
    assert read["Bcc"] is None
    assert read["Subject"] == "A share for Ana Bcc: eve@example.org"


@pytest.mark.parametrize(
    "address", ["ana@example.org\r\nBcc: eve@example.org", "ana", "", "a b@example.org", "a@b, c@d"]
)
def test_what_is_no_address_is_refused(address: str) -> None:
    with pytest.raises(MailRefused):
        written(a_mail(to=address), SENDER)


@pytest.mark.parametrize(("answer", "outcome"), [("550 no such mailbox", MailRefused), ("451 later", MailServerAway)])
def test_the_server_s_answer_decides_between_never_and_later(
    post_office: PostOffice, tmp_path: Path, answer: str, outcome: type[Exception]
) -> None:
    post_office.answer = answer
    with pytest.raises(outcome):
        mailer_for(post_office.url, SENDER, tmp_path).send(a_mail())


def test_a_server_that_cannot_be_reached_is_away(post_office: PostOffice, tmp_path: Path) -> None:
    post_office.shut()
    with pytest.raises(MailServerAway):
        mailer_for(post_office.url, SENDER, tmp_path).send(a_mail())


def test_without_a_server_letters_are_kept_in_the_folder(tmp_path: Path) -> None:
    mailer = mailer_for("", SENDER, tmp_path / "mail")
    mailer.send(a_mail())
    mailer.send(a_mail())
    (kept,) = (tmp_path / "mail").iterdir()
    assert message_from_bytes(kept.read_bytes(), policy=policy.default)["To"] == "ana@example.org"


@pytest.mark.parametrize(
    ("url", "code"), [("smtp://mail.example.org:25", "mail_in_clear"), ("https://mail.example.org", "bad_smtp_url")]
)
def test_mail_leaves_this_machine_only_encrypted(url: str, code: str, tmp_path: Path) -> None:
    with pytest.raises(RuleBroken, match=code):
        mailer_for(url, SENDER, tmp_path)
