"""Files of deploy/: checked with the programs that read them, and compared with the code."""
