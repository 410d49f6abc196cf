"""The look keeps its promises: contrast in both themes, nothing inline, small files, self-contained drawings."""

import gzip
import re
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

ROOT = Path(__file__).resolve().parents[2]
STATIC = ROOT / "coop" / "static"
TOKENS = (STATIC / "css" / "tokens.css").read_text()
COLOURS = {
    name: {"light": light, "dark": dark}
    for name, light, dark in re.findall(r"--([a-z-]+): light-dark\((#[0-9A-F]{6}), (#[0-9A-F]{6})\);", TOKENS)
}
PAIRS = re.findall(r"pair: ([a-z-]+) on ([a-z-]+) ([\d.]+)", TOKENS)
SVG = "{http://www.w3.org/2000/svg}"


def luminance(colour: str) -> float:
    """WCAG 2.2, "relative luminance", of #RRGGBB."""
    channels = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    red, green, blue = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    darker, lighter = sorted((luminance(one), luminance(other)))
    return (lighter + 0.05) / (darker + 0.05)


def rules_of(css: str) -> list[str]:
    return re.findall(r"\{([^{}]*)\}", re.sub(r"/\*.*?\*/", "", css, flags=re.DOTALL))


def test_black_on_white_is_the_known_21_to_1() -> None:
    assert round(contrast("#000000", "#FFFFFF"), 2) == 21


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_every_declared_pair_of_colours_reaches_its_contrast(theme: str) -> None:
    assert PAIRS
    short = {
        (text, ground): round(contrast(COLOURS[text][theme], COLOURS[ground][theme]), 2)
        for text, ground, least in PAIRS
        if contrast(COLOURS[text][theme], COLOURS[ground][theme]) < float(least)
    }
    assert short == {}


def test_a_rule_that_sets_text_and_ground_uses_a_declared_pair() -> None:
    declared = {(text, ground) for text, ground, _ in PAIRS}
    css = "".join((STATIC / "css" / f"{name}.css").read_text() for name in ("base", "layout", "components"))
    used = set()
    for rule in rules_of(css):
        text = re.search(r"(?<![-\w])color: var\(--([a-z-]+)\)", rule)
        ground = re.search(r"background: var\(--([a-z-]+)\)", rule)
        if text and ground:
            used.add((text[1], ground[1]))
    assert used - declared == set()


def test_every_colour_outside_print_comes_from_the_tokens() -> None:
    css = "".join((STATIC / "css" / f"{name}.css").read_text() for name in ("base", "layout", "components"))
    assert re.findall(r"#[0-9A-Fa-f]{3,8}\b(?![^{}]*\{)", css) == []


def test_every_custom_property_used_is_defined() -> None:
    css = "".join(path.read_text() for path in (STATIC / "css").glob("*.css"))
    assert set(re.findall(r"var\(--([a-z0-9-]+)\)", css)) - set(re.findall(r"--([a-z0-9-]+):", TOKENS)) == set()


def test_no_template_carries_script_or_style_inline() -> None:
    inline = re.compile(
        r"<style|\sstyle=|\son[a-z]+=\"|<script(?![^>]*\ssrc=)|javascript:|\ssrc=\"data:", re.IGNORECASE
    )
    pages = [path for path in (ROOT / "templates").rglob("*.html") if "mail" not in path.parts]
    assert [path.name for path in pages if inline.search(path.read_text())] == []


def test_no_template_puts_markup_in_but_the_squares_we_draw() -> None:
    """Codes that telephones scan are drawn by us as SVG; whatever else a page shows is escaped."""
    raw = re.compile(r"\|\s*safe\b|autoescape\s+false|Markup\(")
    templates = ROOT / "templates"
    found = {str(path.relative_to(templates)) for path in templates.rglob("*.*") if raw.search(path.read_text("utf-8"))}
    assert found == {"paying/pay.html", "proving/app.html"}


def test_styles_and_scripts_together_weigh_less_than_a_photo() -> None:
    files = [*(STATIC / "css").glob("*.css"), *(STATIC / "js").glob("*.js")]
    assert sum(len(gzip.compress(path.read_bytes())) for path in files) < 20_000


def test_each_custom_element_is_short_and_loaded_by_app() -> None:
    scripts = {path.name: path.read_text() for path in (STATIC / "js").glob("*.js")}
    elements = {name for name, text in scripts.items() if "customElements.define" in text}
    assert {name for name in scripts if len(scripts[name].splitlines()) > 60} == set()
    assert elements == set(re.findall(r'import "\./([a-z-]+\.js)"', scripts["app.js"]))


def test_each_drawing_has_a_title_and_needs_nothing_else() -> None:
    drawings = [STATIC / "mark.svg", STATIC / "favicon.svg", *sorted((STATIC / "drawings").glob("*.svg"))]
    for drawing in drawings:
        root = ET.fromstring(drawing.read_text())
        title = root.find(f"{SVG}title")
        assert title is not None and title.text, drawing.name
        names = {element.tag.removeprefix(SVG) for element in root.iter()}
        assert names & {"script", "style", "image", "use", "foreignObject"} == set(), drawing.name
        assert not any(key.endswith("href") or key == "style" for element in root.iter() for key in element.attrib)


def test_each_font_comes_with_its_licence() -> None:
    fonts = {path.stem.removesuffix("-ext").removesuffix("-latin") for path in (STATIC / "fonts").glob("*.woff2")}
    assert fonts == {"fraunces", "source-sans-3"}
    for font in fonts:
        assert "SIL OPEN FONT LICENSE" in (STATIC / "fonts" / f"{font}-OFL.txt").read_text()
