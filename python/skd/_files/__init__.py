"""Safe readers of untrusted files, and atomic writes."""
