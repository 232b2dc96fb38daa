"""The audit log: one line for each deed, hash-linked, with signed checkpoints.

Promise: ``AuditTrail.append`` writes a deed's line in the transaction of the deed, so that neither stands without the
other; ``verify`` finds any changed byte, and any entry that is missing, added, moved or doubled; held against a
checkpoint that was kept elsewhere it also finds a cut-off tail and a log that was rewritten as a whole.

Not here: who may do a deed (``protection``), personal data (a line holds tokens and words only), and the prevention
of any of it: the log shows that it was touched, it cannot stop it. docs/audit.md says what each attacker can still do.
"""

from shopward.audit.checkpoints import Checkpoint, CheckpointFile, export_checkpoint, import_checkpoint
from shopward.audit.deeds import Deed
from shopward.audit.keys import (
    AUDIT_KEY,
    FolderSigner,
    SigningKey,
    open_signing_key,
    public_keys,
    read_signing_key,
)
from shopward.audit.pack_check import PackFault, PackReport, check_pack
from shopward.audit.packs import Excerpt, sealed_pack
from shopward.audit.records import JSON, AuditEntry, Line
from shopward.audit.succession import statement
from shopward.audit.trail import AuditTrail
from shopward.audit.verifier import Fault, Report, verify

__all__ = [
    "AUDIT_KEY",
    "JSON",
    "AuditEntry",
    "AuditTrail",
    "Checkpoint",
    "CheckpointFile",
    "Deed",
    "Excerpt",
    "Fault",
    "FolderSigner",
    "Line",
    "PackFault",
    "PackReport",
    "Report",
    "SigningKey",
    "check_pack",
    "export_checkpoint",
    "import_checkpoint",
    "open_signing_key",
    "public_keys",
    "read_signing_key",
    "sealed_pack",
    "statement",
    "verify",
]
