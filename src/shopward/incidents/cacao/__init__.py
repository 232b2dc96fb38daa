"""CACAO 2.0 (OASIS, Committee Specification 01, 2023): our playbooks as others read them, and others' as we can follow them.

Promise:
- ``written`` gives a playbook as a document that validates against OASIS's JSON schemas; the same playbook gives the same bytes;
- ``read`` takes such a document or refuses it with the place in it; ``read(written(p)) == p``;
- what is not exactly as we would write it becomes a task for people: no command of a document that came from elsewhere is ever
  taken for a deed of ours, and none is ever carried out.

Not here: step types ``while-condition``, ``switch-condition`` and ``playbook-action`` (``playbook_unsupported``), and checking digital
signatures: they are read over, and a playbook is no more trusted for having one. docs/playbooks.md says why the
check is our own.
"""

from shopward.incidents.cacao.reading import read
from shopward.incidents.cacao.writing import cacao_id, written

__all__ = ["cacao_id", "read", "written"]
