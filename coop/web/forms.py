"""Forms: sent whole, once, with nothing added; and the way back to the page when a rule says no."""

import secrets
from collections.abc import Iterator
from types import TracebackType
from typing import Any, Final

from flask import request
from flask_wtf import FlaskForm
from wtforms import Field, FieldList, FormField, SelectMultipleField

from coop.core.errors import NotFound, RuleBroken
from coop.web.fields import KeyField

STATUS_OF: Final = {"not_found": 404, "key_reused": 409, "inputs_changed": 409, "second_person": 403, "forbidden": 403}
"""Which HTTP status a broken rule has; all others are 422."""


class BadForm(RuleBroken):
    """What was sent is not what the page's form sends: status 400."""


class CoopForm(FlaskForm):  # type: ignore[misc]
    """A form of the co-op. `accepted()` once it was sent and has the right shape; `status` for the page it is shown on."""

    key = KeyField()

    def __init__(self, **named: Any) -> None:
        super().__init__(**named)
        self.status = 200
        if not self.key.data:
            self.key.data = new_key()

    def accepted(self) -> bool:
        """Whether the form was sent and each field has a value of its kind."""
        if not self.is_submitted():
            return False
        refuse_strangers(_names(self), _several(self))
        sound: bool = self.validate()
        if not sound:
            self.status = 422
            if self.key.errors:
                self.key.data = new_key()
        return sound

    def refuse(self, broken: RuleBroken) -> None:
        """Say at its field, or on top, which rule was broken; what was typed stays."""
        self.status = STATUS_OF.get(broken.code, 422)
        field = _field_at(self, broken.field)
        if field is None:
            self.form_errors.append(broken.sentence)
        else:
            field.errors = [*field.errors, broken.sentence]
        if broken.code == "key_reused":
            self.key.data = new_key()


class heeding:  # noqa: N801 - reads as a statement: with heeding(form)
    """Show a broken rule on the form itself, instead of leaving the page."""

    def __init__(self, form: CoopForm) -> None:
        self._form = form

    def __enter__(self) -> CoopForm:
        return self._form

    def __exit__(
        self, kind: type[BaseException] | None, broken: BaseException | None, trace: TracebackType | None
    ) -> bool:
        if not isinstance(broken, RuleBroken) or isinstance(broken, (NotFound, BadForm)):
            return False
        self._form.refuse(broken)
        return True


def new_key() -> str:
    """Return a key for one showing of a form."""
    return secrets.token_urlsafe(16)


def refuse_strangers(names: set[str], several: set[str] | frozenset[str] = frozenset()) -> None:
    """Refuse a request with fields that its form does not have, or with one value twice."""
    for name in request.form.keys() | request.files.keys():
        if name not in names and name != "csrf_token":
            raise BadForm(
                "unknown_field", "This form was sent with a field that it does not have. Please load it again."
            )
        times = len(request.form.getlist(name)) + len(request.files.getlist(name))
        if times > 1 and name not in several:
            raise BadForm("repeated_field", "This form was sent with one field twice. Please load it again.")


def posted_key() -> str:
    """Return the key of a form that is one button (the macro `act`), having refused anything else in it."""
    refuse_strangers({"key"})
    form = CoopForm()
    if not form.accepted():
        raise BadForm("bad_key", form.key.errors[0] if form.key.errors else "Please load the page again.")
    return str(form.key.data)


def _leaves(fields: Any) -> Iterator[Field]:
    for field in fields:
        if isinstance(field, FieldList):
            yield from _leaves(field.entries)
        elif isinstance(field, FormField):
            yield from _leaves(field.form)
        else:
            yield field


def _names(form: CoopForm) -> set[str]:
    return {field.name for field in _leaves(form)}


def _several(form: CoopForm) -> set[str]:
    return {field.name for field in _leaves(form) if isinstance(field, SelectMultipleField)}


def _field_at(form: CoopForm, name: str) -> Field | None:
    return next((field for field in _leaves(form) if name and name in {field.name, field.short_name}), None)
