"""The Common Expression Language as rule conditions: checked before it runs, bounded, and compiled to Python.

The promise: an expression over declared names is refused with line, column and hint, or becomes a Python expression
that means what CEL says. There are no loops but the macros over bounded lists, no input or output, and no way
from an expression to Python. ``docs/cel.md`` describes the subset.

    >>> from shopward.risk import cel
    >>> env = cel.Environment({"type": cel.STRING, "f": cel.record("f", {"ip_users_10m": cel.INT})})
    >>> checked = env.check('type == "login" && f.ip_users_10m >= 5', expect=cel.BOOL)
    >>> checked.program()({"type": "login", "f": {"ip_users_10m": 7}})
    True
"""

from shopward.risk.cel.dispatch import NAMESPACE as RUNTIME_NAMESPACE
from shopward.risk.cel.environment import DEFAULT_MAX_COST, Checked, Environment
from shopward.risk.cel.issues import CelInvalid, EvalError, Issue
from shopward.risk.cel.lexer import MAX_SOURCE_LENGTH
from shopward.risk.cel.parser import MAX_DEPTH, MAX_NODES
from shopward.risk.cel.terms import Comparison
from shopward.risk.cel.types import (
    BOOL,
    BYTES,
    DOUBLE,
    DURATION,
    DYN,
    INT,
    NULL,
    STRING,
    TIMESTAMP,
    TYPE,
    UINT,
    Type,
    enum,
    list_of,
    map_of,
    record,
)
from shopward.risk.cel.values import Duration, Timestamp, TypeValue, UInt

__all__ = [
    "BOOL",
    "BYTES",
    "DEFAULT_MAX_COST",
    "DOUBLE",
    "DURATION",
    "DYN",
    "INT",
    "MAX_DEPTH",
    "MAX_NODES",
    "MAX_SOURCE_LENGTH",
    "NULL",
    "RUNTIME_NAMESPACE",
    "STRING",
    "TIMESTAMP",
    "TYPE",
    "UINT",
    "CelInvalid",
    "Checked",
    "Comparison",
    "Duration",
    "Environment",
    "EvalError",
    "Issue",
    "Timestamp",
    "Type",
    "TypeValue",
    "UInt",
    "enum",
    "list_of",
    "map_of",
    "record",
]
