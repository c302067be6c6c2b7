"""A run: a script into a folder, and what a second run still has to do."""
