"""Pay by card, and hear what the provider says of it. These pages exist only where a provider is configured."""

from flask import Blueprint, redirect, render_template, request, url_for

from coop.cards import forms, queries, service
from coop.clock import now
from coop.core.errors import NotFound, RuleBroken
from coop.ports.cards import StripeCards
from coop.web.forms import heeding
from coop.web.guards import anyone, member, viewer
from coop.web.reading import db, reading, settings
from coop.web.views import Answer, Page

bp = Blueprint("cards", __name__)


@bp.route("/pay/card", methods=["GET", "POST"])
@member
def pay() -> Answer:
    form = forms.CardForm()
    if form.accepted():
        with heeding(form):
            return redirect(url_for(".payment", payment_id=_begun(form)), code=303)
    return render_template("cards/pay.html", form=form), form.status


@bp.get("/pay/card/<int:payment_id>")
@member
def payment(payment_id: int) -> Page:
    with reading() as session:
        page = queries.card_page(session, payment_id, _household())
    return render_template("cards/payment.html", page=page)


@bp.post("/card-messages")
@anyone
def message() -> tuple[dict[str, str], int]:
    try:
        signature = request.headers.get("Stripe-Signature", "")
        event = _cards().heard(request.get_data(), signature, at=now())
    except RuleBroken as broken:
        return {"code": broken.code, "sentence": broken.sentence}, 401 if broken.code == "bad_signature" else 422
    outcome = service.hear(db(), event, at=now())
    return {"outcome": outcome}, 200 if outcome == "booked" else 202


def _begun(form: forms.CardForm) -> int:
    by, key = viewer().person_id, str(form.key.data)
    said = {"purpose": form.purpose.data, "minor": form.amount.data}
    payment_id = service.begin(db(), _household(), **said, by=by, at=now(), key=key)
    back_to = settings().base_url + url_for(".payment", payment_id=payment_id)
    service.open_page(db(), _cards(), payment_id, back_to=back_to, at=now())
    return payment_id


def _cards() -> StripeCards:
    here = settings()
    return StripeCards(here.stripe_key, here.stripe_webhook_secret, here.stripe_url)


def _household() -> int:
    household_id = viewer().household_id
    if household_id is None:
        raise NotFound
    return household_id
