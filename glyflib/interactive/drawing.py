"""A glyffuser or a student that draws in the reader's browser, with no network.

Invariant: the page draws from what is packed here alone: weights, pieces of words and
the schedule, as gzip in base64, and the scripts of `engine/`, which are plain text.
"""

import base64
import gzip
import json
import re
import unicodedata
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from functools import cache
from hashlib import sha256
from html import escape

import torch
from torch import Tensor

from glyflib.glyffuser import Glyffuser
from glyflib.interactive.engine_code import (
    engine_listing,
    engine_source,
    engine_table,
    script,
)
from glyflib.student import Student
from glyflib.t5 import T5Encoder, Tokenizer
from glyflib.text import TextEncoder

PRECISIONS = {  # of the matrices, and what the page says of it
    "int8": "The weights are rounded to eight bits each, so that the file stays small.",
    "half": "The weights have sixteen bits each, as many as they are stored with.",
}
FEW = 8192  # numbers: a matrix of fewer stays in half precision, it weighs nothing
TABLES = ("embedding.weight", "distance_bias.weight")  # read by rows, in the encoder
MAX_BYTES = 20 * 2**20  # of a packed part, in base64
STEPS = (15, 30)  # of a glyffuser's sampler, for the reader to choose
GLYPHS = 16
COLUMNS = 4
FOLDER = "draw"  # of a panel's scripts, beside its page or notebook
NEEDS_SCRIPT = (
    "Drawing here needs JavaScript. In JupyterLab, run the cell: Lab runs no script of "
    "a notebook that it does not trust yet."
)
APART = "一"  # stays as it is when a text is normalized, and combines with nothing


@dataclass(frozen=True)
class Look:
    """What a panel shows at first, and what its reader may choose in it.

    Attributes:
        words: that stand in the field at first.
        count: of glyphs; where rows are compared, of the noises.
        columns: of glyphs side by side.
        scale: of a glyffuser's guidance, at first.
        scales: from which to which the reader may set it; None if it stays as it is.
        rows: what is drawn from the same noises to be compared: a label, the name of
            the drawer, and its calls or steps; none if the reader chooses these.
        sketch: options of `engine/sketch.js`, whose picture is then finished.
    """

    words: str = "water; river"
    count: int = GLYPHS
    columns: int = COLUMNS
    scale: float = 3.0
    scales: tuple[float, float] | None = (1.0, 8.0)
    rows: tuple[tuple[str, str, int], ...] = ()
    sketch: Mapping | None = None


def quantised(weight: Tensor) -> tuple[Tensor, Tensor]:
    """Each row of a matrix as whole numbers of 8 bits and one factor.

    Args:
        weight: (rows, …) of real numbers.

    Returns:
        (rows, n) int8 in [-127, 127] and (rows,) float32: their product is near to
        the weight, the error being half a factor at most.
    """
    rows = weight.float().flatten(1)
    factor = (rows.abs().amax(1) / 127).clamp(min=1e-12)
    return (rows / factor[:, None]).round().to(torch.int8), factor


def packed(
    header: Mapping, state: Mapping[str, Tensor], *, precision: str = "int8"
) -> bytes:
    """Weights and what has to be known of them, as `engine/weights.js` reads them.

    What has one dimension stays in float32. Matrices become `int8` with a factor a
    row, except small ones, or `half`: the shipped files hold no more than that.

    Args:
        header: facts that fit in JSON.
        state: weights by name, as `state_dict` gives them.
        precision: one of `PRECISIONS`.

    Returns:
        gzip of the header's length (4 bytes), the header, and the numbers.

    Raises:
        ValueError: If the precision is unknown.
    """
    if precision not in PRECISIONS:
        raise ValueError(f"precision {precision!r} must be one of {[*PRECISIONS]}")
    data, tensors = bytearray(), {}

    def place(values: Tensor) -> int:
        at = len(data)
        data.extend(values.contiguous().numpy().tobytes())
        data.extend(bytes(-len(data) % 4))
        return at

    for name, weight in state.items():
        weight = weight.detach().cpu()
        entry = {"shape": list(weight.shape)}
        if weight.ndim == 1:
            entry |= {"kind": "float", "at": place(weight.float())}
        elif precision == "half" or weight.numel() < FEW:
            entry |= {"kind": "half", "at": place(weight.half())}
        else:
            whole, factor = quantised(weight)
            entry |= {"kind": "int8", "at": place(whole), "scales": place(factor)}
        tensors[name] = entry | ({"is_table": True} if name in TABLES else {})
    text = json.dumps({**header, "tensors": tensors}, separators=(",", ":"))
    head = text.encode()
    head += b" " * (-len(head) % 4)
    whole = len(head).to_bytes(4, "little") + head + bytes(data)
    return gzip.compress(whole, 6, mtime=0)


