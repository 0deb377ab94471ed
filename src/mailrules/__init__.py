"""mailrules: load rules, parse a message, decide."""
