"""The beacon port: the value of one round of a public source of chance, asked over HTTP as drand answers.

It is off unless BEACON_URL names a chain. drand: GET CHAIN/public/ROUND gives {"round", "randomness", "signature"}, where
the randomness is the SHA-256 of the signature.
"""

import hashlib
import http.client
import json
import re
from typing import Any
from urllib.parse import urlsplit

from coop.core.errors import RuleBroken

PATIENCE = 5.0
MOST_BYTES = 16_384


class BeaconAway(RuleBroken):
    """The beacon does not answer, or not with what was asked for; nothing is taken."""

    def __init__(self, why: str) -> None:
        super().__init__("beacon_away", f"The beacon gave no value: {why}. Try again, or look it up and type it in.")


def value_of(chain: str, number: str, *, configured: str) -> str:
    """Ask the configured chain for a round's value, in hexadecimal. Raises `beacon_not_configured` and `beacon_away`."""
    if not configured or chain.rstrip("/") != configured.rstrip("/"):
        raise RuleBroken(
            "beacon_not_configured", "This co-op is not set up to ask that beacon. Look the value up and type it in."
        )
    if re.fullmatch("[1-9][0-9]{0,18}", number) is None:
        raise BeaconAway("the round is no number that it could be asked for")
    answer = _asked(f"{configured.rstrip('/')}/public/{number}")
    value, signature = answer.get("randomness"), answer.get("signature")
    if answer.get("round") != int(number):
        raise BeaconAway("it answered for another round")
    if not isinstance(value, str) or not isinstance(signature, str) or not _fits(value, signature):
        raise BeaconAway("its value does not follow from its signature")
    return value.lower()


def _fits(value: str, signature: str) -> bool:
    if re.fullmatch("[0-9a-fA-F]{64}", value) is None or re.fullmatch("([0-9a-fA-F]{2}){32,200}", signature) is None:
        return False
    return hashlib.sha256(bytes.fromhex(signature)).hexdigest() == value.lower()


def _asked(url: str) -> dict[str, Any]:
    """Send one request and follow nothing: not a redirect, not a proxy, not an endless answer."""
    address = urlsplit(url)
    kind = http.client.HTTPSConnection if address.scheme == "https" else http.client.HTTPConnection
    connection = kind(address.hostname or "", address.port, timeout=PATIENCE)
    try:
        connection.request("GET", address.path, headers={"Accept": "application/json"})
        with connection.getresponse() as response:
            content = response.read(MOST_BYTES + 1)
    except (OSError, http.client.HTTPException) as wrong:
        raise BeaconAway("it cannot be reached") from wrong
    finally:
        connection.close()
    if response.status != http.client.OK:
        raise BeaconAway(f"it answered {response.status}")
    if len(content) > MOST_BYTES:
        raise BeaconAway("its answer is too long")
    try:
        answer = json.loads(content)
    except ValueError as wrong:
        raise BeaconAway("its answer is no JSON") from wrong
    if not isinstance(answer, dict):
        raise BeaconAway("its answer is no JSON object")
    return answer
