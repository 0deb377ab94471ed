"""The rule 'triage by script': what a condition cannot say, Python can."""

URGENT = ("urgent", "is down", "outage")


def decide(mail_message):
    """2 (keep and activate) for urgent mail; None: not mine, ask the next rule."""
    subject = mail_message.subject.lower()
    return 2 if any(word in subject for word in URGENT) else None
