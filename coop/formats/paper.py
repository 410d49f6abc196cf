"""Papers as PDF: a template of `templates/papers`, filled with values, laid out by typst.

The fonts are those that typst brings along, never the machine's, so a paper looks the same wherever it is made. It is
tagged for screen readers (PDF/UA-1), and the same values give the same bytes.
"""

import json
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any, Final

import typst

TEMPLATES: Final = Path(__file__).parents[2] / "templates" / "papers"


def write_paper(name: str, values: Mapping[str, Any], *, title: str, made_at: datetime, language: str = "en") -> bytes:
    """Lay out `templates/papers/<name>.typ`, which reads `values` as `values`; they are text, whatever signs are in them.

    What cannot be written as JSON is an error of the caller's: amounts and days come as they are to be read.
    """
    told = {"title": title, "language": language, "values": values}
    made = typst.compile(
        TEMPLATES / f"{name}.typ",
        root=TEMPLATES,
        font_paths=[],
        ignore_system_fonts=True,
        format="pdf",
        sys_inputs={"paper": json.dumps(told, ensure_ascii=False)},
        pdf_standards=["ua-1"],
        timestamp=int(made_at.timestamp()),
    )
    assert isinstance(made, bytes), "a PDF is one file"
    return made
