"""Reports: what customers and staff found suspicious, gathered into cases that people settle."""

from shopward.screening.reports.clusters import cluster_of, evidence_of
from shopward.screening.reports.rows import (
    CASE_STATES,
    OF_A_CUSTOMER,
    REASONS,
    CaseRow,
    NoteRow,
    Reason,
    ReportRow,
)

__all__ = [
    "CASE_STATES",
    "OF_A_CUSTOMER",
    "REASONS",
    "CaseRow",
    "NoteRow",
    "Reason",
    "ReportRow",
    "cluster_of",
    "evidence_of",
]
