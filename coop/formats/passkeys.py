"""What a browser is asked for a passkey, and what it answers (W3C Web Authentication, level 3), as JSON.

The library is read when a passkey is asked for: with its certificates it takes a tenth of the time that web and worker need to start.
"""

# ruff: noqa: PLC0415

import json
from collections.abc import Sequence
from dataclasses import dataclass
from ipaddress import ip_address
from urllib.parse import urlsplit

from coop.core.errors import RuleBroken

NOT_OURS = "The passkey's answer does not count here. Please try again, or take another way."


@dataclass(frozen=True, slots=True)
class Place:
    """Where passkeys count: at one host, and from pages of one origin."""

    host: str
    origin: str

    @classmethod
    def of(cls, base_url: str) -> "Place | None":
        """Return the place of an installation; None where its address is a bare number, at which browsers make no passkeys."""
        address = urlsplit(base_url)
        host = address.hostname or ""
        try:
            ip_address(host)
        except ValueError:
            return cls(host, f"{address.scheme}://{address.netloc}")
        return None


@dataclass(frozen=True, slots=True)
class NewPasskey:
    """What is kept of a passkey: its id and the public half."""

    credential: bytes
    public_key: bytes
    sign_count: int


def asked_to_make(
    place: Place, challenge: bytes, *, coop: str, person_id: int, person: str, known: Sequence[bytes]
) -> str:
    """Return what a browser is told to make a passkey by; a device that holds one of the known ones makes no second."""
    import webauthn
    from webauthn.helpers import structs

    options = webauthn.generate_registration_options(
        rp_id=place.host,
        rp_name=coop,
        user_id=f"person {person_id}".encode(),
        user_name=person,
        challenge=challenge,
        exclude_credentials=[structs.PublicKeyCredentialDescriptor(id=one) for one in known],
        authenticator_selection=structs.AuthenticatorSelectionCriteria(
            resident_key=structs.ResidentKeyRequirement.DISCOURAGED,
            user_verification=structs.UserVerificationRequirement.PREFERRED,
        ),
    )
    return webauthn.options_to_json(options)


def asked_to_sign(place: Place, challenge: bytes, *, known: Sequence[bytes]) -> str:
    """Return what a browser is told to sign with one of a person's passkeys."""
    import webauthn
    from webauthn.helpers import structs

    allowed = [structs.PublicKeyCredentialDescriptor(id=one) for one in known]
    return webauthn.options_to_json(
        webauthn.generate_authentication_options(rp_id=place.host, challenge=challenge, allow_credentials=allowed)
    )


def read_made(answer: str, place: Place, challenge: bytes) -> NewPasskey:
    """Return the passkey that a browser made. Raises `wrong_passkey` unless it was made for this challenge and place."""
    import webauthn
    from webauthn.helpers.exceptions import WebAuthnException

    try:
        made = webauthn.verify_registration_response(
            credential=_known_shape(answer),
            expected_challenge=challenge,
            expected_rp_id=place.host,
            expected_origin=place.origin,
        )
    except (WebAuthnException, ValueError, KeyError, TypeError) as wrong:
        raise RuleBroken("wrong_passkey", NOT_OURS) from wrong
    return NewPasskey(made.credential_id, made.credential_public_key, made.sign_count)


def signer(answer: str) -> bytes:
    """Return the id of the passkey that an answer says it is from. Raises `wrong_passkey`."""
    from webauthn.helpers import base64url_to_bytes

    try:
        return base64url_to_bytes(_known_shape(answer)["rawId"])
    except (ValueError, KeyError, TypeError) as wrong:
        raise RuleBroken("wrong_passkey", NOT_OURS) from wrong


def read_signed(answer: str, place: Place, challenge: bytes, *, public_key: bytes, sign_count: int) -> int:
    """Return the device's count after an answer that is good. Raises `wrong_passkey` unless it signs this challenge for this place."""
    import webauthn
    from webauthn.helpers.exceptions import WebAuthnException

    try:
        signed = webauthn.verify_authentication_response(
            credential=_known_shape(answer),
            expected_challenge=challenge,
            expected_rp_id=place.host,
            expected_origin=place.origin,
            credential_public_key=public_key,
            credential_current_sign_count=sign_count,
        )
    except (WebAuthnException, ValueError, KeyError, TypeError) as wrong:
        raise RuleBroken("wrong_passkey", NOT_OURS) from wrong
    return int(signed.new_sign_count)


def _known_shape(answer: str) -> dict[str, str]:
    read = json.loads(answer)
    if not isinstance(read, dict):
        raise TypeError
    return read
