"""The journal: what was seen, decided and acted on, durably."""
