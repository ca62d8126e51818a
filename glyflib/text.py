"""Text in, numbers out: a T5 encoder turns each prompt into one vector a token.

Invariant: a prompt's vectors depend on that prompt alone, neither on the others in
its batch nor on how far it is padded (up to float rounding).
"""

import contextlib
import re
import warnings
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple, Self

import torch
from torch import Tensor
from torch.nn.functional import pad

from glyflib import t5
from glyflib.files import DATA

MAX_TOKENS = 40  # 99 of 100 captions have fewer
SENSE = re.compile(r"[;,](?![^()]*\))")  # what ends one, unless it is in brackets
WORD = re.compile(r"[^\W\d_]+(?:['’-][^\W\d_]+)*")  # letters, with ' and - inside
SAYING_NOTHING = """
    a about after against all also an and any are as at away be been before being
    both but by cant down each especially esp etc for from has have having if in
    into is it its kind like made name names no not of off on one's or other out
    over place same so some something such surname than that the their them there
    these they this those times to under up upon used usually variant very was were
    when which while who with without
"""  # of a picture by themselves
FUNCTION_WORDS = frozenset(SAYING_NOTHING.split())

SHIPPED = DATA / "text_encoder"
HUB_NAME = re.compile(r"[\w.-]+(/[\w.-]+)?")
CHUNK = 128  # prompts in one call of the network
SHOWN = 40  # characters of a prompt that messages quote
TIMEOUT = 10  # seconds to wait for the hub to answer at all
WAYS_OUT = (
    "use the shipped encoder, `TextEncoder.load()`, restored if need be by `git "
    "checkout -- data/text_encoder`, or give a folder that holds config.json, "
    "model.safetensors and spiece.model"
)


class TextCondition(NamedTuple):
    """Prompts as a network reads them.

    Attributes:
        tokens: (B, L, D) float32, one vector a token; 0 where the mask is False.
        mask: (B, L) bool, True for real tokens.
    """

    tokens: Tensor
    mask: Tensor

    def take(self, rows: Sequence[int] | Tensor | slice) -> "TextCondition":
        """Some of the texts, in the order asked for.

        Args:
            rows: row numbers, which may repeat; a slice; or (B,) bool, True to keep.

        Raises:
            IndexError: If there is no such row, or a mask has another length.
        """
        return TextCondition(self.tokens[rows], self.mask[rows])

    def expand(self, num_rows: int) -> "TextCondition":
        """One text, as often as there are rows; as many texts as rows stay as they are.

        Args:
            num_rows: B of the result, whose memory the rows share.

        Raises:
            ValueError: If there are neither one nor `num_rows` texts.
        """
        if len(self.mask) not in (1, num_rows):
            raise ValueError(f"{len(self.mask)} texts must be one, or {num_rows}")
        shapes = (num_rows, -1, -1), (num_rows, -1)
        return TextCondition(self.tokens.expand(shapes[0]), self.mask.expand(shapes[1]))

    def cat(self, other: "TextCondition") -> "TextCondition":
        """These texts, then the others, the shorter ones padded to one length.

        Args:
            other: texts of the same width D.
        """
        longest = max(self.mask.shape[1], other.mask.shape[1])
        both = [some.padded(longest) for some in (self, other)]
        tokens = torch.cat([some.tokens for some in both])
        return TextCondition(tokens, torch.cat([some.mask for some in both]))

    def padded(self, length: int) -> "TextCondition":
        """The same texts with zeros behind them, up to `length` tokens.

        Args:
            length: L of the result, no shorter than theirs.
        """
        more = length - self.mask.shape[1]
        return TextCondition(
            pad(self.tokens, (0, 0, 0, more)), pad(self.mask, (0, more))
        )

    def mean_tokens(self) -> Tensor:
        """The mean (B, D), in float32, of each text's real tokens, without padding."""
        return self.tokens.float().sum(dim=1) / self.mask.sum(dim=1, keepdim=True)


