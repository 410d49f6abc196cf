"""Our pins against the list of known faults: the real pip-audit, asking a small list of our own."""

from __future__ import annotations

import json
import re
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

import dev
import supply

PROGRAM = Path(sys.prefix) / "bin" / "pip-audit"
LOCKS = Path(supply.__file__).parent / "requirements"
FAULT = "GHSA-0000-1111-2222"
IN_TEN_DAYS, YESTERDAY = (
    time.strftime("%Y-%m-%d", time.gmtime(time.time() + days * 86_400)) for days in (10, -1)
)  # the audit goes by the calendar, as it must


def pins(name: str) -> set[tuple[str, str]]:
    """The packages of a lock that are for every machine: name and version."""
    return set(re.findall(r"^([a-z0-9.-]+)==(\S+) \\$", (LOCKS / f"{name}.lock").read_text("utf-8"), re.MULTILINE))


def fault_of(package: str, **more) -> dict:
    told = {
        "id": FAULT,
        "aliases": ["CVE-2026-12345"],
        "summary": "Reads what it should not.",
        "schema_version": "1.6.0",
    }
    events = [{"introduced": "0"}, {"fixed": "99.1"}]
    ranges = [{"type": "ECOSYSTEM", "events": events}]
    return told | {"affected": [{"package": {"name": package, "ecosystem": "PyPI"}, "ranges": ranges}]} | more


class List:
    """A list of known faults that answers as OSV does, with `faults` by package, and keeps what it was asked."""

    def __init__(self) -> None:
        self.faults: dict[str, dict] = {}
        self.asked: set[tuple[str, str]] = set()
        self.status, self.words, self.waits = 200, b"", 0.0
        told = self

        class Answer(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True

            def do_POST(self) -> None:
                asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                name = asked["package"]["name"]
                told.asked.add((name, asked["version"]))
                time.sleep(told.waits)
                known = {"vulns": [told.faults[name]]} if name in told.faults else {}
                body = told.words or json.dumps(known).encode()
                self.send_response(told.status)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *words) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Answer)
        self.server.handle_error = lambda *_: None  # who hung up is no concern of the list's
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        self.url = f"http://127.0.0.1:{self.server.server_port}/v1/query"

    def close(self) -> None:
        self.server.shutdown()
        self.server.server_close()


@pytest.fixture
def known(monkeypatch):
    """The list that is asked."""
    made = List()
    monkeypatch.setenv("COOP_OSV_URL", made.url)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    yield made
    made.close()


@pytest.fixture
def accepted(tmp_path):
    """Accept the fault until a day; return the file that says so."""

    def accept(until: str) -> Path:
        path = tmp_path / "accepted-faults.toml"
        path.write_text(f'[[fault]]\nid = "{FAULT}"\nreason = "It does not reach us."\nuntil = {until}\n', "utf-8")
        return path

    return accept


def test_every_pin_is_asked_for_and_none_has_a_known_fault(known):
    code, told = supply.audit(PROGRAM, dev.environment())
    assert (code, len(told)) == (0, 1), told
    assert re.fullmatch(r"no known fault in \d+ packages", told[0])
    for lock in ("production", "demo", "test", "bench", "uv"):
        assert pins(lock) <= known.asked, lock
        assert len(pins(lock)) > 0


def test_a_known_fault_of_a_pin_fails_and_says_which_and_what_mends_it(known):
    version = dict(pins("production"))["flask"]
    known.faults["flask"] = fault_of("flask")
    assert supply.audit(PROGRAM, dev.environment()) == (
        supply.KNOWN_FAULT,
        [f"flask {version}: CVE-2026-12345 ({FAULT}), mended in 99.1. Reads what it should not."],
    )


def test_what_the_list_says_reaches_the_terminal_as_plain_words(known):
    known.faults["flask"] = fault_of("flask", affected=[], summary="\x1b[2Jall is well\x07")
    code, told = supply.audit(PROGRAM, dev.environment())
    assert code == supply.KNOWN_FAULT
    assert told[0].endswith("mended in no version yet. [2Jall is well")


def test_a_fault_that_was_accepted_passes_until_its_day(known, accepted):
    known.faults["flask"] = fault_of("flask")
    code, told = supply.audit(PROGRAM, dev.environment(), accepted(IN_TEN_DAYS))
    assert (code, told[0].endswith("packages, 1 accepted")) == (0, True)
    assert supply.audit(PROGRAM, dev.environment(), accepted(YESTERDAY)) == (
        supply.KNOWN_FAULT,
        [f"{FAULT} was accepted until {YESTERDAY}: mend it, or give a new day."],
    )


@pytest.mark.parametrize("how", ["away", "broken", "no list", "silent"])
def test_a_list_that_does_not_answer_is_said_and_is_no_verdict(known, monkeypatch, how):
    if how == "away":
        known.close()
    known.status = 503 if how == "broken" else 200
    known.words = b"<h1>Sign in to this network</h1>" if how == "no list" else b""
    if how == "silent":
        known.waits = 3.0
        monkeypatch.setattr(supply, "SECONDS_TO_ANSWER", 1)
    code, told = supply.audit(PROGRAM, dev.environment())
    assert (code, len(told)) == (supply.NOT_REACHED, 1), told
    assert told[0].startswith("not audited: the list of known faults could not be reached (")


def test_a_list_that_is_too_slow_in_all_is_not_waited_for(known, monkeypatch):
    known.waits = 0.5
    monkeypatch.setattr(supply, "SECONDS_IN_ALL", 4)
    begun = time.monotonic()
    code, told = supply.audit(PROGRAM, dev.environment())
    assert (code, "within 4 s" in told[0], time.monotonic() - begun < 30) == (supply.NOT_REACHED, True, True)


def test_an_audit_that_did_not_run_is_not_taken_for_a_good_one(known, monkeypatch, tmp_path):
    for lock in supply.AUDITED:
        (tmp_path / f"{lock}.lock").write_text("flask>=3\n", "utf-8")
    monkeypatch.setattr(supply, "LOCKS", tmp_path)
    code, told = supply.audit(PROGRAM, dev.environment(), supply.ACCEPTED)
    assert (code, told[0]) == (supply.DID_NOT_RUN, "pip-audit did not run:")
    assert known.asked == set()


@pytest.fixture
def checks_alone(monkeypatch):
    """The checks of `dev.py test`, of which only the audit is left."""
    monkeypatch.setattr(dev, "CHECKS", {})
    monkeypatch.setattr(dev, "VENV", Path(sys.prefix))


@pytest.mark.usefixtures("checks_alone")
def test_beside_the_other_checks_a_known_fault_fails(known, capsys):
    known.faults["flask"] = fault_of("flask")
    assert dev.lint() == supply.KNOWN_FAULT
    assert "audit: flask " in capsys.readouterr().err


@pytest.mark.usefixtures("checks_alone")
def test_beside_the_other_checks_a_list_out_of_reach_fails_nothing_and_is_said_last(known, capsys):
    known.close()
    assert dev.lint() == 0
    assert capsys.readouterr().err.splitlines()[-1].startswith("audit: not audited: the list of known faults")


@pytest.mark.usefixtures("checks_alone")
def test_asked_for_by_itself_it_ends_with_a_code_of_its_own(known, monkeypatch, capsys):
    monkeypatch.setattr(dev, "install", lambda _: None)
    assert dev.main(["audit"]) == 0
    known.close()
    assert dev.main(["audit"]) == supply.NOT_REACHED
    assert "not audited" in capsys.readouterr().err
