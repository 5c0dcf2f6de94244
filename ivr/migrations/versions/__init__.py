"""One module for each step; its tables are written out, since they are those of its day."""
