"""Links: read as a browser would, and told apart by whose they are."""
