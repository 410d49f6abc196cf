"""How often: limits kept in Valkey, and as strictly in this process while Valkey does not answer.

Only wrong tries count against an account. A device on which its owner signed in before has a count of its own, so that
strangers cannot lock anybody out.
"""

import ipaddress
import logging
from collections.abc import Callable
from typing import Any, Final, TypeVar, cast

from flask import Flask, Response, request
from flask_limiter import Limiter
from limits import parse
from redis.exceptions import RedisError

from coop.web import visits

log = logging.getLogger(__name__)
View = TypeVar("View", bound=Callable[..., Any])

ALARM: Final = parse("20 per 10 minutes")


def install(app: Flask, redis_url: str) -> None:
    """Count in Valkey, or in this process alone where there is none."""
    app.config["RATELIMIT_STORAGE_URI"] = redis_url or "memory://"
    if redis_url:
        app.config["RATELIMIT_STORAGE_OPTIONS"] = {"socket_connect_timeout": 0.5, "socket_timeout": 0.5}
    limiter.init_app(app)


def wrong_tries(view: View) -> View:
    """Bound the wrong passwords given here: for one account, from one network, and from all strangers together."""
    view = _limited(view, "10 per 15 minutes", key_func=account, deduct_when=was_refused)
    view = _limited(view, "30 per 10 minutes", key_func=network, deduct_when=was_refused, exempt_when=is_known)
    return _limited(view, "300 per 10 minutes", key_func=everybody, deduct_when=was_refused, exempt_when=is_known)


def mails(view: View) -> View:
    """Bound the mails that strangers can have us send: to one address, from one network, and altogether."""
    view = _limited(view, "3 per 15 minutes", key_func=typed_email)
    view = _limited(view, "20 per 1 hour", key_func=network)
    return _limited(view, "300 per 1 hour", key_func=everybody)


def links(view: View) -> View:
    """Bound the tries at one-time links from one network."""
    return _limited(view, "30 per 10 minutes", key_func=network, deduct_when=was_refused)


def network() -> str:
    """Return the network a request comes from: an IPv4 address, or the 64 bits that one IPv6 line has."""
    try:
        address = ipaddress.ip_address(request.remote_addr or "")
    except ValueError:
        return "unknown"
    return str(address) if address.version == 4 else str(ipaddress.ip_network((int(address) >> 64 << 64, 64)))


def account() -> str:
    """Return what a wrong password counts against: the person signed in, their own device, or strangers at an address."""
    if here := visits.visit():
        return f"person:{here.viewer.person_id}"
    email = typed_email()
    return visits.known_device(email) or f"stranger:{email}"


def is_known() -> bool:
    """Whether the owner of the account is likely at the keys: signed in, or on a device of theirs."""
    return visits.visit() is not None or visits.known_device(typed_email()) is not None


def everybody() -> str:
    """Return the key under which all requests count together."""
    return "everybody"


def typed_email() -> str:
    """Return the address typed into the form, now or with the password of a sign-in half done, whether or not an account has it."""
    half_in = visits.waiting()
    typed = request.form.get("email", "") or (half_in.email if half_in else "")
    return typed.strip().casefold()[:254] or "nobody"


def was_refused(response: Response) -> bool:
    """Whether a try failed."""
    return response.status_code >= 400


def count_refusal() -> None:
    """Count a refused access; more than twenty in ten minutes raise the alarm in the log."""
    try:
        calm = limiter.limiter.hit(ALARM, "refusals")
    except RedisError:
        calm = True  # the next limited request notices, and counts in this process
    if not calm:
        log.error("alarm refused_accesses more_than=%s", ALARM)


limiter = Limiter(key_func=network, strategy="fixed-window", in_memory_fallback_enabled=True, key_prefix="limit")


def _limited(view: View, times: str, **named: Any) -> View:
    return cast("View", limiter.limit(times, methods=["POST"], **named)(view))
