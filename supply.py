"""What an installation is made of, and whether the list of known faults names any of it. Standard library only, as for `dev.py`."""

import json
import re
import subprocess
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

LOCKS = Path(__file__).resolve().parent / "requirements"
ACCEPTED = LOCKS / "accepted-faults.toml"
AUDITED = ("bench", "uv")
"""Locks that hold all packages between them: `bench` has those of every other lock."""

KNOWN_FAULT, DID_NOT_RUN, NOT_REACHED = 1, 2, 3
"""How an audit ends where it does not end well."""

LIST_OF_FAULTS = "https://api.osv.dev/v1/query"
SECONDS_TO_ANSWER = 5
SECONDS_IN_ALL = 60

_ITS_FAULT = re.compile(
    r"^(requests\.exceptions\.|pip_audit\._service\.interface\.|ERROR:pip_audit\._cli:Could not connect)", re.MULTILINE
)
"""How the words of `pip-audit` begin where it was the list that did not answer, or not as one does."""


def parts() -> str:
    """Return the packages of `production.lock` as a CycloneDX 1.6 document, for whoever compares them by other means."""
    entries = (LOCKS / "production.lock").read_text("ascii").replace(" \\\n", "").splitlines()
    components = []
    for entry in entries:
        pinned, *digests = entry.split("--hash=sha256:")
        name, _, version = pinned.partition(";")[0].strip().partition("==")
        components.append(
            {
                "type": "library",
                "name": name,
                "version": version,
                "purl": f"pkg:pypi/{name}@{version}",
                "hashes": [{"alg": "SHA-256", "content": digest.strip()} for digest in digests],
            }
        )
    told = {"bomFormat": "CycloneDX", "specVersion": "1.6", "version": 1}
    described = {"component": {"type": "application", "name": "smallbatch"}}
    return json.dumps(told | {"metadata": described, "components": components}, indent=1)


def audit(program: Path, environment: Mapping[str, str], accepted: Path = ACCEPTED) -> tuple[int, list[str]]:
    """Hold every pinned package against the list of known faults; return how it ended, and the words for it.

    `COOP_OSV_URL` in the environment names another place that answers as OSV does.
    """
    import tomllib  # noqa: PLC0415 - older Pythons have none, and should still be told which one is needed

    today = time.strftime("%Y-%m-%d", time.gmtime())
    entries = tomllib.loads(accepted.read_text("utf-8")).get("fault", [])
    over = [one for one in entries if one["until"].isoformat() < today]
    if over:
        return KNOWN_FAULT, [
            f"{one['id']} was accepted until {one['until']}: mend it, or give a new day." for one in over
        ]
    try:
        done = subprocess.run(
            [str(program), *_words(program, environment, [one["id"] for one in entries])],
            env=dict(environment),
            capture_output=True,
            text=True,
            check=False,
            timeout=SECONDS_IN_ALL,
        )
    except subprocess.TimeoutExpired:
        return NOT_REACHED, [_unheard(f"not all was answered within {SECONDS_IN_ALL} s")]
    if _ITS_FAULT.search(done.stderr):
        return NOT_REACHED, [_unheard(done.stderr.strip().splitlines()[-1])]
    if not done.stdout.startswith("{"):
        return DID_NOT_RUN, ["pip-audit did not run:", *done.stderr.splitlines()]
    packages = json.loads(done.stdout)["dependencies"]
    found = list(_faults(packages))
    if found:
        return KNOWN_FAULT, found
    kept = f", {len(entries)} accepted" if entries else ""
    return 0, [f"no known fault in {len(packages)} packages{kept}"]


def _words(program: Path, environment: Mapping[str, str], let_pass: list[str]) -> list[str]:
    words = ["--vulnerability-service", "osv", "--osv-url", environment.get("COOP_OSV_URL") or LIST_OF_FAULTS]
    words += ["--timeout", str(SECONDS_TO_ANSWER), "--strict", "--disable-pip", "--progress-spinner", "off"]
    words += ["--cache-dir", str(program.parents[1] / "cache" / "pip-audit")]  # HOME may be closed
    words += ["--format", "json", "--desc", "on", "--aliases", "on"]
    for lock in AUDITED:
        words += ["-r", str(LOCKS / f"{lock}.lock")]
    for fault in let_pass:
        words += ["--ignore-vuln", fault]
    return words


def _unheard(why: str) -> str:
    return f"not audited: the list of known faults could not be reached ({_plain(why)})"


def _faults(packages: list[dict[str, Any]]) -> Iterator[str]:
    for package in packages:
        for fault in package["vulns"]:
            names = " ".join([fault["id"], *(f"({other})" for other in fault["aliases"])])
            mended = (
                "mended in " + ", ".join(fault["fix_versions"]) if fault["fix_versions"] else "mended in no version yet"
            )
            yield _plain(f"{package['name']} {package['version']}: {names}, {mended}. {fault['description']}")


def _plain(words: str) -> str:
    """Return words from elsewhere as a terminal may show them."""
    return "".join(letter for letter in words if letter.isprintable())[:300]
