"""Tags for templates of the shop."""
