"""What an erasure leaves of somebody about whom every call of the document was made: nothing, in no table and in no file."""

from __future__ import annotations

import json
import shutil

from sqlalchemy import MetaData, create_engine, select

from protection.conftest import database  # noqa: F401 -- a fixture
from serving import Server
from walking import USER, Walk


def opened(data, database, *, key=""):  # noqa: F811 -- a fixture's value
    """A server over a store of either kind."""
    return Server(data, "--database", database, policy=None, key=key)


def walked(server):
    """Every example of the document, said of one person; the hold that one of them places is ended by somebody else."""
    walk = Walk(server)
    walk.walk(("example", "example"))
    person = {"name": "budi", "person": "budi", "roles": ["analyst"]}
    first, server.key = server.key, json.loads(server.post("/v1/keys", person)[1])["key"]
    assert server.post(f"/v1/vault/users/{USER}/release", {"classes": []})[0] == 200
    server.key = first
    return walk


def erased(server):
    """The certificate."""
    status, body = server.post(f"/v1/vault/users/{USER}/erase", {"reason": "asked by mail", "dry_run": False})
    assert status == 200
    return json.loads(body)


def tables(url):
    """Every cell of every table, and where it stands."""
    engine = create_engine(url.replace("postgresql://", "postgresql+psycopg://"))
    found = MetaData()
    with engine.connect() as connection:
        found.reflect(connection)
        for table in found.sorted_tables:
            for row in connection.execute(select(table)).mappings():
                for column, cell in row.items():
                    raw = bytes(cell) if isinstance(cell, (bytes, memoryview)) else str(cell).encode()
                    yield f"{table.name}.{column}", raw
    engine.dispose()


def files(folder):
    """Every file below a folder, as raw bytes."""
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            yield path.name, path.read_bytes()


def standing(walk, folder, url):
    """Where words of the person stand."""
    return {
        (place, word) for source in (tables(url), files(folder)) for place, raw in source for word in walk.names(raw)
    }  # fmt: skip


def test_an_erasure_leaves_no_word_in_any_table_or_file(database, tmp_path):  # noqa: F811 -- a fixture
    """Before it the timeline shows them, and the search finds what is planted; after it they stand nowhere."""
    with opened(tmp_path / "data", database) as server:
        walk = walked(server)
        assert len(walk.names(server.get(f"/v1/users/{USER}/timeline")[1])) > 1
        (tmp_path / "planted").write_text(USER)
        assert ("planted", USER) in standing(walk, tmp_path, database)
        (tmp_path / "planted").unlink()
        done = erased(server)
    assert done["held"] == []
    assert done["addresses"] == 1
    assert min(done["keys"], done["records"], done["events"]) >= 1
    assert done["backups_lapse_at"] > done["at"]
    assert standing(walk, tmp_path, database) == set()
    assert {raw for place, raw in tables(database) if place == "notice_recipient.address"} == {b""}


def test_a_whole_folder_that_is_restored_forgets_before_it_serves(tmp_path):
    """All but the journal comes from before the erasure, twice: nothing of the person is served or stands there."""
    data, url = tmp_path / "data", f"sqlite:///{tmp_path}/data/shopward.db"
    with opened(data, url) as server:
        walk, key = walked(server), server.key
    shutil.copytree(data, tmp_path / "backup")
    with opened(data, url, key=key) as server:
        erased(server)
    for _time in range(2):
        journal = (data / "vault.erasures").read_bytes()
        shutil.rmtree(data)
        shutil.copytree(tmp_path / "backup", data)
        (data / "vault.erasures").write_bytes(journal)
        with opened(data, url, key=key) as server:
            (again,) = json.loads(server.get(f"/v1/vault/users/{USER}/erasures")[1])["erasures"]
            assert again["reason"] == "done again on a restored store"
            assert again["addresses"] == 1
            entries = json.loads(server.get(f"/v1/users/{USER}/timeline")[1])["entries"]
            assert entries
            assert not walk.names(json.dumps([each["event"] for each in entries]).encode())
            assert json.loads(server.get(f"/v1/vault/users/{USER}/records")[1])["records"] == []
        assert standing(walk, data, url) == set()
