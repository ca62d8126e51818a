"""Self-contained HTML figures that answer to hand and keyboard, one module each."""
