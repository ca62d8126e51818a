"""From a font and captions to a glyph set."""
