"""The ground floor: the shop that both twins are, and the words that every floor needs."""
