"""Receiving by POP3 (RFC 1939)."""
