"""The exceptions that a user is meant to read."""


class UserError(Exception):
    """What was found, what was expected and what to do, in one line.

    Binaries print the line and exit with status 2; everything else is a bug and keeps
    its traceback.
    """


class DivergedError(UserError):
    """A model's answers are no numbers."""


class StoreError(UserError):
    """An object store refuses or doesn't answer."""
