"""The network: a U-net that reads a noisy picture, its noise level and, perhaps, text.

Invariant: a row of the output depends on that row of xt, t and the real tokens only;
neither other rows nor padding tokens ever change it.
"""

import math
from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

HEAD_DIM = 64  # channels of an attention head, where there are that many


def timestep_embedding(t: Tensor, dim: int, *, max_period: float = 10_000.0) -> Tensor:
    """Write levels as sines, then cosines, of dim / 2 wavelengths.

    Levels lie in [0, T]. Scaled to [0, 1] they would all look alike, for the shortest
    wavelength is 2 pi; the longest stays below 2 pi times max_period.

    Args:
        t: (B,) noise levels in [0, T].
        dim: width, even.
        max_period: sets the longest wavelength.

    Returns:
        (B, dim) float32.

    Raises:
        ValueError: If dim is odd or below 2.

    References:
        Vaswani et al. 2017, section 3.5, who interleave sines and cosines.
    """
    if dim < 2 or dim % 2:
        raise ValueError(f"dim {dim} must be even and at least 2")
    i = torch.arange(dim // 2, dtype=torch.float32, device=t.device)
    angle = t.float()[:, None] * max_period ** (-2 * i / dim)
    return torch.cat([angle.sin(), angle.cos()], dim=1)


def attend(q: Tensor, k: Tensor, v: Tensor, mask: Tensor | None = None) -> Tensor:
    """Mean of the values v, weighted by a softmax over the real keys k.

    Args:
        q: (B, heads, N, D) queries.
        k: (B, heads, L, D) keys.
        v: (B, heads, L, D) values.
        mask: (B, L) bool, True for real keys; None if all are.

    Returns:
        (B, heads, N, D); zero in a row without any real key.

    References:
        Vaswani et al. 2017, Eq. 1, where no key is padding.
    """
    if mask is None:
        return F.scaled_dot_product_attention(q, k, v)
    mask = mask[:, None, None, :]
    is_empty = ~mask.any(dim=-1, keepdim=True)
    mean = F.scaled_dot_product_attention(q, k, v, attn_mask=mask | is_empty)
    return mean.masked_fill(is_empty, 0)


def masked_mean(tokens: Tensor, mask: Tensor) -> Tensor:
    """Mean of the real tokens, (B, L, D), (B, L) -> (B, D); zero if there is none.

    Args:
        tokens: (B, L, D).
        mask: (B, L) bool, True for real tokens.
    """
    weight = mask.to(tokens).unsqueeze(-1)
    return (weight * tokens).sum(dim=1) / weight.sum(dim=1).clamp(min=1)


def group_norm(channels: int) -> nn.GroupNorm:
    """Norm over at most 32 groups of at least 4 channels (Wu and He 2018)."""
    return nn.GroupNorm(math.gcd(32, channels // 4), channels)


def conv(in_channels: int, out_channels: int, stride: int = 1) -> nn.Conv2d:
    """Convolution of 3x3 that keeps height and width, or halves them at stride 2."""
    return nn.Conv2d(in_channels, out_channels, 3, stride, padding=1)


def mlp(in_dim: int, out_dim: int) -> nn.Sequential:
    """Two linear layers, (B, in_dim) -> (B, out_dim)."""
    layers = nn.Linear(in_dim, out_dim), nn.SiLU(), nn.Linear(out_dim, out_dim)
    return nn.Sequential(*layers)


def zeroed(layer: nn.Module) -> nn.Module:
    """Set a layer to zero: a residual branch that ends in it starts as nothing.

    Returns:
        The same layer, changed in place.
    """
    for parameter in layer.parameters():
        nn.init.zeros_(parameter)
    return layer


class ResBlock(nn.Module):
    """Two convolutions beside a shortcut; emb scales and shifts between the two.

    Args:
        in_channels: C, a multiple of 4.
        out_channels: C2, a multiple of 4.
        emb_dim: E, width of the level's embedding.
        dropout: share of values between the convolutions set to zero in training.

    References:
        Ho et al. 2020, appendix B; Dhariwal and Nichol 2021, "Adaptive Group
        Normalization".
    """

    def __init__(
        self, in_channels: int, out_channels: int, emb_dim: int, dropout: float = 0.0
    ):
        super().__init__()
        self.norm1, self.norm2 = group_norm(in_channels), group_norm(out_channels)
        self.conv1 = conv(in_channels, out_channels)
        self.conv2 = zeroed(conv(out_channels, out_channels))
        self.to_scale_shift = nn.Linear(emb_dim, 2 * out_channels)
        self.dropout = nn.Dropout(dropout)
        self.shortcut = nn.Identity()
        if in_channels != out_channels:
            self.shortcut = nn.Conv2d(in_channels, out_channels, 1)

    def forward(self, x: Tensor, emb: Tensor) -> Tensor:
        """(B, C, H, W), (B, E) -> (B, C2, H, W)."""
        h = self.conv1(F.silu(self.norm1(x)))
        scale, shift = self.to_scale_shift(emb)[:, :, None, None].chunk(2, dim=1)
        h = self.norm2(h) * (1 + scale) + shift
        return self.shortcut(x) + self.conv2(self.dropout(F.silu(h)))


class Attention(nn.Module):
    """Each position of a picture looks at the others or, with text_dim, at tokens.

    Args:
        channels: C, a multiple of 4, in heads of about `HEAD_DIM`.
        text_dim: D, width of the tokens; None for self-attention.

    References:
        Vaswani et al. 2017, section 3.2.2; on pictures: Ho et al. 2020, appendix B.
    """

    def __init__(self, channels: int, text_dim: int | None = None):
        super().__init__()
        self.num_heads = max(1, channels // HEAD_DIM)
        self.norm = group_norm(channels)
        self.to_q = nn.Linear(channels, channels, bias=False)
        self.to_k = nn.Linear(text_dim or channels, channels, bias=False)
        self.to_v = nn.Linear(text_dim or channels, channels, bias=False)
        self.out = zeroed(nn.Linear(channels, channels))

    def split(self, x: Tensor) -> Tensor:
        """(B, N, C) -> (B, heads, N, C / heads)."""
        return x.unflatten(2, (self.num_heads, -1)).transpose(1, 2)

    def forward(self, x: Tensor, tokens: Tensor | None, mask: Tensor | None) -> Tensor:
        """(B, C, H, W), (B, L, D), (B, L) -> (B, C, H, W).

        Tokens and mask are None for self-attention, the mask alone if all are real.
        """
        h = self.norm(x).flatten(2).transpose(1, 2)
        keys = h if tokens is None else tokens
        q, k, v = self.to_q(h), self.to_k(keys), self.to_v(keys)
        h = attend(self.split(q), self.split(k), self.split(v), mask)
        h = self.out(h.transpose(1, 2).flatten(2))
        return x + h.transpose(1, 2).unflatten(2, x.shape[2:])


class Block(nn.Module):
    """A residual block, then, where it attends, self- and cross-attention.

    Args:
        widths: C and C2, channels in and out.
        emb_dim: E, width of the level's embedding.
        attends: whether its places look at each other, and at the text.
        text_dim: D, width of the tokens; None for no cross-attention.
        dropout: of the residual block.
    """

    def __init__(
        self,
        widths: tuple[int, int],
        emb_dim: int,
        attends: bool,
        text_dim: int | None,
        dropout: float = 0.0,
    ):
        super().__init__()
        self.res = ResBlock(*widths, emb_dim, dropout)
        out, has_text = widths[1], attends and text_dim
        self.self_attention = Attention(out) if attends else None
        self.cross_attention = Attention(out, text_dim) if has_text else None

    def forward(
        self, x: Tensor, emb: Tensor, tokens: Tensor | None, mask: Tensor | None
    ) -> Tensor:
        """(B, C, H, W), (B, E), (B, L, D), (B, L) -> (B, C2, H, W).

        Tokens and mask are None without text.
        """
        x = self.res(x, emb)
        if self.self_attention is not None:
            x = self.self_attention(x, None, None)
        if self.cross_attention is not None:
            x = self.cross_attention(x, tokens, mask)
        return x


class UNet(nn.Module):
    """Noisy picture, level and text in; a picture of the same size out.

    What comes out means eps, v or x0: the caller trains for one. It starts at zero.
    `config` holds these arguments, ready for JSON.

    Args:
        in_channels: C, channels of what goes in.
        out_channels: channels of what comes out; None for as many. Fewer when
            pictures that are not noisy lie beside the noisy one in xt.
        patch: side of the squares folded into channels first: 1, 2 or 4.
        channels: width of each level, multiples of 4; each level halves the side.
        num_blocks: blocks a level on the way down; on the way up, one more.
        attention_levels: which levels attend, as indices into channels.
        text_dim: width of the text's tokens; None for a network without text.
        cross_attention: with text, whether the attention levels read its tokens.
        pool_text: with text, whether its mean token is added to the level's embedding.
        dropout: share of values in each block set to zero in training, in [0, 1);
            none when drawing.

    Raises:
        ValueError: If an argument is out of range, or the text would not be used.

    References:
        Ronneberger et al. 2015 (the U); Ho et al. 2020, appendix B; Saharia et al.
        2022, "Neural network architecture" (both ways of conditioning on text).
    """

    def __init__(
        self,
        *,
        in_channels: int = 1,
        out_channels: int | None = None,
        patch: int = 2,
        channels: Sequence[int] = (64, 128, 192),
        num_blocks: int = 1,
        attention_levels: Sequence[int] = (1, 2),
        text_dim: int | None = None,
        cross_attention: bool = True,
        pool_text: bool = True,
        dropout: float = 0.0,
    ):
        super().__init__()
        self.config = {
            "in_channels": in_channels,
            "out_channels": out_channels or in_channels,
            "patch": patch,
            "channels": list(channels),
            "num_blocks": num_blocks,
            "attention_levels": list(attention_levels),
            "text_dim": text_dim,
            "cross_attention": cross_attention,
            "pool_text": pool_text,
            "dropout": dropout,
        }
        check_config(self.config)
        emb_dim = 4 * channels[0]
        self.level_mlp = mlp(channels[0], emb_dim)
        self.text_norm = nn.LayerNorm(text_dim) if text_dim else None
        self.text_mlp = mlp(text_dim, emb_dim) if text_dim and pool_text else None
        self.stem = conv(in_channels * patch**2, channels[0])
        self.down, self.middle, self.up = (nn.ModuleList() for _ in range(3))
        self.build(emb_dim, text_dim if cross_attention else None)
        self.norm = group_norm(channels[0])
        self.head = zeroed(conv(channels[0], self.config["out_channels"] * patch**2))

    def build(self, emb_dim: int, text_dim: int | None) -> None:
        """Fill the way down, the middle and the way up, which is handed all kept x.

        Called once, by the constructor.

        Args:
            emb_dim: E, width of the level's embedding.
            text_dim: D, width of the tokens; None for no cross-attention.
        """
        channels, num_blocks = self.config["channels"], self.config["num_blocks"]

        def block(width: int, level: int) -> Block:
            attends = level in self.config["attention_levels"]
            widths, dropout = (width, channels[level]), self.config["dropout"]
            return Block(widths, emb_dim, attends, text_dim, dropout)

        kept = [channels[0]]
        for level, width in enumerate(channels):
            for _ in range(num_blocks):
                self.down.append(block(kept[-1], level))
                kept.append(width)
            if level < len(channels) - 1:
                self.down.append(conv(width, width, stride=2))
                kept.append(width)
        self.middle.extend(block(width, level) for _ in range(2))
        for level in reversed(range(len(channels))):
            for _ in range(num_blocks + 1):
                self.up.append(block(width + kept.pop(), level))
                width = channels[level]
            if level > 0:
                smooth = conv(width, width)
                self.up.append(nn.Sequential(nn.Upsample(scale_factor=2), smooth))

    def set_dropout(self, dropout: float) -> None:
        """Train on with another dropout; the weights stay.

        Args:
            dropout: share of values in each block set to zero in training, in [0, 1).

        Raises:
            ValueError: If it is out of range.
        """
        check_dropout(dropout)
        self.config["dropout"] = dropout
        for layer in self.modules():
            if isinstance(layer, nn.Dropout):
                layer.p = dropout

    def forward(
        self,
        xt: Tensor,
        t: Tensor,
        tokens: Tensor | None = None,
        mask: Tensor | None = None,
        extra: Tensor | None = None,
    ) -> Tensor:
        """Predict eps, v or x0, whichever the network is trained for: (B, C2, S, S).

        Args:
            xt: (B, C, S, S) noisy data, S a multiple of patch * 2 ** (levels - 1).
            t: (B,) noise levels in [0, T].
            tokens: (B, L, D) text; None for a network without text.
            mask: (B, L) bool, True for real tokens; None if all are.
            extra: (B, E) added to the level's embedding, by whoever has more to say.

        Raises:
            ValueError: If a shape does not fit or the mask is not bool.
        """
        self.check_inputs(xt, t, tokens, mask)
        cond = self.embed(t, tokens, mask, extra)
        x = self.stem(F.pixel_unshuffle(xt, self.config["patch"]))
        kept = [x]
        for layer in self.down:
            x = layer(x, *cond) if isinstance(layer, Block) else layer(x)
            kept.append(x)
        for layer in self.middle:
            x = layer(x, *cond)
        for layer in self.up:
            if isinstance(layer, Block):
                x = layer(torch.cat([x, kept.pop()], dim=1), *cond)
            else:
                x = layer(x)
        return F.pixel_shuffle(self.head(F.silu(self.norm(x))), self.config["patch"])

    def embed(
        self,
        t: Tensor,
        tokens: Tensor | None,
        mask: Tensor | None,
        extra: Tensor | None = None,
    ) -> tuple[Tensor, Tensor | None, Tensor | None]:
        """What each block is told of level and text.

        Args:
            t: (B,) noise levels in [0, T].
            tokens: (B, L, D) text, or None.
            mask: (B, L) bool, True for real tokens; None if all are.
            extra: (B, E) added to the level's embedding, or None.

        Returns:
            emb (B, E), which has the text's mean in it where it is pooled; tokens
            (B, L, D), normed; mask (B, L). The last two are None without text.
        """
        waves = timestep_embedding(t, self.config["channels"][0])
        emb = self.level_mlp(waves.to(self.stem.weight.dtype))
        if extra is not None:
            emb = emb + extra
        if tokens is not None:
            if mask is None:
                mask = tokens.new_ones(tokens.shape[:2], dtype=torch.bool)
            tokens = self.text_norm(tokens.masked_fill(~mask.unsqueeze(-1), 0))
            if self.text_mlp is not None:
                emb = emb + self.text_mlp(masked_mean(tokens, mask))
        return F.silu(emb), tokens, mask

    def check_inputs(
        self, xt: Tensor, t: Tensor, tokens: Tensor | None, mask: Tensor | None
    ) -> None:
        """Raise a ValueError unless the shapes fit each other and the network."""
        in_channels, text_dim = self.config["in_channels"], self.config["text_dim"]
        step = self.config["patch"] * 2 ** (len(self.config["channels"]) - 1)
        if xt.ndim != 4 or xt.shape[1] != in_channels:
            raise ValueError(f"xt {tuple(xt.shape)} must be (B, {in_channels}, S, S)")
        if xt.shape[2] % step or xt.shape[3] % step:
            raise ValueError(f"size {tuple(xt.shape[2:])} must be multiples of {step}")
        if t.shape != xt.shape[:1]:
            raise ValueError(f"t {tuple(t.shape)} must be one level a row of {len(xt)}")
        shape = () if tokens is None else tuple(tokens.shape)
        fits = len(shape) == 3 and shape[::2] == (len(xt), text_dim)
        if not (fits if text_dim else tokens is None):
            raise ValueError(f"tokens {shape} must be ({len(xt)}, L, {text_dim})")
        if mask is None:
            return
        if tokens is None or mask.shape != shape[:2] or mask.dtype != torch.bool:
            raise ValueError(
                f"mask {tuple(mask.shape)} {mask.dtype} must be bool (B, L)"
            )


def check_dropout(dropout: float) -> None:
    """Raise a ValueError unless it is a share that leaves something."""
    if not 0 <= dropout < 1:
        raise ValueError(f"dropout {dropout} must lie in [0, 1)")


def check_config(config: dict) -> None:
    """Raise a ValueError unless a U-net can be built from these arguments."""
    channels, levels = config["channels"], config["attention_levels"]
    text_dim, patch = config["text_dim"], config["patch"]
    counts = [config[name] for name in ("in_channels", "out_channels", "num_blocks")]
    if min(counts) < 1 or patch not in (1, 2, 4):
        raise ValueError(f"channels, num_blocks or patch out of range in {config}")
    if not channels or any(width < 4 or width % 4 for width in channels):
        raise ValueError(f"channels {channels} must be multiples of 4")
    if not set(levels) <= set(range(len(channels))):
        raise ValueError(f"attention_levels {levels} must be indices into {channels}")
    if odd := [w for w in (channels[i] for i in levels) if w % max(1, w // HEAD_DIM)]:
        raise ValueError(f"channels {odd} do not split into heads of about {HEAD_DIM}")
    check_dropout(config["dropout"])
    is_read = config["pool_text"] or (config["cross_attention"] and levels)
    if text_dim is not None and (text_dim < 1 or not is_read):
        raise ValueError(f"text_dim {text_dim} must be positive, and the text be read")
