"""What people may do wrong, said so that they can act on it."""


class RuleBroken(Exception):  # noqa: N818 - it names what happened in the co-op's words
    """A rule of the co-op forbids the act; `code` is stable, `sentence` says what is wrong and what is allowed.

    `field` names the form field (or the path in a file) the sentence belongs to, "" for the whole act.
    """

    def __init__(self, code: str, sentence: str, *, field: str = "") -> None:
        super().__init__(f"{code}: {sentence}")
        self.code = code
        self.sentence = sentence
        self.field = field


class NotFound(RuleBroken):
    """The row does not exist, or is not the caller's to see: both read the same from outside."""

    def __init__(self, sentence: str = "We could not find that.") -> None:
        super().__init__("not_found", sentence)
