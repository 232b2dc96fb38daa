"""Training: which person of staff learnt what, until when that holds, and for what it is demanded.

Promise:
- a record is a line that is never changed; of a person and a course the newest line counts, so that recording once more is how one
  is put right;
- a day counts until its end (UTC);
- what a purpose demands is said by the shop; a person without a record that holds has not met it. Fails closed.

Not here: the courses themselves, and whether they were any good.
"""

from shopward.training.record import Due, Training, courses_of, due, holds

__all__ = ["Due", "Training", "courses_of", "due", "holds"]
