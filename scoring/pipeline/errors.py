"""What stops a run; each carries the French sentence that the person who launched it reads."""


class PipelineRefusal(Exception):
    """The inputs do not allow a score: nothing was published."""


class UnreadableFile(PipelineRefusal):
    """A file is missing, or is not in the documented format."""


class TooManyFaults(PipelineRefusal):
    """More rows are in quarantine than a healthy file has."""


class DegenerateWindow(PipelineRefusal):
    """A window lies outside the data, or holds nothing to learn."""
