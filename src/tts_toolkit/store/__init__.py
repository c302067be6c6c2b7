"""What is kept on this machine outside of any output folder."""
