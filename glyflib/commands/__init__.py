"""The commands of `glyflib`, a module each; `glyflib.__main__` gathers them."""
