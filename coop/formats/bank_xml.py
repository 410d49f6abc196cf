"""XML from outside: refused by size, document type, entities and depth before anything is made of it."""

from xml.etree.ElementTree import Element, ParseError, TreeBuilder

from defusedxml.common import DefusedXmlException
from defusedxml.ElementTree import DefusedXMLParser

from coop.core.errors import RuleBroken
from coop.formats.bank_statement import refuse_size

DEEPEST = 40
"""How many elements may stand inside one another; a statement has about fifteen."""


class _Shallow(TreeBuilder):
    """Builds the tree, and refuses to go deeper than statements are."""

    depth = 0

    def start(self, tag: str, attrs: dict[str, str], /) -> Element:
        self.depth += 1
        if self.depth > DEEPEST:
            raise RuleBroken("too_deep", f"The file is nested deeper than {DEEPEST} elements; no bank writes that.")
        return super().start(tag, attrs)

    def end(self, tag: str, /) -> Element:
        self.depth -= 1
        return super().end(tag)


def parse_xml(content: bytes) -> Element:
    """Return the root of a document, names without their namespaces but the root's own.

    Raises `empty`, `too_large`, `entities`, `too_deep`, `encoding` or `not_xml`.
    """
    refuse_size(content)
    parser = DefusedXMLParser(target=_Shallow(), forbid_dtd=True)
    try:
        parser.feed(content)
        root: Element = parser.close()
    except DefusedXmlException:
        raise RuleBroken(
            "entities", "The file declares a document type or entities, which a bank statement has no use for."
        ) from None
    except (LookupError, UnicodeError):
        raise RuleBroken("encoding", "The letters of this file cannot be read; export it in UTF-8.") from None
    except (ParseError, ValueError):
        raise RuleBroken("not_xml", "The file is not well-formed XML, or is cut off; export it again.") from None
    for element in root.iter():
        if element is not root:
            element.tag = element.tag.partition("}")[2] or element.tag
    return root
