"""The command line: `glyflib` or `python -m glyflib`.

Invariant: a user's mistake ends in one line on stderr and exit code 1 (2 for wrong
usage), never in a traceback.
"""

import sys
from importlib import import_module

import click

# A command's module is loaded when it is asked for: --help answers at once.
COMMANDS = {
    "data": "Make the data that the book reads.",
    "evaluate": "Judge a glyffuser, with intervals.",
    "generate": "Draw new glyphs for English words.",
    "print": "Print the book, or chapters of it, as one PDF.",
    "slides": "Make slides of chapters.",
    "train": "Train a glyffuser on the book's glyphs, or on your own.",
    "web": "Write a page in which a glyffuser draws, with no network.",
}


def is_out_of_memory(error: Exception) -> bool:
    """Whether Python, or torch on a CPU or GPU, could not get the memory it wanted."""
    told = ("can't allocate memory", "not enough memory", "out of memory")
    return isinstance(error, MemoryError) or any(text in str(error) for text in told)


class LazyGroup(click.Group):
    """Commands from `glyflib.commands`; their ValueError and OSError become a line."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Names of the commands."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:
        """The command of that name, or None."""
        if name not in COMMANDS:
            return None
        return import_module(f"glyflib.commands.{name}").command

    def format_commands(
        self, ctx: click.Context, formatter: click.HelpFormatter
    ) -> None:
        """List the commands without loading them."""
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))

    def invoke(self, ctx: click.Context):
        """Run the command."""
        for stream in (sys.stdout, sys.stderr):
            if hasattr(stream, "reconfigure"):  # a log may know few characters
                stream.reconfigure(errors="backslashreplace")
        try:
            return super().invoke(ctx)
        except (ValueError, OSError, FloatingPointError) as error:
            raise click.ClickException(str(error)) from error
        except (MemoryError, RuntimeError) as error:
            if not is_out_of_memory(error):
                raise
            text = "not enough memory: ask for fewer or smaller pictures at once"
            raise click.ClickException(text) from error


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
def main() -> None:
    """Models and data of the diffusion book."""


if __name__ == "__main__":
    main(prog_name="glyflib")
