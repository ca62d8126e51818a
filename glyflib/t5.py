"""A T5 encoder and its tokenizer in plain torch, for a quick start.

Invariant: pieces and vectors are those of transformers' `T5Tokenizer` and
`T5EncoderModel` (vectors up to float rounding), and both are called as those are, as
far as `TextEncoder` needs it. transformers alone takes longer to import than torch.
"""

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import NamedTuple, Self

import torch
import torch.nn.functional as F
from safetensors.torch import load_file
from sentencepiece import SentencePieceProcessor
from torch import Tensor, nn

FILES = ("config.json", "model.safetensors", "spiece.model", "tokenizer_config.json")
# Weights of a block: their names here, and behind "encoder.block.0." in the file.
IN_BLOCK = {
    "norm1.weight": "layer.0.layer_norm.weight",
    "to_q.weight": "layer.0.SelfAttention.q.weight",
    "to_k.weight": "layer.0.SelfAttention.k.weight",
    "to_v.weight": "layer.0.SelfAttention.v.weight",
    "out.weight": "layer.0.SelfAttention.o.weight",
    "norm2.weight": "layer.1.layer_norm.weight",
    "widen.weight": "layer.1.DenseReluDense.wi.weight",
    "narrow.weight": "layer.1.DenseReluDense.wo.weight",
}
OUTSIDE = {
    "embedding.weight": "shared.weight",
    "distance_bias.weight": "encoder.block.0.layer.0.SelfAttention."
    "relative_attention_bias.weight",
    "norm.weight": "encoder.final_layer_norm.weight",
}


@dataclass(frozen=True)
class T5Config:
    """Shape of a T5 encoder, named as in its config.json.

    Attributes:
        vocab_size: rows of the table of pieces.
        d_model: D, width of a token's vector.
        num_layers: blocks of attention and feed-forward.
        num_heads: of the attention.
        d_kv: width of a head.
        d_ff: width inside the feed-forward layers.
        relative_attention_num_buckets: distances that are told apart, both ways.
        relative_attention_max_distance: from which on all are alike.
        layer_norm_epsilon: added to a mean square before its root is taken.
    """

    vocab_size: int
    d_model: int
    num_layers: int
    num_heads: int
    d_kv: int
    d_ff: int
    relative_attention_num_buckets: int = 32
    relative_attention_max_distance: int = 128
    layer_norm_epsilon: float = 1e-6

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Read it from the folder's config.json, whose other entries do not matter."""
        stored = json.loads((folder / "config.json").read_text("utf-8"))
        names = {field.name for field in fields(cls)}
        return cls(**{name: stored[name] for name in names & stored.keys()})


def distance_buckets(offsets: Tensor, config: T5Config) -> Tensor:
    """Number each distance between two tokens; far ones share a number.

    Half of the numbers are for tokens behind, half for those ahead. In each half, one
    half is for distances one by one, the other for ranges that grow by a factor.

    Args:
        offsets: int64, place of the token looked at minus that of the one that looks.
        config: its buckets and largest distance.

    References:
        Raffel et al. 2020, section 2.1.
    """
    one_way = config.relative_attention_num_buckets // 2
    exact = one_way // 2
    far = offsets.abs().clamp(min=exact).float() / exact
    growth = math.log(config.relative_attention_max_distance / exact)
    shared = exact + (far.log() / growth * (one_way - exact)).long()
    near = offsets.abs() < exact
    bucket = offsets.abs().where(near, shared.clamp(max=one_way - 1))
    return bucket + one_way * (offsets > 0)


class T5Block(nn.Module):
    """Self-attention, then a feed-forward layer; each adds to what flows past it.

    Args:
        config: its widths.
    """

    def __init__(self, config: T5Config):
        super().__init__()
        width, inner = config.d_model, config.num_heads * config.d_kv
        self.num_heads = config.num_heads
        self.norm1 = nn.RMSNorm(width, config.layer_norm_epsilon)
        self.to_q = nn.Linear(width, inner, bias=False)
        self.to_k = nn.Linear(width, inner, bias=False)
        self.to_v = nn.Linear(width, inner, bias=False)
        self.out = nn.Linear(inner, width, bias=False)
        self.norm2 = nn.RMSNorm(width, config.layer_norm_epsilon)
        self.widen = nn.Linear(width, config.d_ff, bias=False)
        self.narrow = nn.Linear(config.d_ff, width, bias=False)

    def split(self, x: Tensor) -> Tensor:
        """(B, L, heads * d_kv) -> (B, heads, L, d_kv)."""
        return x.unflatten(2, (self.num_heads, -1)).transpose(1, 2)

    def forward(self, x: Tensor, bias: Tensor) -> Tensor:
        """(B, L, D), (B, heads, L, L) -> (B, L, D); the bias is added to the logits."""
        h = self.norm1(x)
        q, k, v = (self.split(to(h)) for to in (self.to_q, self.to_k, self.to_v))
        h = F.scaled_dot_product_attention(q, k, v, attn_mask=bias, scale=1.0)
        x = x + self.out(h.transpose(1, 2).flatten(2))
        return x + self.narrow(F.relu(self.widen(self.norm2(x))))


