"""What a person reports about a message: that they saw it, or that it did not arrive."""

from enum import StrEnum


class Receipt(StrEnum):
    """Whether a person saw the message at the destination, or reported that it did not arrive."""

    SEEN = "seen"
    MISSING = "missing"


class ReceiptSource(StrEnum):
    """Who gave a receipt.

    LINK: someone with the link in the message. MEMBER: a member of the workspace. CUSTOMER: a customer, as a member
    wrote down. CUSTOMER_LINK: a customer, on a link made for them.
    """

    LINK = "link"
    MEMBER = "member"
    CUSTOMER = "customer"
    CUSTOMER_LINK = "customer_link"
