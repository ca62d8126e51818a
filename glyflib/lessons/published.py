"""The U-nets of the published glyffuser, as settings of its code.

References:
    yuehere2025visual in the bibliography.
"""

PLAIN_WIDTHS = (128, 128, 256, 256, 512, 512)
WORDED_WIDTHS = (128, 256, 512, 512)


def block_types(place: int, kind: str, count: int, end: str) -> tuple[str, ...]:
    """So many names of blocks, the one at `place` of a kind that attends."""
    return tuple(f"{kind if i == place else ''}{end}" for i in range(count))


def settings(
    widths: tuple[int, ...], kind: str, down: int, up: int, side: int = 128
) -> dict:
    """Arguments of diffusers for square grey pictures; places of what attends."""
    return {
        "sample_size": side,
        "in_channels": 1,
        "out_channels": 1,
        "block_out_channels": widths,
        "down_block_types": block_types(down, kind, len(widths), "DownBlock2D"),
        "up_block_types": block_types(up, kind, len(widths), "UpBlock2D"),
    }


def worded_unet(dim: int, *, side: int = 128) -> dict:
    """Arguments of diffusers' UNet2DConditionModel for the network that reads text.

    Args:
        dim: width of the text.
        side: of the pictures in pixels. The published ones have 128; the network's
            maps shrink with them, its weights do not.
    """
    options = settings(WORDED_WIDTHS, "CrossAttn", 2, 1, side)
    options |= {"cross_attention_dim": dim, "encoder_hid_dim": dim}
    return options | {"addition_embed_type": "text"}


def published_unets() -> dict[str, tuple[str, dict]]:
    """Class of diffusers and its arguments, by name.

    Without words, one or two blocks a level; with words of either width.
    """
    found = {}
    for num in (1, 2):
        options = settings(PLAIN_WIDTHS, "Attn", 4, 1) | {"layers_per_block": num}
        found[f"no words, {num} a block"] = "UNet2DModel", options
    for dim in (512, 1024):
        found[f"words of width {dim}"] = "UNet2DConditionModel", worded_unet(dim)
    return found
