"""The staff's console: what all apps' pages share, and the pages of accounts."""

from accounts.admin import api_clients, audit, events, groups, logins, organisations, programs, users

__all__ = ["api_clients", "audit", "events", "groups", "logins", "organisations", "programs", "users"]
