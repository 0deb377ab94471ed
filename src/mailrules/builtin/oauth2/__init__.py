"""`auth: {oauth2: ...}`: an access token from an OpenID provider, renewed before it expires (RFC 6749)."""