def check_prompts(prompts: str | Sequence[str]) -> list[str]:
    """One prompt or many, as a list.

    Raises:
        ValueError: If there is none, or one is not text.
    """
    texts = [prompts] if isinstance(prompts, str) else list(prompts)
    if not texts:
        raise ValueError('no prompt given: for no words at all, give ""')
    for text in texts:
        if not isinstance(text, str):
            raise ValueError(f"prompt {text!r} is a {type(text).__name__}, not a str")
        if re.search("[\ud800-\udfff]", text):
            raise ValueError(f"prompt {text!r} holds half a character: decode it anew")
    return texts


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """Keep transformers and the hub from drawing bars and telling what they do."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # tqdm's, in a notebook without widgets
        import huggingface_hub.utils
        import transformers.utils

    loggers = [transformers.utils.logging, huggingface_hub.utils.logging]
    before = [logger.get_verbosity() for logger in loggers]
    has_bar = loggers[0].is_progress_bar_enabled()
    loggers[0].disable_progress_bar()
    for logger in loggers:
        logger.set_verbosity_error()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        for logger, verbosity in zip(loggers, before, strict=True):
            logger.set_verbosity(verbosity)
        if has_bar:
            loggers[0].enable_progress_bar()


def reach_hub() -> None:
    """Raise an OSError unless the hub answers; its own client would try for minutes."""
    from huggingface_hub import constants
    from huggingface_hub.utils import get_session

    try:
        get_session().head(constants.ENDPOINT, timeout=TIMEOUT)
    except Exception as error:  # which, depends on the client's version
        raise OSError(f"no answer from {constants.ENDPOINT}, {error}") from error


def read_pretrained(name: str, is_local: bool) -> tuple:
    """Tokenizer and network as transformers reads them.

    Raises:
        ValueError: If the two do not belong together, or weights are missing, for
            which transformers would take random ones.
    """
    from transformers import AutoTokenizer, T5EncoderModel

    tokenizer = AutoTokenizer.from_pretrained(name, local_files_only=is_local)
    model, found = T5EncoderModel.from_pretrained(
        name,
        dtype=torch.float32,
        local_files_only=is_local,
        ignore_mismatched_sizes=True,
        output_loading_info=True,
    )
    if odd := [*sorted(found["missing_keys"]), *found["mismatched_keys"]]:
        raise ValueError(f"its weights and its config.json disagree about {odd[0]}")
    return tokenizer, model


def read_folder(folder: Path, with_transformers: bool) -> tuple:
    """Tokenizer and network in a folder, by `glyflib.t5` where it can read them.

    Raises:
        ValueError: If the two do not belong together, or weights are missing.
    """
    if t5.is_plain(folder) and not with_transformers:
        tokenizer = t5.Tokenizer(folder / "spiece.model")
        return tokenizer, t5.T5Encoder.load(folder)
    with quiet():
        return read_pretrained(str(folder), True)


def check_vocabulary(tokenizer, model) -> None:
    """Raise a ValueError if a tokenizer knows pieces that a network has no row for."""
    if len(tokenizer) > model.config.vocab_size:
        counts = f"{len(tokenizer)} tokens, the network {model.config.vocab_size}"
        raise ValueError(f"the tokenizer has {counts}")


def read_from_hub(name: str) -> tuple:
    """The same from the hub's cache on this machine or, failing that, the hub."""
    with quiet():
        try:
            return read_pretrained(name, is_local=True)
        except OSError:
            reach_hub()
            return read_pretrained(name, is_local=False)


def check_folder(folder: Path) -> None:
    """Raise a FileNotFoundError that names what an encoder's folder lacks."""
    needed = [("config.json",), ("spiece.model", "tokenizer.json")]
    for names in needed:
        if not any((folder / name).is_file() for name in names):
            lacks = f"it has no {' or '.join(names)}"
            raise FileNotFoundError(f"no text encoder in {folder}, {lacks}: {WAYS_OUT}")


