"""What the HTML pages have in common: their frame, their colours and type, and their policy."""
