"""The one exception that commands turn into a line on standard error."""


class UserError(Exception):
    """A mistake of the user's: the message is one line that names the value and says what to do instead."""