class TextEncoder:
    """A T5 encoder and its tokenizer, on the CPU, in float32.

    T5 overflows in half precision, so weights kept in it are widened when loaded.

    Args:
        tokenizer: that of `glyflib.t5` or transformers.
        model: a T5 encoder of `glyflib.t5` or transformers, put into evaluation mode.

    References:
        Raffel et al. 2020, section 2.1.
    """

    def __init__(self, tokenizer, model):
        self.tokenizer, self.model = tokenizer, model.eval().requires_grad_(False)

    @classmethod
    def load(
        cls, path_or_name: Path | str = SHIPPED, *, with_transformers: bool = False
    ) -> Self:
        """Load an encoder in the Hugging Face format.

        Folders such as the shipped one are read by `glyflib.t5`, all else by
        transformers, which takes seconds longer to import.

        Args:
            path_or_name: a folder, or a hub name such as "google-t5/t5-small", which
                needs a network, at least the first time.
            with_transformers: whether transformers reads it in any case: its network
                also shows what happens within.

        Raises:
            FileNotFoundError: If there is no such folder, or it lacks a file.
            OSError: If the hub cannot be reached, or does not know the name.
            ValueError: If the files are damaged or are not those of a T5 encoder.
        """
        name, is_local = str(path_or_name), Path(path_or_name).is_dir()
        if is_local:
            check_folder(Path(path_or_name))
        elif isinstance(path_or_name, Path) or not HUB_NAME.fullmatch(name):
            raise FileNotFoundError(f"no text encoder at {name}: {WAYS_OUT}")
        try:
            if is_local:
                parts = read_folder(Path(path_or_name), with_transformers)
            else:
                parts = read_from_hub(name)
            check_vocabulary(*parts)
            return cls(*parts)
        except ImportError:
            raise
        except Exception as error:  # what is thrown depends on the file and version
            reason = f"({type(error).__name__}: {str(error).splitlines()[0]})"
            if is_local:
                text = f"the text encoder in {name} cannot be read {reason}: {WAYS_OUT}"
                raise ValueError(text) from error
            text = f"{name} is no folder, and the hub gave nothing {reason}: {WAYS_OUT}"
            raise OSError(text) from error

    @property
    def width(self) -> int:
        """D, the width of a token's vector."""
        return self.model.config.d_model

    def unknown_words(self, text: str) -> list[str]:
        """Words of a prompt that hold what no token stands for, such as 水; each once.

        Args:
            text: one prompt.

        Raises:
            ValueError: If it is not text.
        """
        (text,) = check_prompts(text)
        words = list(dict.fromkeys(text.split()))
        unknown = self.tokenizer.unk_token_id
        ids = self.tokenizer(words, verbose=False).input_ids if words else []
        return [word for word, some in zip(words, ids, strict=True) if unknown in some]

    def known_words(self, text: str) -> list[str]:
        """Words of a prompt that tokens stand for, from end to end, in their order.

        Errors as those of `unknown_words`.
        """
        unknown = self.unknown_words(text)
        return [word for word in text.split() if word not in unknown]

    def token_ids(self, text: str, max_tokens: int) -> list[int]:
        """Numbers of a prompt's tokens, the end token last.

        What is cut, and that no word of it is known, is told in a warning.

        Args:
            text: one prompt.
            max_tokens: longest list, counting the end token; at least 1.
        """
        ids = self.tokenizer(text, verbose=False).input_ids
        if self.tokenizer.unk_token_id in ids and not self.known_words(text):
            warnings.warn(
                f"prompt {text[:SHOWN]!r}: the text encoder knows no word of it",
                stacklevel=3,
            )
        if len(ids) <= max_tokens:
            return ids
        warnings.warn(
            f"prompt {text[:SHOWN]!r}… has {len(ids)} tokens: all beyond the first "
            f"{max_tokens} are cut",
            stacklevel=3,
        )
        return [*ids[: max_tokens - 1], self.tokenizer.eos_token_id]

    def encode(
        self,
        prompts: str | Sequence[str],
        *,
        max_tokens: int = 40,
        length: int | None = None,
    ) -> TextCondition:
        """Turn prompts into vectors. The empty prompt is one end token.

        Args:
            prompts: one, or B of them; any language, though few know any but English.
            max_tokens: longest prompt, counting the end token; the rest is cut, with
                a warning.
            length: L to pad to; by default that of the longest prompt.

        Returns:
            tokens (B, L, D) and mask (B, L).

        Raises:
            ValueError: If there is no prompt, one is not text, max_tokens is below 1
                or length below the longest prompt.
        """
        if max_tokens < 1:
            raise ValueError(f"max_tokens {max_tokens} must be at least 1")
        texts = check_prompts(prompts)
        ids = {}
        for text in dict.fromkeys(texts):
            ids[text] = self.token_ids(text, max_tokens)
        rows = [torch.tensor(ids[text]) for text in texts]
        longest = max(map(len, rows))
        L = longest if length is None else length
        if longest > L:
            raise ValueError(f"length {L} is below the longest prompt's {longest}")
        tokens = torch.zeros(len(rows), L, self.width)
        mask = torch.arange(L) < torch.tensor([len(row) for row in rows])[:, None]
        for first in range(0, len(rows), CHUNK):
            part = slice(first, first + CHUNK)
            padded = torch.nn.utils.rnn.pad_sequence(rows[part], batch_first=True)
            width = padded.shape[1]
            real = mask[part, :width]
            found = self.model(input_ids=padded, attention_mask=real.long())
            tokens[part, :width] = found.last_hidden_state * real.unsqueeze(-1)
        return TextCondition(tokens, mask)


def senses(caption: str) -> list[str]:
    """The meanings that a caption lists: what stands between its `;` and `,`.

    What brackets hold stays together: "to run (fast, far); swift" has two.

    Args:
        caption: any text; one without a word has no sense.
    """
    return [sense for part in SENSE.split(caption) if (sense := part.strip())]


