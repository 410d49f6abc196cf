"""Pages on a loaded season, against the empty page through the same server; and again with the season loaded twice."""

import dataclasses
import re
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPConnection
from pathlib import Path
from secrets import token_bytes
from statistics import median
from urllib.parse import urlencode

from sqlalchemy import text

from bench.longer import write_again
from bench.measure import WEEK, Figure, Plan, figure, seconds
from bench.open_pool import open_again
from bench.season import at_home, bring_in, hand_over_all, share_out_all, steps
from bench.served import EMPTY
from coop import supervisor
from coop.clock import now
from coop.commands.running import Running
from coop.factors import service as factors
from coop.formats.codes import SECRET_BYTES
from coop.people import service as people

PASSWORD = "a bench of oak and ash"
TARGET, TARGET_TWICE = 3.0, 1.3
REQUESTS = 200
KEPT = ("pool", "order", "awards", "members", "statement")
"""Pages of which a process keeps what it has worked out, so that their first look is measured by itself."""


def measure(plan: Plan) -> Iterator[Figure]:
    """Give p50 of each page against the empty page, at first looks too, then against itself with twice the season."""
    with tempfile.TemporaryDirectory(prefix="coop-bench-") as folder, at_home(Path(folder) / "home") as coop:
        first, second = Path(folder) / "first", Path(folder) / "second"
        weeks = 8 if plan.folder == WEEK else 1
        write_again(plan.folder, first, weeks_later=1 if weeks > 1 else 0, times=weeks)
        write_again(first, second, weeks_later=104, mark="B")
        bring_in(coop, first)
        for _, work in list(steps(coop, first))[1:]:
            work()
        person_id, email = _somebody(coop)
        with _served(coop) as port, _served(coop, "forgetful") as forgetful_port:
            visitor, newcomer = _Visitor(port, email), _Visitor(forgetful_port, email)
            _let_in(coop, person_id)
            addresses = _addresses(coop) | {"order": f"/pools/{open_again(coop)}"}
            once: dict[str, list[tuple[float, float]]] = {name: [] for name in addresses}
            for _ in range(plan.runs):
                for name, path in addresses.items():
                    once[name].append((visitor.p50(path), visitor.p50(EMPTY)))
            for name, pairs in once.items():
                yield figure(f"pages.{name}", REQUESTS, pairs, yardstick="empty page", target=TARGET)
            for name in KEPT:
                pairs = [(newcomer.p50(addresses[name]), newcomer.p50(EMPTY)) for _ in range(plan.runs)]
                yield figure(f"pages.{name}.first", REQUESTS, pairs, yardstick="empty page", target=TARGET)
            bring_in(coop, second, "Season again")
            share_out_all(coop)
            hand_over_all(coop)
            for name, path in addresses.items():
                alone = median(ours / empty for ours, empty in once[name])
                pairs = [(visitor.p50(path), visitor.p50(EMPTY) * alone) for _ in range(plan.runs)]
                yield figure(
                    f"pages.{name}.twice", REQUESTS, pairs, yardstick="season loaded once", target=TARGET_TWICE
                )


def _addresses(coop: Running) -> dict[str, str]:
    with coop.db() as session:
        pool = session.scalar(
            text("SELECT pool_id FROM offering GROUP BY pool_id ORDER BY count(*) DESC, pool_id LIMIT 1")
        )
        statement = session.scalar(
            text("SELECT statement_id FROM statement_line GROUP BY statement_id ORDER BY count(*) DESC, 1 LIMIT 1")
        )
    return {
        "home": "/",
        "pool": f"/pools/{pool}",
        "awards": f"/pools/{pool}/awards",
        "members": "/admin/members",
        "payouts": "/payouts",
        "statement": f"/statements/{statement}",
    }


def _somebody(coop: Running) -> tuple[int, str]:
    """Let one person belong to the household that ordered most, and hold every role; return it with the address to sign in with."""
    email = "bench@example.org"
    at = now()
    with coop.db.begin() as session:
        person = people.new_person(session, name="Bench", email=email, at=at)
        people.set_password(session, person, PASSWORD, at=at)
        household = session.scalar(
            text("SELECT household_id FROM household_order GROUP BY household_id ORDER BY count(*) DESC, 1 LIMIT 1")
        )
        people.belong(session, person, household, at=at)
        for role in ("admin", "treasurer"):
            people.give_role(session, person, role, artisan_id=None, by=0, at=at)
    return person, email


def _let_in(coop: Running, person_id: int) -> None:
    """Give a person who has signed in by password alone the second factor that their roles wait for."""
    with coop.db.begin() as session:
        factors.give_app(session, person_id, token_bytes(SECRET_BYTES), at=now(), field_key=coop.settings.field_key)


@contextmanager
def _served(coop: Running, application: str = "application") -> Iterator[int]:
    port = supervisor.free_port("127.0.0.1", None)
    settings = dataclasses.replace(coop.settings, base_url=f"http://127.0.0.1:{port}")
    web = supervisor.web(settings, "127.0.0.1", port)
    web.program = [word.replace("coop.serving:application()", f"bench.served:{application}()") for word in web.program]
    with supervisor.running(settings, [web]):
        yield port


class _Visitor:
    """One client that keeps its connection and its cookies."""

    def __init__(self, port: int, email: str) -> None:
        self._connection = HTTPConnection("127.0.0.1", port, timeout=30)
        self._cookies: dict[str, str] = {}
        form = self._get("/sign-in")
        hidden = re.findall(r'<input[^>]*type="hidden"[^>]*>', form)
        typed = {_attribute(field, "name"): _attribute(field, "value") for field in hidden}
        status, _ = self._send("POST", "/sign-in", urlencode(typed | {"email": email, "password": PASSWORD}))
        assert status == 303, f"signing in gave {status}"

    def p50(self, path: str) -> float:
        """Return the median seconds of a page, over a connection of its own: the server drops one that idles."""
        self._connection.close()
        for _ in range(5):
            self._get(path)
        return median(seconds(lambda: self._get(path)) for _ in range(REQUESTS))

    def _get(self, path: str) -> str:
        status, content = self._send("GET", path, None)
        assert status == 200, f"{path} gave {status}"
        return content.decode()

    def _send(self, method: str, path: str, body: str | None) -> tuple[int, bytes]:
        headers = {"Cookie": "; ".join(f"{name}={value}" for name, value in self._cookies.items())}
        if body is not None:
            headers["Content-Type"] = "application/x-www-form-urlencoded"
        self._connection.request(method, path, body, headers)
        answer = self._connection.getresponse()
        for cookie in answer.headers.get_all("Set-Cookie") or ():
            name, _, rest = cookie.partition("=")
            self._cookies[name] = rest.partition(";")[0]
        return answer.status, answer.read()


def _attribute(tag: str, name: str) -> str:
    found = re.search(rf' {name}="([^"]*)"', tag)
    assert found, f"{tag} has no {name}"
    return found[1]