def packed_model(drawer: Glyffuser | Student, *, precision: str = "int8") -> bytes:
    """The network of a glyffuser or a student, its schedule and its sizes.

    Args:
        drawer: what is to draw in the page.
        precision: of the matrices, "int8" or "half".

    Raises:
        ValueError: If it draws latents, which the page cannot unfold.
    """
    if isinstance(drawer, Student):
        unet, state = drawer.net.unet, drawer.net.state_dict()
        state = {name.removeprefix("unet."): value for name, value in state.items()}
        more = {"kind": "student"}
    else:
        if drawer.autoencoder is not None:
            raise ValueError(
                "the page draws pictures, this glyffuser draws latents: "
                "train one without an autoencoder"
            )
        unet, state, more = drawer.unet, drawer.unet.state_dict(), {"kind": "glyffuser"}
    header = more | {
        "unet": unet.config,
        "size": drawer.size,
        "prediction": drawer.prediction,
        "max_tokens": drawer.max_tokens,
        "alpha_bar": drawer.alpha_bar.tolist(),
    }
    return packed(header, state, precision=precision)


def packed_encoder(encoder: TextEncoder, *, precision: str = "int8") -> bytes:
    """A text encoder, and the pieces of words that it knows.

    Args:
        encoder: of the shipped kind, see `glyflib.t5`.
        precision: of the matrices, "int8" or "half".

    Raises:
        ValueError: If it is of another kind.
    """
    tokenizer, model = encoder.tokenizer, encoder.model
    if not isinstance(model, T5Encoder) or not isinstance(tokenizer, Tokenizer):
        raise ValueError(
            "the page reads text encoders of the shipped kind, which `glyflib.t5` reads"
        )
    pieces = tokenizer.pieces
    known = [is_normal(pieces, i) for i in range(len(pieces))]
    header = {
        "kind": "encoder",
        "t5": asdict(model.config),
        "pieces": [pieces.id_to_piece(i) * has for i, has in enumerate(known)],
        "scores": [pieces.get_score(i) for i in range(len(pieces))],
        "folded": folded(pieces),
        "unk_id": pieces.unk_id(),
        "eos_id": pieces.eos_id(),
    }
    return packed(header, model.state_dict(), precision=precision)


def is_normal(pieces, number: int) -> bool:
    """Whether text is cut into this piece: no mark such as the end token."""
    kinds = pieces.is_control, pieces.is_unknown, pieces.is_unused, pieces.is_byte
    return not any(is_kind(number) for is_kind in kinds)


def folded(pieces) -> dict[str, str]:
    """What sentencepiece makes of characters that it does not merely write small.

    Both browsers and sentencepiece first bring a text into Unicode's form NFKC.

    Args:
        pieces: a SentencePieceProcessor.

    Returns:
        From a character to what takes its place, perhaps "" or a space.
    """
    chars = [chr(code) for code in range(1, 0x110000) if not 0xD800 <= code < 0xE000]
    chars = [
        char
        for char in chars
        if unicodedata.category(char) not in ("Cn", "Co")
        and unicodedata.is_normalized("NFKC", char)
        and char != APART
    ]
    text = pieces.normalize(APART + APART.join(chars) + APART)
    found = text.replace("\u2581", " ").split(APART)[1:-1]
    if len(found) != len(chars):
        raise ValueError("this tokenizer does not read characters one by one")
    pairs = zip(chars, found, strict=True)
    return {char: new for char, new in pairs if new != char.lower()}


def check_fits(name: str, text: str) -> None:
    """Raise a ValueError if a packed part is too heavy for a page."""
    if len(text) > MAX_BYTES:
        size, most = len(text) / 2**20, MAX_BYTES / 2**20
        raise ValueError(
            f"the {name} has {size:.0f} MiB when packed, a page takes {most:.0f}: "
            "train a smaller one"
        )


def as_script(value: object) -> str:
    """Anything as JSON that may stand in a script of a page."""
    return json.dumps(value, ensure_ascii=False).replace("</", "<\\/")


def described(label: str, drawer: Glyffuser | Student) -> dict:
    """What the page has to know of a model before it is unpacked.

    The scale is a student's own; that of a glyffuser is the panel's to say.
    """
    is_student, most = isinstance(drawer, Student), len(drawer.alpha_bar) - 1
    steps = [count for count in STEPS if count <= most] or [most]
    return {
        "label": label,
        "kind": "student" if is_student else "glyffuser",
        "counts": list(drawer.counts if is_student else steps),
        "scale": drawer.scale if is_student else None,
        "maxTokens": drawer.max_tokens,
        "size": drawer.size,
    }


def packed_parts(
    drawers: Mapping[str, Glyffuser | Student], precision: str = "int8"
) -> tuple[list[dict], dict[str, str]]:
    """What a page has to know of its models, and their parts in base64 by name.

    An encoder that several models share is packed once. Arguments and errors as those
    of `drawing_page`.
    """
    if not drawers:
        raise ValueError("a page needs a glyffuser or a student that draws in it")
    pack_encoder = cache(packed_encoder)
    models, parts = [], {}
    for label, drawer in drawers.items():
        model = described(label, drawer)
        for name, data in {
            "network": packed_model(drawer, precision=precision),
            "encoder": pack_encoder(drawer.encoder, precision=precision),
        }.items():
            text = base64.b64encode(data).decode()
            check_fits(name, text)
            model[name] = f"{name}-{sha256(data).hexdigest()[:12]}"
            parts[model[name]] = text
        models.append(model)
    return models, parts


