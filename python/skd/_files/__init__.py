"""Files that are read with distrust and written as a whole."""
