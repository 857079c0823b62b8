"""What energy amounts to where it was drawn, in words and tables."""
