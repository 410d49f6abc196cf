"""Settings from the environment, and the refusal to start with unsafe ones."""

from __future__ import annotations

import contextlib
import dataclasses
import ipaddress
import json
import os
import secrets
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Self
from urllib.parse import urlsplit

from coop.core.errors import RuleBroken

APP_ROLE = "coop_app"
SHORTEST_SECRET = 32
_WEAK = ("change", "secret", "example", "password", "smallbatch", "default")
_TRUE = {"1", "true", "yes", "on"}


class UnsafeSettings(RuleBroken):
    """The settings would put the co-op at risk; the sentence lists every fault."""

    def __init__(self, faults: list[str]) -> None:
        super().__init__("unsafe_settings", "Smallbatch does not start like this: " + "; ".join(faults) + ".")
        self.faults = tuple(faults)


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What one installation is told from outside. Secrets never appear in its repr."""

    home: Path
    database_url: str = dataclasses.field(default="", repr=False)
    owner_url: str = dataclasses.field(default="", repr=False)
    redis_url: str = dataclasses.field(default="", repr=False)
    base_url: str = "http://127.0.0.1:8000"
    secret_keys: tuple[str, ...] = dataclasses.field(default=(), repr=False)
    field_key: bytes = dataclasses.field(default=b"", repr=False)
    trusted_hosts: tuple[str, ...] = ()
    proxy_hops: int = 0
    smtp_url: str = dataclasses.field(default="", repr=False)
    mail_from: str = "Smallbatch <coop@localhost>"
    beacon_url: str = ""
    stripe_key: str = dataclasses.field(default="", repr=False)
    stripe_webhook_secret: str = dataclasses.field(default="", repr=False)
    stripe_url: str = "https://api.stripe.com"
    bank_folder: Path | None = None
    production: bool = False
    debug: bool = False
    fail_points: Mapping[str, str] = dataclasses.field(default_factory=lambda: MappingProxyType({}))

    @classmethod
    def from_environment(cls, environ: Mapping[str, str]) -> Self:
        """Read the settings; NAME_FILE names a file that holds NAME. Outside production missing secrets are made and kept in the home."""
        read = _Reader(environ)
        base_url = read("COOP_BASE_URL", "http://127.0.0.1:8000").rstrip("/")
        host = urlsplit(base_url).hostname or ""
        loopback = _is_loopback(host)
        production = read("COOP_PRODUCTION", "" if loopback else "1").lower() in _TRUE
        home = Path(read("COOP_HOME") or default_home(environ, "smallbatch")).expanduser().absolute()
        keys = tuple(
            word for name in ("SECRET_KEY", "SECRET_KEY_FALLBACKS") for word in read(name).replace(",", " ").split()
        )
        field_key = read("FIELD_KEY")
        if not production and not (keys and field_key):
            kept = kept_secrets(home)
            keys, field_key = keys or (kept["secret_key"],), field_key or kept["field_key"]
        database_url = sqlalchemy_url(read("DATABASE_URL"))
        hosts = tuple(read("COOP_TRUSTED_HOSTS").replace(",", " ").split())
        return cls(
            home=home,
            database_url=database_url,
            owner_url=sqlalchemy_url(read("DATABASE_OWNER_URL")) or database_url,
            redis_url=read("REDIS_URL"),
            base_url=base_url,
            secret_keys=keys,
            field_key=_key_bytes(field_key),
            trusted_hosts=hosts or (("127.0.0.1", "localhost", "[::1]") if loopback and not production else ()),
            proxy_hops=_count("COOP_PROXY_HOPS", read("COOP_PROXY_HOPS", "0")),
            smtp_url=read("SMTP_URL"),
            mail_from=read("COOP_MAIL_FROM", "Smallbatch <coop@localhost>"),
            beacon_url=read("BEACON_URL").rstrip("/"),
            stripe_key=read("STRIPE_SECRET_KEY"),
            stripe_webhook_secret=read("STRIPE_WEBHOOK_SECRET"),
            stripe_url=read("STRIPE_URL", "https://api.stripe.com").rstrip("/"),
            bank_folder=Path(folder).absolute() if (folder := read("BANK_FOLDER")) else None,
            production=production,
            debug=read("FLASK_DEBUG").lower() in _TRUE,
            fail_points=MappingProxyType(dict(_fail_point(word) for word in read("FAIL").replace(",", " ").split())),
        )

    @property
    def assume_role(self) -> bool:
        """Whether the app's connections must put on the role coop_app, because the log-in is another one (a server of one's own)."""
        return bool(self.database_url) and urlsplit(self.database_url).username != APP_ROLE

    @property
    def takes_cards(self) -> bool:
        """Whether a card provider is configured: without its two secrets there is not one page about cards."""
        return bool(self.stripe_key and self.stripe_webhook_secret)

    def check(self) -> None:
        """Refuse to start in production with unsafe settings, naming all faults at once."""
        if self.production and (faults := [*self._secret_faults(), *self._address_faults()]):
            raise UnsafeSettings(faults)

    def environment(self) -> dict[str, str]:
        """The variables that give a started process these same settings, less the owner's log-in, which only migrations need."""
        words = {
            "COOP_HOME": str(self.home),
            "DATABASE_URL": self.database_url,
            "REDIS_URL": self.redis_url,
            "COOP_BASE_URL": self.base_url,
            "SECRET_KEY": " ".join(self.secret_keys),
            "FIELD_KEY": self.field_key.hex(),
            "COOP_TRUSTED_HOSTS": " ".join(self.trusted_hosts),
            "COOP_PROXY_HOPS": str(self.proxy_hops),
            "SMTP_URL": self.smtp_url,
            "COOP_MAIL_FROM": self.mail_from,
            "BEACON_URL": self.beacon_url,
            "STRIPE_SECRET_KEY": self.stripe_key,
            "STRIPE_WEBHOOK_SECRET": self.stripe_webhook_secret,
            "STRIPE_URL": self.stripe_url if self.takes_cards else "",
            "BANK_FOLDER": str(self.bank_folder or ""),
            "COOP_PRODUCTION": "1" if self.production else "0",
            "FAIL": " ".join(f"{name}:{act}" for name, act in self.fail_points.items()),
        }
        return {name: value for name, value in words.items() if value}

    def _secret_faults(self) -> list[str]:
        faults = []
        if not self.secret_keys:
            faults.append("SECRET_KEY is missing")
        for number, key in enumerate(self.secret_keys):
            name = "SECRET_KEY" if number == 0 else f"number {number} of SECRET_KEY_FALLBACKS"
            if len(key) < SHORTEST_SECRET:
                faults.append(f"{name} has {len(key)} characters, at least {SHORTEST_SECRET} are needed")
            elif len(set(key)) < 12 or any(word in key.lower() for word in _WEAK):
                faults.append(f"{name} can be guessed, take 64 random hexadecimal digits")
        if len(set(self.field_key)) < 8:
            faults.append("FIELD_KEY is missing or can be guessed, take 64 random hexadecimal digits")
        if bool(self.stripe_key) != bool(self.stripe_webhook_secret):
            faults.append("STRIPE_SECRET_KEY and STRIPE_WEBHOOK_SECRET belong together, set both or neither")
        if self.redis_url and not urlsplit(self.redis_url).password:
            faults.append("REDIS_URL has no password")
        return faults

    def _address_faults(self) -> list[str]:
        faults = []
        address = urlsplit(self.base_url)
        if address.scheme != "https":
            faults.append("COOP_BASE_URL must begin with https:// so that cookies stay secret")
        if self.beacon_url and urlsplit(self.beacon_url).scheme != "https":
            faults.append("BEACON_URL must begin with https://")
        if urlsplit(self.stripe_url).scheme != "https":
            faults.append("STRIPE_URL must begin with https://")
        if not self.trusted_hosts:
            faults.append("COOP_TRUSTED_HOSTS is missing")
        elif any(host.strip(".") in {"", "*"} for host in self.trusted_hosts):
            faults.append("COOP_TRUSTED_HOSTS trusts everybody")
        elif address.hostname not in {host.lstrip(".") for host in self.trusted_hosts}:
            faults.append("COOP_TRUSTED_HOSTS does not name the host of COOP_BASE_URL")
        if not self.smtp_url:
            faults.append("SMTP_URL is missing, so nobody would get a letter; name the mail server that sends them")
        if self.debug:
            faults.append("FLASK_DEBUG is on")
        if self.fail_points:
            faults.append("FAIL is set, which only tests may do")
        return faults


