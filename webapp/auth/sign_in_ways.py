"""How an account can sign in, in words."""

from webapp.models import Account


def describe_sign_in_ways(account: Account) -> str:
    """Return how an account can sign in, such as "password"."""
    return "password" if account.password_hash else "no way yet"
