"""Connections: octets within limits, TLS, deadlines and log-in by token, for every protocol."""