def panel_code(
    models: list[dict], parts: Mapping[str, str], look: Look, place: str
) -> str:
    """A script that puts the panel into an element.

    Args:
        models: as `packed_parts` describes them.
        parts: in base64 by name.
        look: of the panel.
        place: the element's id.

    Raises:
        ValueError: If models with several text encoders are compared.
    """
    if look.rows and len({model["encoder"] for model in models}) > 1:
        raise ValueError("what is compared must read words with one text encoder")
    labels = [model["label"] for model in models]
    own = {"scale": look.scale, "scales": look.scales}
    models = [m if m["kind"] == "student" else m | own for m in models]
    rows = []
    for label, drawer, calls in look.rows:
        model = labels.index(drawer)
        scale = models[model]["scale"]
        rows.append({"label": label, "model": model, "calls": calls, "scale": scale})
    options = {
        "css": script("panel.css"),
        "engine": engine_source() + script("worker.js"),
        "models": models,
        "weights": {name: len(text) / 1e6 for name, text in parts.items()},
        "words": look.words,
        "count": look.count,
        "columns": look.columns,
        "rows": rows or None,
        "sketch": look.sketch,
    }
    names = ["film.js", *["sketch.js"] * bool(look.sketch), "panel.js"]
    scripts = "\n".join(script(name) for name in names)
    host = f'document.querySelector("#{place}:not([data-ready])")'
    return (
        f"(() => {{\n{scripts}\nconst host = {host};\nif (!host) return;\n"
        f'host.dataset.ready = "";\ndrawHere(host, {as_script(options)});\n}})();'
    )


def drawing_panel(
    drawers: Mapping[str, Glyffuser | Student],
    *,
    look: Look | None = None,
    place: str = "draw-here",
    precision: str = "int8",
) -> tuple[str, dict[str, str]]:
    """A fragment of HTML that draws, for a page of a site, and scripts beside it.

    A script holds one part, and is loaded when the reader asks for a drawing, not
    before; by http as well as from a file. The fragment names it in a link, which
    JupyterLab turns into an address of its own.

    Args:
        drawers: what is to draw, as for `drawing_page`; with its errors.
        look: of the panel; None for that of `drawing_page`.
        place: id of the panel's element.
        precision: of the matrices, "int8" or "half".

    Returns:
        The fragment, and the texts of the scripts by their file names; they belong in
        the folder `FOLDER` beside the page.
    """
    models, parts = packed_parts(drawers, precision)
    scripts = {
        f"{name}.js": f'(globalThis.glyfParts ??= {{}})["{name}"] = "{text}";\n'
        for name, text in parts.items()
    }
    links = "".join(
        f'<a hidden data-glyf-part="{name}" href="{FOLDER}/{name}.js">{name}</a>'
        for name in parts
    )
    # Without the attribute JupyterLab takes letters that one types for its commands.
    fragment = (
        f'<div id="{place}" class="glyf-draw" data-lm-suppress-shortcuts="1">'
        f"<p>{NEEDS_SCRIPT}</p>{links}</div>\n"
        f"<script>{panel_code(models, parts, look or Look(), place)}</script>\n"
    )
    return fragment, scripts


def drawing_page(
    drawers: Mapping[str, Glyffuser | Student],
    *,
    title: str = "Draw it here",
    words: str = "water; river",
    precision: str = "int8",
) -> str:
    """One HTML page, with all in it, that draws glyphs for the words that one types.

    It fetches nothing, from a web server as well as from a file. A seed means the same
    noise there as in Python.

    Args:
        drawers: what is to draw in the page, by the names that the reader chooses
            from, the first one at first. Where two have the same text encoder, the
            page has it once.
        title: of the page, plain text.
        words: that stand in the field at first.
        precision: of the matrices, "int8" or "half"; see `packed`.

    Raises:
        ValueError: If there is none, one draws latents, an encoder is of another kind
            than the shipped one, or a part is heavier than 20 MiB.
    """
    models, parts = packed_parts(drawers, precision)
    inline = "".join(
        f'<script type="text/plain" data-glyf-part="{name}">{text}</script>\n'
        for name, text in parts.items()
    )
    places = {
        "@@TITLE@@": escape(title),
        "@@WEIGHTS@@": PRECISIONS[precision],
        "@@TABLE@@": engine_table(),
        "@@LISTING@@": engine_listing(),
        "@@PARTS@@": inline,
        "@@CODE@@": panel_code(models, parts, Look(words=words), "draw-here"),
    }
    # In one pass: what is put in may hold a place's name, and stays as it is.
    pattern = re.compile("|".join(places))
    return pattern.sub(lambda found: places[found.group()], script("page.html"))
