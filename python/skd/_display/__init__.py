"""What is shown to the user: the progress of long calls, and tables."""
