"""What can go wrong in the lake and be put right by whoever started the work."""


class LakeError(Exception):
    """The work cannot go on; the message says what was found, where, and what would be right."""


class LakeBusyError(LakeError):
    """Others kept changing the table for longer than the retries last; nothing was lost, running again is safe."""


class DatasetError(LakeError):
    """The table does not pass its dataset checks; the message lists those that failed."""
