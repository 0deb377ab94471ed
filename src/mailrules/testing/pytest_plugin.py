"""The pytest plugin of mailrules: collects rule cases."""
