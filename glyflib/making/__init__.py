"""How what lies in `data/` was made; never imported by a chapter's own code path."""
