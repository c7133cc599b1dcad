"""What of a person is not for everybody who recruits."""

from __future__ import annotations

from enum import StrEnum


class PersonalField(StrEnum):
    """It opens to an organisation when the person turns to it, and whoever then reads it is logged."""

    NAME = "name"
    EMAIL = "email"
    PHONE = "phone"
    LINKEDIN = "linkedin"
    RESUME = "resume"
    EXPERIENCES = "experiences"
    VETTING = "vetting"
