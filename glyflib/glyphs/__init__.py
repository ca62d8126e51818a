"""From a font and captions to a glyph set; from drawn glyphs to outlines and a font."""
