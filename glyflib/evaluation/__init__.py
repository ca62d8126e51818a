"""Judge what was drawn: is it what was asked for, like real glyphs, and new?"""
