"""A card provider of our own, for tests: it answers as Stripe's Checkout does, and remembers by Idempotency-Key.

python -m tests.card_provider: prints its port, and serves until it is ended. GET /asked tells what it was asked.
"""

import json
from base64 import b64encode
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import ClassVar
from urllib.parse import parse_qsl

KEY = "sk_test_of_ours"


class Provider(BaseHTTPRequestHandler):
    pages: ClassVar[dict[str, dict]] = {}
    asked: ClassVar[list[dict]] = []

    def do_POST(self) -> None:
        told = dict(parse_qsl(self.rfile.read(int(self.headers["Content-Length"])).decode()))
        if self.headers["Authorization"] != "Basic " + b64encode(f"{KEY}:".encode()).decode():
            return self._answer(401, {"error": {"message": "Invalid API Key"}})
        if told.get("line_items[0][price_data][unit_amount]") == "66600":
            return self._answer(500, {"error": {"message": "out of order"}})
        self.asked.append(told)
        name = f"cs_test_{len(self.pages) + 1}"
        page = {"id": name, "url": f"https://checkout.invalid/{name}", "object": "checkout.session"}
        return self._answer(200, self.pages.setdefault(self.headers["Idempotency-Key"], page))

    def do_GET(self) -> None:
        self._answer(200, {"asked": self.asked})

    def _answer(self, status: int, told: dict) -> None:
        body = json.dumps(told).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


if __name__ == "__main__":
    server = ThreadingHTTPServer(("127.0.0.1", 0), Provider)
    print(server.server_port, flush=True)
    server.serve_forever()