def default_home(environ: Mapping[str, str], name: str) -> Path:
    """Return the folder `name` under the person's own data folder."""
    if chosen := environ.get("XDG_DATA_HOME"):
        return Path(chosen) / name
    own = Path.home()
    return (
        own / "Library" / "Application Support" / name if sys.platform == "darwin" else own / ".local" / "share" / name
    )


def sqlalchemy_url(url: str) -> str:
    """Spell a PostgreSQL address the way SQLAlchemy finds psycopg 3."""
    scheme, colon, rest = url.partition("://")
    return f"postgresql+psycopg://{rest}" if colon and scheme in {"postgres", "postgresql"} else url


def libpq_url(url: str) -> str:
    """Spell a PostgreSQL address the way psycopg and PostgreSQL's own programs take it."""
    return url.replace("postgresql+psycopg://", "postgresql://", 1)


def kept_secrets(home: Path) -> dict[str, str]:
    """Return the secrets of this data folder, made the first time and readable by its owner alone."""
    path = home / "secrets.json"
    if not path.exists():
        home.mkdir(mode=0o700, parents=True, exist_ok=True)
        names = ("secret_key", "field_key", "postgres", "owner", "app", "broker")
        with tempfile.NamedTemporaryFile(
            "w", dir=home, prefix="secrets.", encoding="utf-8"
        ) as made:  # mode 0600 from birth
            json.dump({name: secrets.token_hex(32) for name in names}, made)
            made.flush()
            os.fsync(made.fileno())
            with contextlib.suppress(FileExistsError):  # who comes second reads what the first one made
                os.link(made.name, path)
    return {str(name): str(value) for name, value in json.loads(path.read_text("utf-8")).items()}


