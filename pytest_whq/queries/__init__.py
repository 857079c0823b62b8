"""What was asked of a model, what it answered, and how that is counted."""
