"""The learned part: what fraud links were built like, from data that the user supplied."""
