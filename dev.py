#!/usr/bin/env python3
"""Smallbatch from a fresh clone, with nothing but Python 3.11 or newer.

    python3 dev.py demo              a believable co-op, served with all its parts; Ctrl-C stops everything
    python3 dev.py test [WORDS...]   every check, then the tests; words go to pytest, --full runs the long forms
    python3 dev.py coop WORDS...     any word of the co-op's own command
    python3 dev.py bench [WORDS...]  the measurements; --full brings the programs compared with
    python3 dev.py lint              the checks alone
    python3 dev.py lock              pin the dependencies anew
    python3 dev.py audit             hold the pins against the list of known faults; COOP_OSV_URL names another list
    python3 dev.py sbom              print what a co-op's installation is made of, as CycloneDX

COOP_VENV names another folder than .venv for the installed packages; COOP_NO_UV=1 installs by pip alone.
"""

import contextlib
import hashlib
import importlib.util
import os
import shutil
import subprocess
import sys
import time
import venv
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import supply

ROOT = Path(__file__).resolve().parent
LOCKS = supply.LOCKS
VENV = Path(os.environ.get("COOP_VENV") or ROOT / ".venv").absolute()
PYTHON = VENV / "bin" / "python"
GROUPS = {
    "production": [],
    "demo": ["--group", "embedded"],
    "test": ["--group", "embedded", "--group", "test", "--group", "lint", "-c", "requirements/demo.lock"],
    "bench": [
        "--group",
        "embedded",
        "--group",
        "test",
        "--group",
        "lint",
        "--group",
        "bench",
        "-c",
        "requirements/test.lock",
    ],
}
HOLDS = {"demo": ("test", "bench"), "test": ("bench",)}
"""Locks that have all of another's packages."""
CHECKS = {
    "ruff": ["ruff", "check", "."],
    "ruff format": ["ruff", "format", "--check", "."],
    "mypy": ["mypy", "--no-error-summary", "-p", "coop", "-p", "workers"],
    "lint-imports": ["lint-imports"],
    "djlint": ["djlint", "templates", "--check", "--lint"],
}


def main(words: list[str]) -> int:
    """Do what the first word says."""
    word, rest = (words[0], words[1:]) if words else ("", [])
    if word == "demo":
        return become("demo", "-P", "-m", "coop.cli", "demo", *rest)
    if word == "coop":
        return become("demo", "-P", "-m", "coop.cli", *rest)
    if word == "bench":
        return become("bench" if "--full" in rest else "test", "-P", "-m", "bench", *rest)
    if word == "lint":
        install("test")
        return lint()
    if word == "test":
        install("test")
        return lint() | tests(rest)
    if word == "lock":
        return lock()
    if word == "sbom":
        print(supply.parts())
        return 0
    if word == "audit":
        install("test")
        return audit()
    print(__doc__, file=sys.stderr)
    return 2


def audit() -> int:
    """Say what the list of known faults has against our pins: 0 nothing, 1 something, 2 it did not run, 3 the list was not reached."""
    code, told = supply.audit(VENV / "bin" / "pip-audit", environment())
    for sentence in told:
        say(sentence)
    return code


def become(lock_name: str, *words: str) -> int:
    """Turn into the pinned Python, so that signals and the exit code are its own."""
    install(lock_name)
    sys.stdout.flush()
    os.execve(PYTHON, [str(PYTHON), *words], environment())


def lint() -> int:
    """Run all checks side by side; show the words of those that complain. A list of faults that is out of reach is told, and fails nothing."""

    def run(name: str) -> tuple[str, float, subprocess.CompletedProcess[str]]:
        begun = time.monotonic()
        program = [str(VENV / "bin" / CHECKS[name][0]), *CHECKS[name][1:]]
        done = subprocess.run(program, cwd=ROOT, env=environment(), capture_output=True, text=True, check=False)
        return name, time.monotonic() - begun, done

    worst = 0
    with ThreadPoolExecutor(max_workers=len(CHECKS) + 1) as pool:
        audited = pool.submit(supply.audit, VENV / "bin" / "pip-audit", environment())
        for name, seconds, done in pool.map(run, CHECKS):
            say(f"{name}: {'ok' if done.returncode == 0 else 'failed'} in {seconds:.1f} s")
            if done.returncode != 0:
                print(done.stdout, done.stderr, sep="", file=sys.stderr)
            worst = max(worst, abs(done.returncode))
        code, told = audited.result()
    for sentence in told:
        say(f"audit: {sentence}")
    return max(worst, 0 if code == supply.NOT_REACHED else code)


def tests(words: list[str]) -> int:
    """Run pytest with the words given, in as many processes as there are processors, four at most."""
    begun = time.monotonic()
    processes = () if any(word.startswith("-n") for word in words) else ("-n", str(min(4, os.cpu_count() or 1)))
    code = subprocess.call([str(PYTHON), "-m", "pytest", *processes, *words], cwd=ROOT, env=environment())
    say(f"pytest: {'ok' if code == 0 else 'failed'} in {time.monotonic() - begun:.1f} s")
    return abs(code)


