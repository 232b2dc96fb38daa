"""An application in this process, without a socket, and a client for it."""

import asyncio

import httpx2
import pytest

from serving import POLICY
from shopward.access import open_keys
from shopward.config import Settings
from shopward.http import Application
from shopward.service import Shopward


class World:
    """Runs stories against an application: ``world.run(async function of (client, world))``."""

    def __init__(self, folder, *, clock=None, **settings):
        self.clock = clock
        self.settings = Settings(data=str(folder), policy=str(POLICY), **settings)
        self.key = None
        self.application = None
        self.shopward = None

    def run(self, story):
        """Open, start, tell the story, stop, close; the story's result."""
        return asyncio.run(self._run(story))

    async def _run(self, story):
        with Shopward.open(self.settings, rebuild=False, clock=self.clock) as self.shopward:
            keys, key = open_keys(self.settings.folder, self.shopward.clock)
            self.key = key or self.key
            self.application = Application(self.shopward, keys)
            self.application.start()
            while not self.application.gate.is_ready:  # noqa: ASYNC110 -- nothing tells of it in the product
                await asyncio.sleep(0.001)
            headers = {"Authorization": f"Bearer {self.key}"}
            transport = httpx2.ASGITransport(app=self.application)
            try:
                async with httpx2.AsyncClient(
                    transport=transport, base_url="http://shop", headers=headers
                ) as client:
                    return await story(client, self)
            finally:
                await self.application.stop()


@pytest.fixture
def world(tmp_path):
    """An application on a fresh data folder."""
    return World(tmp_path / "data")


@pytest.fixture
def world_in():
    """Makes an application on a folder."""
    return World


@pytest.fixture
def small_world(tmp_path):
    """One with small limits."""
    return World(
        tmp_path / "data",
        event_bytes_max=2_000,
        batch_bytes_max=20_000,
        batch_lines_max=50,
        group_max=8,
        requests_max=4,
        read_timeout_s=0.2,
    )
