"""What a shopper may expect, what became of each session, and why it ended."""
