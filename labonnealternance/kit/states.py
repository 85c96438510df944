"""A state is a column, a table of moves and a journal."""


class ForbiddenMove(Exception):
    """The table of moves of a model does not lead from its status to the one asked for."""
