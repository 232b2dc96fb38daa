"""Metrics: a few numbers in Prometheus' text format, written by hand.

Promise: labels come from closed vocabularies (decisions, event types, problem codes); nothing of a caller's ever
becomes a label or a value. Counters start at 0 with the process. Not thread-safe: the event loop alone counts.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from shopward.flows.shadow import ShadowCounts
    from shopward.flows.workload import Workload

LATENCY_BOUNDS_S: Final = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5)
CONTENT_TYPE: Final = "text/plain; version=0.0.4; charset=utf-8"


class Metrics:
    """Counts of one process."""

    def __init__(self) -> None:
        self.decisions: Counter[tuple[str, str]] = Counter()
        self.problems: Counter[str] = Counter()
        self.resolutions: Counter[str] = Counter()
        self.groups = 0
        self.grouped = 0
        self.snapshots: Counter[str] = Counter()
        self.snapshot_pause_s = 0.0
        self._latency = [0] * (len(LATENCY_BOUNDS_S) + 1)
        self._latency_sum = 0.0

    def latency(self, seconds: float) -> None:
        """How long a single decision took, from the head of the request to the answer."""
        self._latency[bisect_left(LATENCY_BOUNDS_S, seconds)] += 1
        self._latency_sum += seconds

    def text(self, gauges: dict[str, tuple[str, float]]) -> str:
        """All of it, with ``gauges`` as ``name -> (help, value)``."""
        lines = [
            "# HELP shopward_decisions_total Decisions recorded.",
            "# TYPE shopward_decisions_total counter",
        ]
        for (type_, kind), count in sorted(self.decisions.items()):
            lines.append(f'shopward_decisions_total{{type="{type_}",decision="{kind}"}} {count}')
        lines += counter("shopward_problems_total", "Problems answered.", "code", self.problems)
        lines += counter(
            "shopward_alias_resolutions_total", "Aliases that were asked for.", "outcome", self.resolutions
        )
        lines += counter("shopward_snapshots_total", "Snapshots by outcome.", "outcome", self.snapshots)
        lines += ["# HELP shopward_groups_total Groups committed.", "# TYPE shopward_groups_total counter"]
        lines += [f"shopward_groups_total {self.groups}"]
        lines += [
            "# HELP shopward_grouped_events_total Lines in those groups.",
            "# TYPE shopward_grouped_events_total counter",
        ]
        lines += [f"shopward_grouped_events_total {self.grouped}"]
        lines += self._histogram()
        for name, (text, value) in gauges.items():
            lines += [f"# HELP {name} {text}", f"# TYPE {name} gauge", f"{name} {value:g}"]
        return "\n".join(lines) + "\n"

    def _histogram(self) -> list[str]:
        name, below = "shopward_decision_seconds", 0
        lines = [f"# HELP {name} Time of a single decision over HTTP.", f"# TYPE {name} histogram"]
        for bound, count in zip((*LATENCY_BOUNDS_S, "+Inf"), self._latency, strict=True):
            below += count
            lines.append(f'{name}_bucket{{le="{bound}"}} {below}')
        return [*lines, f"{name}_sum {self._latency_sum:.6f}", f"{name}_count {below}"]


def shadow_text(counts: Sequence[ShadowCounts]) -> str:
    """What shadow rules did; nothing where there are none. The rules' names are the policy's."""
    if not counts:
        return ""
    lines = []
    for name, text, rows in (
        ("fired", "Events that a shadow rule fired on, by what was enforced.", [
            (each, f'enforced="{kind}"', count) for each in counts for kind, count in each.enforced.items()
        ]),
        ("would_strengthen", "Events on which its own decision is stronger than the one enforced.", [
            (each, "", each.would_strengthen) for each in counts
        ]),
        ("labels", "Events of it that were labelled later.", [
            (each, f'label="{label}"', getattr(each, label)) for each in counts for label in ("fraud", "genuine")
        ]),
    ):  # fmt: skip
        lines += [
            f"# HELP shopward_shadow_{name}_total {text}",
            f"# TYPE shopward_shadow_{name}_total counter",
        ]
        for each, more, count in rows:
            labels = ",".join([f'policy="{each.policy}"', f'rule="{each.rule}"', *([more] if more else [])])
            lines.append(f"shopward_shadow_{name}_total{{{labels}}} {count}")
    return "\n".join(lines) + "\n"


def trial_text(counts: Mapping[tuple[str, str, str], int]) -> str:
    """What learned parts of screening on trial would have said; nothing where there are none."""
    if not counts:
        return ""
    name = "shopward_screening_trial_total"
    lines = [
        f"# HELP {name} Links and messages by what was said of them and what the bundle on trial says.",
        f"# TYPE {name} counter",
        *(
            f'{name}{{what="{what}",in_force="{in_force}",on_trial="{on_trial}"}} {count}'
            for (what, in_force, on_trial), count in sorted(counts.items())
        ),
    ]
    return "\n".join(lines) + "\n"


def workload_text(workload: Workload) -> str:
    """What waits for people and what of it is late."""
    name = "shopward_incidents_open"
    lines = [
        f"# HELP {name} Incidents that are open or contained.",
        f"# TYPE {name} gauge",
        *(f'{name}{{severity="{severity}"}} {count}' for severity, count in workload.incidents.items()),
    ]
    for name, text, value in (
        ("incidents_proposed", "Incidents that the server proposed and nobody looked at.", workload.proposed),
        *(
            (f"{kind}_{word}", help_, getattr(standing, word))
            for kind, standing, open_, late in (
                ("duties", workload.duties, "Notices of incidents that are owed.", "their deadline"),
                ("followups", workload.followups, "Later phases of notices that are owed.", "their deadline"),
                ("claims", workload.claims, "Claims that somebody has to decide.", "their deadline"),
                ("complaints", workload.complaints, "Complaints that a person has to answer.", "their date"),
                ("cases", workload.cases, "Cases of reports that nobody settled.", "their time"),
            )
            for word, help_ in (("open", open_), ("overdue", f"Of these, how many are past {late}."))
        ),
    ):
        lines += [
            f"# HELP shopward_{name} {text}",
            f"# TYPE shopward_{name} gauge",
            f"shopward_{name} {value}",
        ]
    return "\n".join(lines) + "\n"


def counter(name: str, text: str, label: str, counts: Counter[str]) -> list[str]:
    """The lines of a counter with one label."""
    return [
        f"# HELP {name} {text}",
        f"# TYPE {name} counter",
        *(f'{name}{{{label}="{value}"}} {count}' for value, count in sorted(counts.items())),
    ]
