"""Scripts: the input files, one reader a format."""
