"""Every still figure of the book, one module a chapter; alone imports matplotlib."""
