"""What a security standard asks of sessions, executed on every architecture, calm and while something is broken."""
