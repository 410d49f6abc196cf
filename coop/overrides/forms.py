"""The form that changes an award by hand."""

from coop.web.fields import PiecesField, TextLine
from coop.web.forms import CoopForm


class OverrideForm(CoopForm):
    pieces = PiecesField("Pieces instead", least=0)
    reason = TextLine("Why", most=300, description="The member reads it beside the pieces, so write it for them.")
