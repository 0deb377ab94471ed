"""YAML to typed settings and diagnostics: loading never raises for a mistake of the user."""
