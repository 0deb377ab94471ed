"""Sending by SMTP (RFC 5321)."""
