"""The workshop: a room of people who predict, break one thing in two shops at once, and see."""