def install(lock_name: str) -> None:
    """Bring the packages of a lock into the virtual environment, unless they are there to the last byte."""
    VENV.mkdir(parents=True, exist_ok=True)
    with alone():
        if {stamp_of(name) for name in (lock_name, *HOLDS.get(lock_name, ()))} & set(stamps()):
            return
        begun = time.monotonic()
        say(f"installing the pinned packages of requirements/{lock_name}.lock into {VENV}")
        if not works():
            make_venv()
        if not (uv_installs(lock_name) or pip_installs("-r", str(LOCKS / f"{lock_name}.lock"))):
            sys.exit("The packages could not be installed; the words above say why.")
        (VENV / "stamps").write_text("\n".join([stamp_of(lock_name), ""]), "ascii")
        say(f"installed in {time.monotonic() - begun:.1f} s")


def uv_installs(lock_name: str) -> bool:
    """Install by uv, itself pinned by hash; False where it is unwanted or does not get through."""
    if os.environ.get("COOP_NO_UV") or not pip_installs("-r", str(LOCKS / "uv.lock")):
        return False
    words = ["pip", "install", "--quiet", "--compile-bytecode", "--require-hashes", "--python", str(PYTHON)]
    done = subprocess.call(
        [str(VENV / "bin" / "uv"), *words, "-r", str(LOCKS / f"{lock_name}.lock")], env=environment()
    )
    return done == 0


def pip_installs(*words: str) -> bool:
    """Install by the pip that comes with Python, run from its wheel: putting it into the environment first takes longer than all the rest."""
    found = [path for folder in pip_folders() for path in sorted(folder.glob("pip-*.whl"))]
    if not found:
        sys.exit("This Python comes without pip. On Debian and Ubuntu: apt-get install python3-venv")
    program = [
        str(PYTHON),
        str(found[0] / "pip"),
        "--disable-pip-version-check",
        "install",
        "--quiet",
        "--require-hashes",
        "--no-deps",
    ]
    return subprocess.call([*program, *words], env=environment()) == 0


def pip_folders() -> list[Path]:
    """Return where Pythons carry the wheel of their pip, their own first; Debian keeps its one apart."""
    bundled = importlib.util.find_spec("ensurepip")
    own = [Path(bundled.origin).parent / "_bundled"] if bundled and bundled.origin else []
    return [*own, Path("/usr/share/python-wheels")]


def make_venv() -> None:
    """Make the virtual environment anew, keeping the file that guards it."""
    for path in VENV.iterdir():
        if path.name != "lock":
            shutil.rmtree(path) if path.is_dir() and not path.is_symlink() else path.unlink()
    venv.create(VENV, symlinks=True)


def works() -> bool:
    """Whether the environment was made by this version of Python."""
    tried = [str(PYTHON), "-c", "import sys; print(sys.version)"]
    with contextlib.suppress(OSError):
        return subprocess.run(tried, capture_output=True, text=True, check=False).stdout.strip() == sys.version
    return False


def stamp_of(lock_name: str) -> str:
    """Name a lock's content and the Python it is for."""
    return (
        f"{lock_name} {hashlib.sha256((LOCKS / f'{lock_name}.lock').read_bytes()).hexdigest()} {sys.version_info[:3]}"
    )


def stamps() -> list[str]:
    """Return what was installed last, to the end."""
    path = VENV / "stamps"
    return path.read_text("ascii").splitlines() if path.exists() and PYTHON.exists() else []


def lock() -> int:
    """Pin all dependencies of pyproject.toml anew, with hashes and without any host."""
    install("test")
    for name, groups in GROUPS.items():
        words = [
            "pip",
            "compile",
            "--quiet",
            "--upgrade",
            "pyproject.toml",
            *groups,
            "--universal",
            "--python-version",
            "3.11",
        ]
        words += ["--generate-hashes", "--no-header", "--no-annotate", "-o", f"requirements/{name}.lock"]
        if code := subprocess.call([str(VENV / "bin" / "uv"), *words], cwd=ROOT, env=environment()):
            return code
    return 0


def environment() -> dict[str, str]:
    """Return the environment of everything that is started: this clone's code, and a cache even where HOME is closed."""
    words = {
        **os.environ,
        "PYTHONPATH": str(ROOT),
        "VIRTUAL_ENV": str(VENV),
        "PATH": f"{VENV / 'bin'}{os.pathsep}{os.environ.get('PATH', '')}",
    }
    # many programs read the same modules; where this is set, each would compile them anew
    words.pop("PYTHONDONTWRITEBYTECODE", None)
    if not os.access(Path(words.get("HOME") or "/nonexistent"), os.W_OK):
        words.setdefault("UV_CACHE_DIR", str(VENV / "cache"))
    return words


@contextlib.contextmanager
def alone() -> Iterator[None]:
    """Let one installation run at a time."""
    import fcntl  # noqa: PLC0415 - not there on Windows, where the words above should still be printed

    with (VENV / "lock").open("w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        yield


def say(sentence: str) -> None:
    """Tell the person, beside what programs read."""
    print(sentence, file=sys.stderr, flush=True)


if __name__ == "__main__":
    if sys.version_info < (3, 11):  # noqa: UP036 - who runs this may have an older one
        sys.exit("Smallbatch needs Python 3.11 or newer; this is " + sys.version.split()[0])
    sys.exit(main(sys.argv[1:]))
