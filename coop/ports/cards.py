"""The card port: a payment page at the provider (Stripe Checkout), and its signed messages read. Plain HTTP, no library of theirs.

It is off unless STRIPE_SECRET_KEY and STRIPE_WEBHOOK_SECRET are set.
"""

import hashlib
import hmac
import http.client
import json
import re
from base64 import b64encode
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final, NamedTuple
from urllib.parse import urlencode, urlsplit

from coop.core.errors import RuleBroken

PATIENCE: Final = 10.0
MOST_BYTES: Final = 262_144
TOLERANCE: Final = timedelta(minutes=5)
PAID, REFUNDED, TAKEN_BACK, OTHER = "paid", "refunded", "taken_back", "other"
_KINDS: Final = {
    "checkout.session.completed": PAID,
    "checkout.session.async_payment_succeeded": PAID,
    "charge.refunded": REFUNDED,
    "charge.dispute.funds_withdrawn": TAKEN_BACK,
}


class CardsAway(RuleBroken):
    """The provider does not answer, or not with what was asked for; nothing was paid."""

    def __init__(self) -> None:
        super().__init__("cards_away", "The card provider does not answer just now. Try again, or pay by transfer.")


class Checkout(NamedTuple):
    """A payment page at the provider."""

    session_ref: str
    url: str


@dataclass(frozen=True, slots=True)
class CardEvent:
    """What the provider says happened: `minor` is what was paid, what was given back in all, or what was taken back."""

    id: str
    kind: str
    session_ref: str
    payment_ref: str
    minor: int
    fee_minor: int
    currency: str


@dataclass(frozen=True, slots=True)
class StripeCards:
    """Cards at Stripe, or at whatever speaks as it does."""

    key: str
    webhook_secret: str
    api: str = "https://api.stripe.com"

    def checkout(self, *, number: int, minor: int, currency: str, words: str, back_to: str) -> Checkout:
        """Ask for a payment page; asked again with the same number the provider answers with the same. Raises `cards_away`."""
        told = {
            "mode": "payment",
            "client_reference_id": str(number),
            "success_url": back_to,
            "cancel_url": back_to,
            "line_items[0][quantity]": "1",
            "line_items[0][price_data][currency]": currency.lower(),
            "line_items[0][price_data][unit_amount]": str(minor),
            "line_items[0][price_data][product_data][name]": words,
        }
        answer = self._post("/v1/checkout/sessions", told, key=f"checkout-{number}")
        session_ref, url = answer.get("id"), answer.get("url")
        if (
            not isinstance(session_ref, str)
            or not isinstance(url, str)
            or urlsplit(url).scheme not in {"http", "https"}
        ):
            raise CardsAway
        return Checkout(session_ref, url)

    def heard(self, body: bytes, signature: str, *, at: datetime) -> CardEvent:
        """Read a message whose signature is good and fresh. Raises `bad_signature` and `bad_message`."""
        self._check(body, signature, at=at)
        try:
            return _event(json.loads(body))
        except (ValueError, KeyError, TypeError, AttributeError):
            raise RuleBroken("bad_message", "This is no message as the card provider writes them.") from None

    def _check(self, body: bytes, signature: str, *, at: datetime) -> None:
        parts = [part.partition("=") for part in signature[:2000].split(",")]
        stamp = next((value for name, _, value in parts if name.strip() == "t"), "")
        given = [value for name, _, value in parts if name.strip() == "v1"]
        if re.fullmatch("[0-9]{1,12}", stamp) is None:
            raise RuleBroken("bad_signature", "The message is not signed.")
        ours = hmac.new(self.webhook_secret.encode(), stamp.encode() + b"." + body, hashlib.sha256).hexdigest()
        fits = [hmac.compare_digest(ours.encode(), one.encode()) for one in given]
        if not any(fits) or abs(at - datetime.fromtimestamp(int(stamp), UTC)) > TOLERANCE:
            raise RuleBroken("bad_signature", "The signature of the message does not fit, or is too old.")

    def _post(self, path: str, told: dict[str, str], *, key: str) -> dict[str, Any]:
        """Send one request and follow nothing."""
        address = urlsplit(self.api)
        kind = http.client.HTTPSConnection if address.scheme == "https" else http.client.HTTPConnection
        connection = kind(address.hostname or "", address.port, timeout=PATIENCE)
        headers = {
            "Authorization": "Basic " + b64encode(f"{self.key}:".encode()).decode(),
            "Content-Type": "application/x-www-form-urlencoded",
            "Idempotency-Key": key,
        }
        try:
            connection.request("POST", path, urlencode(told), headers)
            with connection.getresponse() as response:
                content = response.read(MOST_BYTES + 1)
            answer = json.loads(content) if response.status == http.client.OK else None
        except (OSError, http.client.HTTPException, ValueError) as wrong:
            raise CardsAway from wrong
        finally:
            connection.close()
        if not isinstance(answer, dict):
            raise CardsAway
        return answer


def _event(told: dict[str, Any]) -> CardEvent:
    """Read a message; of kinds that do not concern us only its id."""
    kind, one = _KINDS.get(told["type"], OTHER), told["data"]["object"]
    if kind == PAID and one["payment_status"] != "paid":
        kind = OTHER  # it comes again once it is
    if kind == OTHER:
        return CardEvent(_word(told["id"]), OTHER, "", "", 0, 0, "")
    minor = {PAID: "amount_total", REFUNDED: "amount_refunded", TAKEN_BACK: "amount"}[kind]
    fees = sum(_whole(part["fee"]) for part in one.get("balance_transactions", ())) if kind == TAKEN_BACK else 0
    session_ref = _word(one["id"]) if kind == PAID else ""
    return CardEvent(
        _word(told["id"]),
        kind,
        session_ref,
        _word(one["payment_intent"]),
        _whole(one[minor]),
        fees,
        _word(one["currency"]).upper(),
    )


def _whole(value: Any) -> int:
    if type(value) is not int or not 0 <= value <= 10**11:
        raise ValueError
    return value


def _word(value: Any) -> str:
    if not isinstance(value, str) or re.fullmatch("[A-Za-z0-9_]{2,255}", value) is None:
        raise ValueError
    return value
