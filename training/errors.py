"""What can end a job, apart from a defect.

JobError    something the user can put right: told in one line, exit status 1
Stopped     SIGTERM arrived and the state is saved: exit status 143
"""


class JobError(Exception):
    """A job cannot go on; the message names the file, channel, key or column, and what would be right."""


class Stopped(Exception):  # noqa: N818 (it is an outcome, not an error)
    """The job was asked to stop, and has stopped where it can go on later."""