class T5Output(NamedTuple):
    """What an encoder returns, named as transformers does.

    Attributes:
        last_hidden_state: (B, L, D).
    """

    last_hidden_state: Tensor


class T5Encoder(nn.Module):
    """The encoder half of T5 with plain ReLU, at first with random weights.

    Args:
        config: its shape.

    References:
        Raffel et al. 2020, section 2.1; root mean square norm: Zhang and Sennrich
        2019, Eq. 4.
    """

    def __init__(self, config: T5Config):
        super().__init__()
        self.config = config
        self.embedding = nn.Embedding(config.vocab_size, config.d_model)
        self.distance_bias = nn.Embedding(
            config.relative_attention_num_buckets, config.num_heads
        )
        blocks = [T5Block(config) for _ in range(config.num_layers)]
        self.blocks = nn.ModuleList(blocks)
        self.norm = nn.RMSNorm(config.d_model, config.layer_norm_epsilon)
        nn.init.normal_(self.distance_bias.weight, std=config.d_model**-0.5)
        for block in self.blocks:  # attention is not scaled: queries start smaller
            nn.init.normal_(
                block.to_q.weight, std=(config.d_model * config.d_kv) ** -0.5
            )
            for to in (block.to_k, block.to_v, block.out, block.widen, block.narrow):
                nn.init.normal_(to.weight, std=to.in_features**-0.5)

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Read config.json and model.safetensors, into float32.

        Raises:
            ValueError: If one has not the weights that the other tells of.
        """
        model, stored = cls(T5Config.load(folder)), load_file(folder / FILES[1])
        for name, place in model.state_dict().items():
            found = stored.get(file_name(name))
            if found is None or found.shape != place.shape:
                odd = file_name(name)
                raise ValueError(
                    f"its weights and its config.json disagree about {odd}"
                )
            place.copy_(found)
        beyond = f"encoder.block.{model.config.num_layers}."
        if any(name.startswith(beyond) for name in stored):
            raise ValueError(f"its weights and its config.json disagree about {beyond}")
        return model

    def forward(
        self, input_ids: Tensor, attention_mask: Tensor | None = None
    ) -> T5Output:
        """(B, L), (B, L) -> (B, L, D); the mask is 1 at real tokens, else 0.

        Without it all are real.
        """
        place = torch.arange(input_ids.shape[1], device=input_ids.device)
        buckets = distance_buckets(place[None, :] - place[:, None], self.config)
        bias = self.distance_bias(buckets).permute(2, 0, 1)  # (heads, L, L)
        if attention_mask is not None:
            is_padding = attention_mask[:, None, None, :] == 0
            bias = bias.masked_fill(is_padding, -torch.inf)
        x = self.embedding(input_ids)
        for block in self.blocks:
            x = block(x, bias)
        return T5Output(self.norm(x))


def file_name(name: str) -> str:
    """How the file calls a weight of `T5Encoder`."""
    if name in OUTSIDE:
        return OUTSIDE[name]
    _, number, name = name.split(".", 2)
    return f"encoder.block.{number}.{IN_BLOCK[name]}"


class Coded(NamedTuple):
    """What a tokenizer returns, named as transformers does.

    Attributes:
        input_ids: numbers of a text's pieces, the end token last; a list of such
            lists for a list of texts.
    """

    input_ids: list


class Tokenizer:
    """Cuts text into pieces by the file spiece.model.

    Args:
        path: of that file.

    Raises:
        ValueError: If the file is damaged.

    References:
        Kudo 2018, section 3.2 (unigram model); Kudo and Richardson 2018.
    """

    def __init__(self, path: Path):
        try:
            self.pieces = SentencePieceProcessor(model_file=str(path))
        except RuntimeError as error:
            raise ValueError(f"{path.name} holds no pieces ({error})") from error
        self.unk_token_id = self.pieces.unk_id()
        self.eos_token_id = self.pieces.eos_id()

    def __len__(self) -> int:
        return len(self.pieces)

    def __call__(self, text: str | Sequence[str], *, verbose: bool = True) -> Coded:
        """Numbers of the pieces of one text or of many.

        Args:
            text: one, or a list of them.
            verbose: as in transformers; this one never tells of long texts.
        """
        is_one = isinstance(text, str)
        rows = self.pieces.encode([text] if is_one else list(text), add_eos=True)
        return Coded(rows[0] if is_one else rows)

    def tokenize(self, text: str) -> list[str]:
        """The pieces themselves, without an end token."""
        return self.pieces.encode(text, out_type=str)


def is_plain(folder: Path) -> bool:
    """Whether a folder holds a T5 encoder of the form that this module reads.

    It has plain ReLU and no pieces beyond those of spiece.model, as the shipped one.
    """
    if not all((folder / name).is_file() for name in FILES):
        return False
    try:
        config, tokenizer = (
            json.loads((folder / name).read_text("utf-8"))
            for name in (FILES[0], FILES[3])
        )
    except ValueError:
        return False
    kind = config.get("model_type"), config.get("feed_forward_proj")
    if kind != ("t5", "relu") or (folder / "tokenizer.json").exists():
        return False
    return tokenizer == {"tokenizer_class": "T5Tokenizer", "extra_ids": 0}
