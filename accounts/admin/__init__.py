"""The staff's console: what all apps' pages share, and the pages of accounts."""

from accounts.admin import events, groups, logins, organisations, programs, users

__all__ = ["events", "groups", "logins", "organisations", "programs", "users"]
