"""The roles of members, and what each may do."""

from enum import StrEnum


class Role(StrEnum):
    """What a member may do in one workspace: admins edit and test, support tests, viewers only look. Highest first."""

    ADMIN = "admin"
    SUPPORT = "support"
    VIEWER = "viewer"

    @property
    def may_test(self) -> bool:
        return self in (Role.ADMIN, Role.SUPPORT)

    @property
    def may_edit(self) -> bool:
        return self is Role.ADMIN

    def is_below(self, other: "Role") -> bool:
        """Return whether this role may do less than the other one."""
        roles = list(Role)
        return roles.index(self) > roles.index(other)
