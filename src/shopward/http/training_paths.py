"""What the OpenAPI document says of the training of staff.

Promise: shapes are those that the calls themselves use.
"""

from __future__ import annotations

from typing import Any, Final

from shopward.http.exercises import (
    ExerciseAsked,
    ExerciseHeard,
    ExerciseReported,
    Exercises,
    ExerciseView,
)
from shopward.http.openapi import ID, answer, content, get, parameter, post
from shopward.http.reads import LIMIT_MAX
from shopward.http.training import DueList, TrainingAsked, Trainings, TrainingView

TRAINING_SHAPES: Final = (
    TrainingAsked, TrainingView, Trainings, DueList, ExerciseAsked, ExerciseView, Exercises, ExerciseReported, ExerciseHeard,
)  # fmt: skip
_EXAMPLE: Final = {
    "person": "ani", "course": "privacy", "done_on": "2026-01-05", "valid_until": "2026-12-31", "evidence": "hr-2026-17",
}  # fmt: skip
_EXERCISE: Final = {
    "lure": "parcel", "people": [{"person": "ani", "email": "ani@staff.shop.example", "language": "id"}],
}  # fmt: skip


def training_paths() -> dict[str, Any]:
    """All of them."""
    words = {"type": "string", "maxLength": 64}
    limit = parameter("limit", "query", {"type": "integer", "minimum": 1, "maximum": LIMIT_MAX})
    asked = [parameter("person", "query", words), parameter("before", "query", words), limit]
    return {
        "/v1/training/records": {
            "get": get("trainings", "Trainings", "Newest first.", "Trainings", asked, "403", "422"),
            "post": post(
                "record_training", "Record a training", "Of somebody else; the newest line of a person and course counts.",
                {"application/json": content("TrainingAsked", _EXAMPLE)},
                {"201": answer("The line", "application/json", "TrainingView", None)},
            ),
        },
        "/v1/training/exercises": {
            "get": get(
                "exercises", "Exercises", "Newest first, in numbers.", "Exercises",
                [parameter("before", "query", words), limit], "403", "422",
            ),
            "post": post(
                "send_exercise", "Send an exercise", "Mails that look like phishing, to staff alone; handed in before the answer, some a call.",
                {"application/json": content("ExerciseAsked", _EXERCISE)},
                {"201": answer("What came of it", "application/json", "ExerciseView", None)},
            ),
        },
        "/v1/training/exercises/{id}": {"get": get(
            "exercise", "An exercise", "By person for admins.", "ExerciseView", [ID], "403", "404",
        )},
        "/v1/training/exercises/reports": {"post": post(
            "report_exercise", "Report a mail", "The link of a mail of an exercise, or its text.",
            {"application/json": content("ExerciseReported", {"link": "https://shopward.shop.example/exercises/..."})},
            {"201": answer("The exercise", "application/json", "ExerciseHeard", None)}, "404",
        )},
        "/v1/training/due": {"get": get(
            "trainings_due", "Who has to be trained", "Never, lapsed, or soon; by person and course.", "DueList", [], "403",
        )},
    }  # fmt: skip
