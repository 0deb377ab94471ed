"""Folders as they are written: by role, and those that must be there."""
