"""Run the command line with `python -m job`."""

from job.cli import main

if __name__ == "__main__":
    main()
