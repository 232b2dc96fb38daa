"""The shop's profile: what it says of itself, and what that makes official."""

from shopward.screening.channels import CHANNELS, Channel
from shopward.screening.profile.faults import refuse_faults, warnings_of
from shopward.screening.profile.load import load_profile, profile_of
from shopward.screening.profile.profile import Owner, Profile, nobodys_profile
from shopward.screening.profile.spec import ProfileSpec

__all__ = [
    "CHANNELS",
    "Channel",
    "Owner",
    "Profile",
    "ProfileSpec",
    "load_profile",
    "nobodys_profile",
    "profile_of",
    "refuse_faults",
    "warnings_of",
]
