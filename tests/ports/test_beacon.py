"""A beacon of ours: its value is taken only if it answers for the round that was named, and proves it."""

import json
import threading
from hashlib import sha256
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from coop.core.errors import RuleBroken
from coop.ports.beacon import value_of

SIGNATURE = bytes(range(96))
VALUE = sha256(SIGNATURE).hexdigest()
GOOD = {"round": 4711, "randomness": VALUE, "signature": SIGNATURE.hex()}


@pytest.fixture
def beacon():
    class Answers(BaseHTTPRequestHandler):
        def do_GET(self):
            self.server.asked.append(self.path)
            status, content = self.server.answer
            self.send_response(status)
            if status == 302:
                self.send_header("Location", "/elsewhere")
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_):
            pass

    server = HTTPServer(("127.0.0.1", 0), Answers)
    server.asked, server.answer = [], (200, json.dumps(GOOD).encode())
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    server.url = f"http://127.0.0.1:{server.server_port}/chain"
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


def refused(*values, **more):
    with pytest.raises(RuleBroken) as refusal:
        value_of(*values, **more)
    return refusal.value.code


def test_the_named_round_of_the_configured_chain_is_asked_for(beacon):
    assert value_of(beacon.url, "4711", configured=beacon.url + "/") == VALUE
    assert beacon.asked == ["/chain/public/4711"]


@pytest.mark.parametrize(
    "answer",
    [
        (200, json.dumps(GOOD | {"round": 4712}).encode()),
        (200, json.dumps(GOOD | {"randomness": "00" * 32}).encode()),
        (200, json.dumps(GOOD | {"randomness": None}).encode()),
        (200, json.dumps(GOOD | {"signature": "xy"}).encode()),
        (200, b"[]"),
        (200, b"not json"),
        (200, b" " * 20_000),
        (404, b"{}"),
        (302, json.dumps(GOOD).encode()),
    ],
)
def test_any_other_answer_gives_no_value(beacon, answer):
    beacon.answer = answer
    assert refused(beacon.url, "4711", configured=beacon.url) == "beacon_away"


def test_no_other_address_is_asked_than_the_configured_one(beacon):
    assert refused(beacon.url, "4711", configured="") == "beacon_not_configured"
    assert refused(beacon.url, "4711", configured="http://127.0.0.1:1/other") == "beacon_not_configured"
    assert refused(beacon.url, "latest/../x", configured=beacon.url) == "beacon_away"
    assert beacon.asked == []


def test_a_beacon_that_is_away_gives_no_value():
    assert refused("http://127.0.0.1:9", "4711", configured="http://127.0.0.1:9") == "beacon_away"
