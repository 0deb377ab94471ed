"""`mailrules schema`: the JSON Schemas of the files an admin writes, for editors."""
