"""Persons of the shop beside the first administrator: their keys, their headers, their sessions in a browser."""


async def key_of(client, person, *roles):
    """A key of another person."""
    asked = {"name": f"{person}-laptop", "person": person, "roles": list(roles)}
    made = await client.post("/v1/keys", json=asked)
    assert made.status_code == 201, made.text
    return made.json()["key"]


async def keyed(client, person, *roles):
    """Headers of another person."""
    return {"Authorization": f"Bearer {await key_of(client, person, *roles)}"}


async def opened_with(client, key):
    """Log in anew with a key; the old session is gone."""
    client.cookies.clear()
    assert (await client.post("/login", data={"key": key})).status_code == 303
