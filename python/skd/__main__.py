"""``python -m skd`` is the command line ``skd``."""

from skd.cli import main

if __name__ == "__main__":
    main()
