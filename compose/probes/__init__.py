"""What is seen of a part from outside of whatever was done to it."""
