"""What can be told from text alone."""
