"""Codes of an authenticator app: the code of a step, and the square that an app reads its secret from (RFC 6238)."""

from base64 import b32decode, b32encode
from hmac import compare_digest

import pyotp
import segno

from coop.core.factors import STEP_SECONDS, step_at

SECRET_BYTES = 20
"""160 bits, as RFC 4226 recommends, and as all apps take."""


def code_of(secret: bytes, step: int) -> str:
    """Return the six digits that an app shows in a step."""
    return pyotp.TOTP(_base32(secret), interval=STEP_SECONDS).generate_otp(step)


def code_at(secret: bytes, seconds: int) -> str:
    """Return the six digits that an app shows at an instant, in seconds since 1970."""
    return code_of(secret, step_at(seconds))


def is_code_of(secret: bytes, step: int, code: str) -> bool:
    """Whether these are the digits of a step; it takes the same time for all of them."""
    return compare_digest(code_of(secret, step).encode(), code.encode())


def app_address(secret: bytes, *, person: str, coop: str) -> str:
    """Return the otpauth address by which an app takes the secret in."""
    return str(pyotp.TOTP(_base32(secret), interval=STEP_SECONDS).provisioning_uri(name=person, issuer_name=coop))


def square(words: str) -> str:
    """Draw what an app reads as inline SVG, dark on light whatever the page's theme; its size is the page's to give."""
    code = segno.make(words, error="m", micro=False)
    picture: str = code.svg_inline(svgclass="qr", lineclass=None, omitsize=True, dark="#000", light="#fff", border=4)
    return picture


def typed_secret(secret: bytes) -> str:
    """Return the secret as it is typed where no square can be read: groups of four."""
    letters = _base32(secret)
    return " ".join(letters[at : at + 4] for at in range(0, len(letters), 4))


def read_secret(letters: str) -> bytes:
    """Return the secret that was written as groups of letters."""
    return b32decode(letters.replace(" ", ""))


def _base32(secret: bytes) -> str:
    return b32encode(secret).decode("ascii")
