"""From a round's growing folder to what the browser is told: pure but for reading files, with no clock of its own."""
