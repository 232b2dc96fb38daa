"""A customer on the page about the own account: the link, the door, the presses."""


async def invited(client, user="anna", **asked):
    """The path of a new link."""
    made = await client.post(f"/v1/users/{user}/visits", json=asked)
    assert made.status_code == 201, made.text
    return made.json()["path"]


async def entered(client, user="anna", **asked):
    """The page, once the button is pressed."""
    opened = await client.post(await invited(client, user, **asked))
    assert (opened.status_code, opened.headers["location"]) == (303, "/account"), opened.text
    return (await client.get("/account")).text


async def pressed(client, **form):
    """The page after something was pressed."""
    done = await client.post("/account", data=form)
    assert (done.status_code, done.headers["location"]) == (303, "/account#told"), done.text
    return (await client.get("/account")).text


async def told(client, *events):
    """Events that were decided."""
    for each in events:
        assert (await client.post("/v1/decisions", json=each)).status_code == 200
