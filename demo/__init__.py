"""`make demo`: real training on a running stack, told live in a terminal."""
