"""Mail in files: maildir, mbox, folders of .eml, and the outbox."""
