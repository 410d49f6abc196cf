"""What is installed is pinned to the byte, and nothing names where it comes from."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
LOCKS = sorted((ROOT / "requirements").glob("*.lock"))
HOSTS = ["pypi org", "files pythonhosted org", "registry npmjs org", "docker io/", "ghcr io/", "quay io/"]
"""By their parts, so that this file does not name them either."""

NAMED = re.compile(
    "|".join(
        [*(rf"\b{re.escape(host.replace(' ', '.'))}" for host in HOSTS), r"--(?:extra-)?index-url|--find[-]links"]
    ).encode()
)


def _entries(lock: Path) -> list[str]:
    return re.sub(r" \\\n\s+", " ", lock.read_text("utf-8")).splitlines()


@pytest.mark.parametrize("lock", LOCKS, ids=lambda lock: lock.name)
def test_every_package_is_pinned_by_version_and_hash(lock):
    for entry in _entries(lock):
        assert re.match(r"^[a-z0-9._-]+==\S+( ; .+?)?( --hash=sha256:[0-9a-f]{64})+$", entry), entry[:80]


def test_each_lock_agrees_with_the_smaller_one():
    names = ["production", "demo", "test", "bench"]
    pins = [{entry.split()[0] for entry in _entries(ROOT / "requirements" / f"{name}.lock")} for name in names]
    assert pins[0] <= pins[1] <= pins[2] <= pins[3]


def test_the_list_of_parts_names_each_package_of_an_installation():
    printed = subprocess.run([sys.executable, "dev.py", "sbom"], cwd=ROOT, capture_output=True, check=True, text=True)
    told = json.loads(printed.stdout)
    assert (told["bomFormat"], told["specVersion"]) == ("CycloneDX", "1.6")
    parts = {f"{one['name']}=={one['version']}": len(one["hashes"]) for one in told["components"]}
    entries = _entries(ROOT / "requirements" / "production.lock")
    assert parts == {entry.split()[0]: entry.count("--hash=sha256:") for entry in entries}
    assert all(re.fullmatch("[0-9a-f]{64}", h["content"]) for one in told["components"] for h in one["hashes"])


def test_no_file_names_a_registry():
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True).stdout.split(b"\0")
    files = [ROOT / name.decode() for name in listed if name and (ROOT / name.decode()).is_file()]
    assert [str(path.relative_to(ROOT)) for path in files if NAMED.search(path.read_bytes())] == []


def test_the_readme_gives_the_two_commands():
    words = (ROOT / "README.md").read_text("utf-8")
    assert "python3 dev.py demo" in words
    assert "python3 dev.py test" in words
