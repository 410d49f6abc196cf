"""A form that was sent too late to count: kept on the page that asks who it is, sealed to its person, and sent again afterwards."""

from dataclasses import dataclass

from flask import request
from itsdangerous import BadData, URLSafeSerializer

from coop.web.reading import settings


@dataclass(frozen=True, slots=True)
class Kept:
    """Where the form goes, and its fields in order, without the token of the session it was sent in."""

    path: str
    fields: list[tuple[str, str]]


def keep(person_id: int) -> str:
    """Return the form of this request, sealed; "" where it has files, which no page can carry."""
    if request.files:
        return ""
    fields = [(name, value) for name, value in request.form.items(multi=True) if name != "csrf_token"]
    return str(_sealer().dumps([person_id, request.full_path.rstrip("?"), fields]))


def kept(sealed: str, person_id: int) -> Kept | None:
    """Return the form that was kept for this person, or None."""
    try:
        whose, path, fields = _sealer().loads(sealed)
    except (BadData, ValueError):
        return None
    return Kept(str(path), [(str(name), str(value)) for name, value in fields]) if whose == person_id else None


def _sealer() -> URLSafeSerializer:
    return URLSafeSerializer(list(reversed(settings().secret_keys)), salt="kept-form")