class _Reader:
    """Read a variable, or the file that its twin NAME_FILE points to."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        self._environ = environ

    def __call__(self, name: str, default: str = "") -> str:
        if value := self._environ.get(name, "").strip():
            return value
        if path := self._environ.get(f"{name}_FILE", ""):
            try:
                return Path(path).read_text("utf-8").strip() or default
            except OSError as fault:
                raise UnsafeSettings(
                    [f"{name}_FILE points to {path}, which cannot be read ({fault.strerror})"]
                ) from fault
        return default


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _key_bytes(digits: str) -> bytes:
    try:
        key = bytes.fromhex(digits)
    except ValueError:
        raise UnsafeSettings(["FIELD_KEY must be 64 hexadecimal digits"]) from None
    if len(key) not in {0, 32}:
        raise UnsafeSettings([f"FIELD_KEY has {len(digits)} hexadecimal digits, 64 are needed"])
    return key


def _count(name: str, digits: str) -> int:
    if not (digits.isascii() and digits.isdigit()):
        raise UnsafeSettings([f"{name} must be a whole number from 0"])
    return int(digits)


def _fail_point(word: str) -> tuple[str, str]:
    name, _, act = word.partition(":")
    if act not in {"kill", "raise", "sleep"}:
        raise UnsafeSettings([f"FAIL must read name:kill, name:raise or name:sleep, not {word}"])
    return name, act
