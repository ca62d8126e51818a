"""Where glyphs stand on a sheet: row by row in square cells, with room for words.

Invariant: all lengths are in pixels, x right and y down from the sheet's top left
corner. A picture of pixels and a drawing in curves that share a grid look alike.
"""

from typing import NamedTuple

GAP = 4  # around each glyph
STRIP, FONT_SIZE = 22, 14  # of a line of words


class Grid(NamedTuple):
    """Cells of one size, filled row by row.

    Attributes:
        count: glyphs.
        num_columns: glyphs in a row.
        side: of a glyph.
        has_labels: whether a line of words stands above each row.
        has_names: whether one stands below each glyph.
    """

    count: int
    num_columns: int
    side: int
    has_labels: bool = False
    has_names: bool = False

    @property
    def num_rows(self) -> int:
        """Rows, of which the last may not be full."""
        return -(-self.count // self.num_columns)

    @property
    def row_height(self) -> int:
        """From the top of a row to the top of the next one."""
        return self.side + GAP + STRIP * (self.has_labels + self.has_names)

    @property
    def width(self) -> int:
        """Of the sheet."""
        return self.num_columns * (self.side + GAP) + GAP

    @property
    def height(self) -> int:
        """Of the sheet."""
        return self.num_rows * self.row_height + GAP

    def label_corner(self, row: int) -> tuple[int, int]:
        """Top left corner (x, y) of the words above a row."""
        return GAP, GAP + row * self.row_height

    def corner(self, i: int) -> tuple[int, int]:
        """Top left corner (x, y) of a glyph."""
        row, column = divmod(i, self.num_columns)
        x, y = self.label_corner(row)
        return x + column * (self.side + GAP), y + STRIP * self.has_labels

    def name_corner(self, i: int) -> tuple[int, int]:
        """Top left corner (x, y) of the words below a glyph."""
        x, y = self.corner(i)
        return x, y + self.side
