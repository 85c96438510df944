"""The web application of the bench whose search answers from memory: what the page costs without the query."""

from labonnealternance.wsgi import application
from offers import search as module

__all__ = ["application"]

_search, _answers = module.search, []


def _constant(question, *, at):
    if not _answers:
        _answers.append(_search(question, at=at))
    return _answers[0]


module.search = _constant
