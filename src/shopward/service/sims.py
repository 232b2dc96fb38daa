"""Who is asked about SIM swaps, by the settings. Promise: nobody, unless all that it takes is set."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from shopward.adapters.camara import CamaraSimSwaps, NoSimSwaps

if TYPE_CHECKING:
    from shopward.config import Settings
    from shopward.ports import SimSwaps


def sim_swaps_of(settings: Settings) -> SimSwaps:
    """The operator of the settings, or nobody; raises ``Misconfigured`` where a number would go out in clear."""
    if not settings.sim_swap_url:
        return NoSimSwaps()
    return CamaraSimSwaps(
        settings.sim_swap_url,
        token_url=settings.sim_swap_token_url,
        client=(settings.sim_swap_client_id, settings.sim_swap_client_secret),
        scope=settings.sim_swap_scope,
        steady_s=time.monotonic,
    )
