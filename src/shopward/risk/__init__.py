"""Risk: features, policy and verdict; from facts to a decision, as a pure function of the ordered log.

Promise: nothing here does I/O or reads a clock. ``features`` remember, ``policy`` says what matters, ``verdict``
decides, ``challenges`` remembers which reasons a customer has already answered.
"""
