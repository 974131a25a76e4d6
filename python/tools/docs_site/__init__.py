"""Makes the site of the documentation from the files of the repository (make docs)."""
