"""How the reader of parts of data/parts was made."""
