"""What happens while a run goes on: measuring an architecture, striking faults, writing events, showing progress."""
