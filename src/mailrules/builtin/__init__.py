"""First-party plugins, loaded by name like a stranger's, importing `mailrules.api` only."""
