"""What views answer with."""

from flask import Response
from werkzeug.wrappers import Response as AnyResponse

Page = str
"""A page that is only looked at: its HTML."""

Answer = Response | AnyResponse | tuple[str, int]
"""A page with a form: on to the next address, or the page once more with its status."""
