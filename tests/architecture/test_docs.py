"""What the documents say holds: commands, links, and every worked problem."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest

from coop.cli import WORDS
from coop.core.solve import solve

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text("utf-8")
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), *(ROOT / "tests").rglob("*.md")])
FENCED = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"!?\[[^\]]*\]\(([^)\s]+)\)")


def _name(path: Path) -> str:
    return str(path.relative_to(ROOT))


def _told(path: Path) -> str:
    """Return a document without its fenced blocks."""
    return FENCED.sub("", path.read_text("utf-8"))


def _anchors(path: Path) -> set[str]:
    headings = re.findall(r"^#+ +(.+)$", _told(path), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).strip().replace(" ", "-") for heading in headings}


def _problems() -> Iterator[tuple[str, dict, dict]]:
    """Yield each problem of a document with the answer that stands next after it."""
    for path in PAGES:
        blocks = [
            json.loads(block) for language, block in FENCED.findall(path.read_text("utf-8")) if language == "json"
        ]
        for place, block in enumerate(blocks):
            if "rule" in block and "format" not in block:
                yield f"{_name(path)}: {block['id']}", block, blocks[place + 1]


PROBLEMS = list(_problems())


def test_the_readme_names_both_commands():
    assert "python3 dev.py demo" in README
    assert "python3 dev.py test" in README


def test_the_readme_names_every_word_of_the_command_and_no_other():
    in_table = set(re.findall(r"^\| `coop ([a-z-]+)` \|", README, re.MULTILINE))
    assert in_table == WORDS.keys()


@pytest.mark.parametrize("path", PAGES, ids=_name)
def test_every_word_of_the_command_that_a_document_uses_exists(path):
    used = set(re.findall(r"(?:`|\s)coop ([a-z-]+)(?= |`|$)", "".join(re.findall(r"`[^`]+`", path.read_text("utf-8")))))
    used |= {
        word
        for _, block in FENCED.findall(path.read_text("utf-8"))
        for word in re.findall(r"(?:dev\.py coop|--rm (?:app|keeping)) ([a-z-]+)", block)
    }
    assert used <= WORDS.keys()


@pytest.mark.parametrize("path", PAGES, ids=_name)
def test_every_link_inside_the_project_leads_somewhere(path):
    for link in LINK.findall(_told(path)):
        parts = urlsplit(link)
        if parts.scheme:
            continue
        target = (path.parent / unquote(parts.path)).resolve() if parts.path else path
        assert target.exists(), link
        if parts.fragment:
            assert parts.fragment in _anchors(target), link


def test_there_are_problems_to_play():
    assert {name.partition(":")[0] for name, _, _ in PROBLEMS} >= {"docs/how-sharing-works.md"}


@pytest.mark.parametrize("engine", ["kernel", "reference"])
@pytest.mark.parametrize(("problem", "answer"), [case[1:] for case in PROBLEMS], ids=[case[0] for case in PROBLEMS])
def test_every_problem_in_the_documents_has_the_answer_shown_after_it(problem, answer, engine):
    assert solve(problem, engine) == answer


@pytest.mark.parametrize("path", PAGES, ids=_name)
def test_documents_promise_nothing_and_stand_alone(path):
    told = path.read_text("utf-8")
    assert re.findall(r"\b(?:TODO|TBD|FIXME|coming soon)\b", told) == []
    assert re.findall(r"\.\./\.\./\.\.|(?<![\w.])/(?:work|root|home)/\S+", told) == []


TRIED = (ROOT / "docs" / "for-engineers" / "what-is-tried.md").read_text("utf-8")


def test_every_test_that_the_list_names_is_in_the_file_it_names():
    named = [
        (file, name)
        for file, names in re.findall(r"`([\w/]+\.py)`: ((?:`test_\w+`(?:, )?)+)", TRIED)
        for name in re.findall(r"test_\w+", names)
    ]
    missing = [(file, name) for file, name in named if f"def {name}(" not in (ROOT / "tests" / file).read_text("utf-8")]
    assert missing == []
    assert len(named) == len(re.findall(r"`test_\w+`", TRIED)), "each stands after its file"
