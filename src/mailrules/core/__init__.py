"""Pure: parse, facts, match, index, decide, schedule. No I/O, no clock, no logging."""