def some_senses(caption: str, generator: torch.Generator) -> str:
    """A caption with a random part of its senses, in their order; at least one.

    How many stay is drawn first, each number from 1 to all being as likely as the
    others, and then which. So one sense alone is told as often as all of them.

    Args:
        caption: with at least one sense, or it comes back as it is.
        generator: source of randomness; a caption of one sense draws nothing.
    """
    found = senses(caption)
    if len(found) < 2:
        return caption
    num = int(torch.randint(1, len(found) + 1, (), generator=generator))
    if num == len(found):
        return caption
    kept = torch.randperm(len(found), generator=generator)[:num].sort().values
    mark = "; " if ";" in caption else ", "
    return mark.join(found[row] for row in kept.tolist())


def content_words(caption: str) -> list[str]:
    """The words of a caption that say something by themselves, each once, in order.

    Function words such as "of" are left out, and what says how a definition was made,
    such as "name" or "Cant", for Cantonese.

    Args:
        caption: any text.
    """
    found = dict.fromkeys(WORD.findall(caption))
    return [word for word in found if word.lower() not in FUNCTION_WORDS]


def one_word(caption: str, generator: torch.Generator) -> str:
    """One word of a caption, each of its `content_words` being as likely.

    Args:
        caption: without such a word, it comes back as it is.
        generator: source of randomness; a caption with no choice draws nothing.
    """
    words = content_words(caption)
    if len(words) < 2:
        return words[0] if words else caption
    return words[int(torch.randint(len(words), (), generator=generator))]


class Tellings(NamedTuple):
    """What a run may tell a network of each picture.

    Attributes:
        texts: M texts, each once.
        choices: (N, K) int64, rows of the texts; of a picture's K, each is as likely.
    """

    texts: list[str]
    choices: Tensor


def tellings(
    captions: Sequence[str],
    num_subsets: int,
    generator: torch.Generator,
    *,
    num_words: int = 0,
) -> Tellings:
    """Each caption whole, so many random parts of its senses, and so many words of it.

    Args:
        captions: N of them.
        num_subsets: how often a part is drawn, at least 0; one may be the whole.
        generator: source of randomness.
        num_words: how often `one_word` is drawn, at least 0. What is drawn twice is
            told twice as often; K is 1 + num_subsets + num_words.

    Raises:
        ValueError: If num_subsets or num_words is below 0.
    """
    for name, num in (("num_subsets", num_subsets), ("num_words", num_words)):
        if num < 0:
            raise ValueError(f"{name} {num} must be at least 0")
    place: dict[str, int] = {}
    rows = []
    for caption in captions:
        parts = [some_senses(caption, generator) for _ in range(num_subsets)]
        words = [one_word(caption, generator) for _ in range(num_words)]
        told = [caption, *parts, *words]
        rows.append([place.setdefault(text, len(place)) for text in told])
    return Tellings(list(place), torch.tensor(rows))


def encode_captions(
    encoder: TextEncoder,
    captions: Sequence[str],
    *,
    batch_size: int = 256,
    progress: Callable[[Sequence], Sequence] = lambda batches: batches,
) -> TextCondition:
    """Tokens and mask of captions as training takes them, all of one length.

    The few captions that are longer than 40 tokens are cut without a warning.

    Args:
        encoder: with vectors of width D.
        captions: N of them; what repeats is encoded once.
        batch_size: captions encoded at once; changes memory and speed only.
        progress: wraps the batches, as tqdm does.

    Returns:
        tokens (N, 40, D) float16 and mask (N, 40).
    """
    distinct = sorted(dict.fromkeys(captions), key=len)  # a set has no fixed order
    batches = [
        distinct[i : i + batch_size] for i in range(0, len(distinct), batch_size)
    ]
    tokens = torch.zeros(len(distinct), MAX_TOKENS, encoder.width, dtype=torch.half)
    mask = torch.zeros(len(distinct), MAX_TOKENS, dtype=torch.bool)
    start = 0
    for batch in progress(batches):
        rows = slice(start, start := start + len(batch))
        with warnings.catch_warnings(action="ignore"):
            cond = encoder.encode(batch, max_tokens=MAX_TOKENS)
        tokens[rows, : cond.mask.shape[1]] = cond.tokens.half()
        mask[rows, : cond.mask.shape[1]] = cond.mask
    place = {caption: i for i, caption in enumerate(distinct)}
    order = torch.tensor([place[caption] for caption in captions])
    return TextCondition(tokens[order], mask[order])
