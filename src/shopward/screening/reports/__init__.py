"""Reports: what customers and staff found suspicious, gathered into cases that people settle."""

from shopward.screening.reports.clusters import cluster_of, evidence_of
from shopward.screening.reports.rows import CASE_STATES, CaseRow, ReportRow

__all__ = ["CASE_STATES", "CaseRow", "ReportRow", "cluster_of", "evidence_of"]
