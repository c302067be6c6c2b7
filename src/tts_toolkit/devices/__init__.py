"""What this machine can run a model on, and what of it is taken."""
