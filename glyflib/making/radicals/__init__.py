"""How the radical classifier of data/radicals was made."""
