"""The actions that come with mailrules."""
