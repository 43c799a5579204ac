"""What the errors of a delivery have in common: their message can be acted on, and no traceback is shown."""


class DeliveryError(Exception):
    """Something is not fit to be delivered, or cannot be; the message says what, where, and what would be right."""
