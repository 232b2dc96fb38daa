"""The books over HTTP: posted by hand, looked at, taken back."""

import pytest

OPENING = {
    "word": "opening",
    "account": "wallet:anna",
    "amount_minor": 1_000,
    "currency": "IDR",
    "as_of": "2026-01-05",
}
RECOVERY = {
    "word": "recovery",
    "key": "insurer",
    "way": "bank",
    "amount_minor": 70,
    "currency": "IDR",
    "claim": "c-1",
}


def test_post_look_and_take_back(world):
    """An opening and a recovery are posted once each, found by account and claim, and one is taken back."""

    async def story(client, _world):
        made = await client.post("/v1/ledger/postings", json=OPENING)
        assert (made.status_code, (await client.post("/v1/ledger/postings", json=OPENING)).status_code) == (
            201,
            200,
        )
        changed = await client.post("/v1/ledger/postings", json=OPENING | {"amount_minor": 1})
        assert (changed.status_code, changed.json()["code"]) == (409, "conflict")
        await client.post("/v1/ledger/postings", json=RECOVERY)
        (about,) = (await client.get("/v1/ledger/transfers?claim=c-1")).json()["transfers"]
        assert about["entries"] == [
            {"account": "outside:bank", "currency": "IDR", "amount_minor": 70},
            {"account": "recovered:shop", "currency": "IDR", "amount_minor": -70},
        ]
        reversal = {"word": "reversal", "key": "r-1", "transfer": about["id"]}
        assert (await client.post("/v1/ledger/postings", json=reversal)).status_code == 201
        again = await client.post("/v1/ledger/postings", json=reversal | {"key": "r-2"})
        assert again.json()["code"] == "already_ended"
        one = (await client.get(f"/v1/ledger/transfers/{about['id']}")).json()
        assert one["ended"] == "reversal"
        page = (await client.get("/v1/ledger/balances?limit=3")).json()
        rest = (await client.get("/v1/ledger/balances", params={"limit": 3, "after": page["next"]})).json()
        standing = {each["account"]: each["posted_minor"] for each in page["balances"] + rest["balances"]}
        assert standing == {
            "opening:shop": 1_000, "outside:bank": 0, "recovered:shop": 0, "wallet:anna": -1_000,
        }  # fmt: skip
        deeds = world.shopward.records.read(
            lambda each: world.shopward.trail.read(each, after_seq=0, limit=500)
        )
        assert [each.deed for each in deeds].count("ledger:post") == 3

    world.run(story)


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (OPENING | {"account": "purse:anna"}, "invalid_field"),
        (OPENING | {"account": "wallet:anna b"}, "invalid_field"),
        (OPENING | {"amount_minor": 0}, "invalid_field"),
        (OPENING | {"amount_minor": 2**53}, "invalid_field"),
        (OPENING | {"word": "hold"}, "invalid_field"),
        (OPENING | {"more": 1}, "unknown_field"),
        (
            {
                "word": "write_off",
                "key": "w",
                "account": "receivable:dana",
                "amount_minor": 1,
                "currency": "IDR",
            },
            "not_covered",
        ),
        ({"word": "reversal", "key": "r", "transfer": "t-none"}, "not_found"),
    ],
)
def test_bad_postings_leave_nothing(world, body, code):
    """Each is a problem that says what is wrong, and the books are as they were."""

    async def story(client, _world):
        answer = await client.post("/v1/ledger/postings", json=body)
        assert (answer.json()["code"], (await client.get("/v1/ledger/balances")).json()["balances"]) == (
            code,
            [],
        )

    world.run(story)


@pytest.mark.parametrize(
    "query", ["", "?account=wallet:a&claim=c", "?claim=%00", "?claim=c&before=x", "?account=a"]
)
def test_bad_questions(world, query):
    """Transfers are asked for by one thing that there can be."""

    async def story(client, _world):
        assert (await client.get("/v1/ledger/transfers" + query)).status_code == 422

    world.run(story)
