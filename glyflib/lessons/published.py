"""The U-nets of the published glyffuser, as settings of its code.

References:
    yuehere2025visual in the bibliography.
"""

PLAIN_WIDTHS = (128, 128, 256, 256, 512, 512)
WORDED_WIDTHS = (128, 256, 512, 512)


def block_types(place: int, kind: str, count: int, end: str) -> tuple[str, ...]:
    """So many names of blocks, the one at `place` of a kind that attends."""
    return tuple(f"{kind if i == place else ''}{end}" for i in range(count))


def settings(widths: tuple[int, ...], kind: str, down: int, up: int) -> dict:
    """Arguments of diffusers for grey pictures of 128x128; places of what attends."""
    return {
        "sample_size": 128,
        "in_channels": 1,
        "out_channels": 1,
        "block_out_channels": widths,
        "down_block_types": block_types(down, kind, len(widths), "DownBlock2D"),
        "up_block_types": block_types(up, kind, len(widths), "UpBlock2D"),
    }


def published_unets() -> dict[str, tuple[str, dict]]:
    """Class of diffusers and its arguments, by name.

    Without words, one or two blocks a level; with words of either width.
    """
    found = {}
    for num in (1, 2):
        options = settings(PLAIN_WIDTHS, "Attn", 4, 1) | {"layers_per_block": num}
        found[f"no words, {num} a block"] = "UNet2DModel", options
    for dim in (512, 1024):
        options = settings(WORDED_WIDTHS, "CrossAttn", 2, 1)
        options |= {"cross_attention_dim": dim, "encoder_hid_dim": dim}
        options |= {"addition_embed_type": "text"}
        found[f"words of width {dim}"] = "UNet2DConditionModel", options
    return found
