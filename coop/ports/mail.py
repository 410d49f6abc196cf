"""The mail port: one letter out, by SMTP or, where no server is set, into a folder."""

import smtplib
import ssl
from dataclasses import dataclass
from datetime import datetime
from email import policy
from email.headerregistry import Address
from email.message import EmailMessage
from email.utils import format_datetime, parseaddr
from pathlib import Path
from typing import Protocol
from urllib.parse import SplitResult, parse_qs, unquote, urlsplit

from coop.core.errors import RuleBroken

PATIENCE = 20.0


class MailServerAway(Exception):  # noqa: N818 - it names what happened
    """The server cannot be reached, or asks us to come back: nothing is wrong with the mail."""


class MailRefused(RuleBroken):
    """The mail will never be taken."""

    def __init__(self, why: str) -> None:
        super().__init__("mail_refused", f"The mail was refused: {why}.")


@dataclass(frozen=True, slots=True, kw_only=True)
class Mail:
    """One letter. `message_id` stays the same when it is sent again, so that a mail program shows it once."""

    to: str
    subject: str
    text: str
    html: str
    message_id: str
    at: datetime


class Mailer(Protocol):
    """Whatever takes letters."""

    def send(self, mail: Mail) -> None:
        """Hand the letter over; raise MailServerAway to be asked again, MailRefused to be left alone."""


def mailer_for(smtp_url: str, sender: str, folder: Path) -> Mailer:
    """Return the mailer for `smtp://` (plain, loopback only), `smtp+starttls://` or `smtps://`; without one, letters go into the folder."""
    return SmtpMailer(smtp_url, sender) if smtp_url else MailFolder(folder, sender)


def written(mail: Mail, sender: str) -> EmailMessage:
    """Put the letter into its envelope. Headers come out of typed addresses and one-line words, so no name can add one."""
    message = EmailMessage(policy=policy.SMTP)
    try:
        message["From"] = _address(sender)
        message["To"] = Address(addr_spec=mail.to)
    except (ValueError, IndexError):
        raise MailRefused("its address is not one") from None
    message["Subject"] = " ".join("".join(mark if mark.isprintable() else " " for mark in mail.subject).split())
    message["Date"] = format_datetime(mail.at)
    message["Message-ID"] = mail.message_id
    message["Auto-Submitted"] = "auto-generated"
    message.set_content(mail.text)
    message.add_alternative(mail.html, subtype="html")
    return message


class SmtpMailer:
    """Send by SMTP, one connection a letter."""

    def __init__(self, url: str, sender: str) -> None:
        self._server, self._sender = urlsplit(url), sender
        loopback = self._server.hostname in {"127.0.0.1", "::1", "localhost"}
        if self._server.scheme not in {"smtp", "smtps", "smtp+starttls"} or not self._server.hostname:
            raise RuleBroken(
                "bad_smtp_url", "SMTP_URL must read smtps://name:password@host:port or smtp+starttls://..."
            )
        if self._server.scheme == "smtp" and not loopback:
            raise RuleBroken("mail_in_clear", "SMTP_URL would send mail in clear: use smtps:// or smtp+starttls://.")

    def send(self, mail: Mail) -> None:
        message = written(mail, self._sender)
        try:
            with _connected(self._server) as line:
                line.send_message(message)
        except smtplib.SMTPRecipientsRefused as error:
            code, _ = next(iter(error.recipients.values()))
            _refuse_or_wait(code, error)
        except (smtplib.SMTPSenderRefused, smtplib.SMTPDataError) as error:
            _refuse_or_wait(error.smtp_code, error)
        except smtplib.SMTPNotSupportedError:
            raise MailRefused("the server cannot write to such an address") from None
        except (smtplib.SMTPException, OSError) as error:
            raise MailServerAway(type(error).__name__) from error


class MailFolder:
    """Keep letters as `.eml` files: a demo has no mail server, and any mail program opens them."""

    def __init__(self, folder: Path, sender: str) -> None:
        self._folder, self._sender = folder, sender

    def send(self, mail: Mail) -> None:
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        name = mail.message_id.strip("<>").partition("@")[0]
        (self._folder / f"{name}.eml").write_bytes(bytes(written(mail, self._sender)))


def _connected(server: SplitResult) -> smtplib.SMTP:
    host, trusted = str(server.hostname), _trust(server)
    if server.scheme == "smtps":
        line: smtplib.SMTP = smtplib.SMTP_SSL(host, server.port or 465, timeout=PATIENCE, context=trusted)
    else:
        line = smtplib.SMTP(host, server.port or 587, timeout=PATIENCE)
        if server.scheme == "smtp+starttls":
            line.starttls(context=trusted)
    if server.username:
        line.login(unquote(server.username), unquote(server.password or ""))
    return line


def _trust(server: SplitResult) -> ssl.SSLContext:
    """Trust the system's authorities, or the one named by `?ca=/path`."""
    named = parse_qs(server.query).get("ca")
    return ssl.create_default_context(cafile=named[0] if named else None)


def _refuse_or_wait(code: int, error: smtplib.SMTPException) -> None:
    if 500 <= code < 600:
        raise MailRefused(f"the server answered {code}") from error
    raise MailServerAway(str(code)) from error


def _address(words: str) -> Address:
    name, spec = parseaddr(words)
    return Address(display_name=name, addr_spec=spec)
