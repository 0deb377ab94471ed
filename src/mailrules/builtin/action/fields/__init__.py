"""Fields out of a text, by the form it has: what `extract` reads."""
