import builtins
import json
import os
import shutil
import subprocess
import sys
import threading
import warnings
from collections import Counter
from hashlib import sha1
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import huggingface_hub.constants
import pytest
import sentencepiece
import torch
from safetensors.torch import load_file
from tiny_models import LINES, WIDTH, save_encoder
from transformers import T5EncoderModel, T5Tokenizer
from transformers.utils import logging

from glyflib import text
from glyflib.data import load_glyphs
from glyflib.text import (
    SHIPPED,
    TextCondition,
    TextEncoder,
    content_words,
    encode_captions,
    one_word,
    senses,
    some_senses,
    tellings,
)

PROMPTS = [
    "gold",
    "",
    "water; river",
    "水 🙂",
    "Ünïcode, d'or",
    "  two   spaces ",
    "a\nb",
]
WAYS_OUT = r"TextEncoder\.load\(\).*git checkout.*give a folder"


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return save_encoder(tmp_path_factory.mktemp("text") / "encoder")


@pytest.fixture(scope="module")
def encoder(folder):
    return TextEncoder.load(folder)


@pytest.fixture
def broken(folder, tmp_path):
    return shutil.copytree(folder, tmp_path / "broken")


def by_hand(encoder, folder, prompt, max_tokens=10**6):
    """Pieces from sentencepiece itself, through the network alone and unpadded."""
    model = str(folder / "spiece.model")
    pieces = sentencepiece.SentencePieceProcessor(model_file=model).encode(prompt)
    ids = torch.tensor([[*pieces[: max_tokens - 1], 1]])
    return encoder.model(input_ids=ids).last_hidden_state[0]


@pytest.mark.filterwarnings("ignore:prompt")  # two are in no language it knows
@pytest.mark.parametrize("prompt", PROMPTS)
def test_a_prompt_is_its_pieces_and_an_end_token_through_the_network(
    encoder, folder, prompt
):
    tokens, mask = encoder.encode(prompt)
    expected = by_hand(encoder, folder, prompt)
    assert mask.dtype == torch.bool
    assert mask.all()
    assert tokens.shape == (1, len(expected), WIDTH)
    torch.testing.assert_close(tokens[0], expected)


@pytest.mark.filterwarnings("ignore:prompt")
def test_a_prompt_has_the_same_tokens_whatever_the_batch_and_the_padding(encoder):
    tokens, mask = encoder.encode(PROMPTS, length=37)
    assert tokens.shape == (len(PROMPTS), 37, WIDTH)
    for i, prompt in enumerate(PROMPTS):
        alone = encoder.encode([prompt]).tokens[0]
        assert mask[i].sum() == mask[i, : len(alone)].sum() == len(alone)
        torch.testing.assert_close(tokens[i, : len(alone)], alone)
    assert not tokens[~mask].any()


def test_a_batch_is_as_long_as_its_longest_prompt(encoder):
    _, mask = encoder.encode(["", "water; river", "gold"])
    assert mask.sum(1).argmax() == 1
    assert mask[1].all()
    assert mask.sum(1)[0] == 1


def test_more_prompts_than_the_network_takes_at_once_keep_their_order(encoder):
    words = [" ".join(LINES[i % 6].split()[: 1 + i % 4]) for i in range(300)]
    tokens, mask = encoder.encode(words)
    for i in (0, 127, 128, 129, 255, 256, 299):
        alone = encoder.encode(words[i]).tokens[0]
        assert mask[i].sum() == len(alone)
        torch.testing.assert_close(tokens[i, : len(alone)], alone)


def test_the_empty_prompt_is_one_end_token(encoder):
    tokens, mask = encoder.encode("")
    assert mask.tolist() == [[True]]
    expected = encoder.model(input_ids=torch.tensor([[1]])).last_hidden_state
    torch.testing.assert_close(tokens, expected)


def test_different_words_have_different_tokens(encoder):
    gold, water = encoder.encode("gold").tokens, encoder.encode("water").tokens
    assert (gold[0, 0] - water[0, 0]).abs().max() > 0.1


def test_capitals_change_nothing(encoder):
    assert torch.equal(encoder.encode("GOLD").tokens, encoder.encode("gold").tokens)


def test_a_long_prompt_is_cut_with_a_warning_but_keeps_its_end(encoder, folder):
    prompt = "the river of gold; " * 50
    with pytest.warns(UserWarning, match=r"'the river of gold; the.*'… has \d+ tokens"):
        tokens, mask = encoder.encode(prompt, max_tokens=12)
    assert mask.shape == (1, 12)
    expected = by_hand(encoder, folder, prompt, max_tokens=12)
    torch.testing.assert_close(tokens[0], expected)


def test_the_warning_counts_the_tokens_and_comes_once_a_prompt(encoder):
    with pytest.warns(UserWarning, match="all beyond the first 2 are cut") as caught:
        encoder.encode(["water; river"] * 5, max_tokens=2)
    assert len(caught) == 1
    count = encoder.encode("water; river").mask.shape[1]
    assert f"has {count} tokens" in str(caught[0].message)
    assert caught[0].filename == __file__


def test_a_prompt_that_fits_exactly_is_not_cut(encoder):
    count = encoder.encode("water; river").mask.shape[1]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        whole = encoder.encode("water; river", max_tokens=count)
        with pytest.raises(UserWarning, match=f"first {count - 1} are cut"):
            encoder.encode("water; river", max_tokens=count - 1)
    torch.testing.assert_close(whole.tokens, encoder.encode("water; river").tokens)


@pytest.mark.parametrize(
    ("prompts", "options", "match"),
    [
        ([], {}, "no prompt given"),
        (["gold", 5], {}, "prompt 5 is a int"),
        ([None], {}, "prompt None"),
        (b"gold", {}, "is a int"),
        ("go\ud83dld", {}, "half a character"),
        ("gold", {"max_tokens": 0}, "max_tokens 0"),
        ("water; river", {"length": 1}, "length 1 is below"),
    ],
)
def test_what_cannot_be_encoded_is_refused(encoder, prompts, options, match):
    with pytest.raises(ValueError, match=match):
        encoder.encode(prompts, **options)


def test_half_precision_on_disk_is_single_precision_in_memory(encoder, folder):
    stored = load_file(folder / "model.safetensors")
    assert {value.dtype for value in stored.values()} == {torch.float16}
    loaded = encoder.model.state_dict()
    assert {value.dtype for value in loaded.values()} == {torch.float32}
    assert torch.equal(loaded["embedding.weight"], stored["shared.weight"].float())


def test_an_encoder_is_ready_to_use(encoder):
    assert encoder.width == WIDTH
    assert not encoder.model.training
    assert not encoder.encode("gold").tokens.requires_grad


def test_loading_and_encoding_are_quiet_and_leave_transformers_as_it_was(folder, capfd):
    before = logging.get_verbosity(), logging.is_progress_bar_enabled()
    for has_bar in (True, False):
        logging.set_verbosity_warning()
        logging.enable_progress_bar() if has_bar else logging.disable_progress_bar()
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            encoder = TextEncoder.load(str(folder), with_transformers=True)
            encoder.encode("gold " * 300, max_tokens=2000)
        assert capfd.readouterr() == ("", "")
        assert logging.get_verbosity() == logging.WARNING
        assert logging.is_progress_bar_enabled() == has_bar
    logging.set_verbosity(before[0])
    if before[1]:
        logging.enable_progress_bar()


def test_what_libraries_say_when_first_imported_is_not_shown(monkeypatch):
    plain = builtins.__import__

    def noisy(name, *args, **kwargs):
        if name == "transformers.utils":
            warnings.warn("IProgress not found", stacklevel=2)
        return plain(name, *args, **kwargs)

    monkeypatch.setattr(builtins, "__import__", noisy)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with text.quiet():
            pass


# --- what cannot be loaded --------------------------------------------------------


@pytest.mark.parametrize("name", ["config.json", "spiece.model"])
def test_a_folder_that_lacks_a_file_is_refused(broken, name):
    (broken / name).unlink()
    with pytest.raises(FileNotFoundError, match=f"no {name}.*{WAYS_OUT}"):
        TextEncoder.load(broken)


def cut(path):
    path.write_bytes(path.read_bytes()[:2000])


def rewrite(path, **changes):
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))


@pytest.mark.parametrize(
    ("spoil", "match"),
    [
        (lambda f: (f / "model.safetensors").unlink(), "model.safetensors"),
        (lambda f: cut(f / "model.safetensors"), "SafetensorError"),
        (lambda f: (f / "config.json").write_text("{"), "config"),
        (lambda f: (f / "spiece.model").write_bytes(b""), "Unigram|holds no pieces"),
        (
            lambda f: rewrite(f / "config.json", num_layers=3),
            r"disagree about \S*block.2",
        ),
        (lambda f: rewrite(f / "config.json", d_model=32), "disagree about"),
        (lambda f: rewrite(f / "config.json", d_ff=64), "disagree about"),
        (lambda f: (f / "tokenizer_config.json").unlink(), "156 tokens.*network 56"),
    ],
)
@pytest.mark.parametrize("with_transformers", [False, True])
def test_a_damaged_folder_is_refused(broken, spoil, match, with_transformers):
    spoil(broken)
    with pytest.raises(ValueError, match=f"(?s)({match}).*{WAYS_OUT}"):
        TextEncoder.load(broken, with_transformers=with_transformers)


def test_a_folder_that_is_not_there_is_refused(tmp_path):
    with pytest.raises(FileNotFoundError, match=f"nowhere.*{WAYS_OUT}"):
        TextEncoder.load(tmp_path / "nowhere")
    with pytest.raises(FileNotFoundError, match="not/a/name"):
        TextEncoder.load("not/a/name")


def test_a_hub_that_cannot_be_reached_is_told_at_once(monkeypatch, tmp_path):
    """The hub's own client would try again and again, for a minute."""
    asked = []

    def read(name, is_local):
        asked.append(is_local)
        raise OSError("not in the cache")

    monkeypatch.setattr(text, "read_pretrained", read)
    monkeypatch.setattr(huggingface_hub.constants, "ENDPOINT", "http://127.0.0.1:9")
    with pytest.raises(OSError, match=f"google-t5/t5-small is no folder.*{WAYS_OUT}"):
        TextEncoder.load("google-t5/t5-small")
    assert asked == [True]


class Hub(BaseHTTPRequestHandler):
    """The part of a model hub that hands out the files of `nobody/tiny-t5`."""

    folder, asked = None, []

    def do_HEAD(self):
        self.asked.append(self.path)
        path = self.folder / self.path.rpartition("/")[2].partition("?")[0]
        is_there = self.path.startswith("/nobody/tiny-t5/resolve/") and path.is_file()
        data = path.read_bytes() if is_there else b""
        self.send_response(200 if is_there or self.path in ("/", "/loaded") else 404)
        if not is_there:
            self.send_header("X-Error-Code", "EntryNotFound")
        self.send_header("X-Repo-Commit", "1" * 40)
        self.send_header("ETag", f'"{sha1(data).hexdigest()}"')
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        return data

    def do_GET(self):
        self.wfile.write(self.do_HEAD())

    def log_message(self, *_):
        pass


FROM_THE_HUB = """if True:
    import sys, torch
    from glyflib.text import TextEncoder
    was_imported = "transformers" in sys.modules
    first = TextEncoder.load("nobody/tiny-t5")
    torch.hub.download_url_to_file(sys.argv[1] + "/loaded", "loaded", progress=False)
    second = TextEncoder.load("nobody/tiny-t5")
    tokens = [some.encode("water; river").tokens for some in (first, second)]
    torch.save((was_imported, tokens), "out.pt")
"""


@pytest.fixture(scope="module")
def from_the_hub(folder, tmp_path_factory):
    """A program that loads an encoder by its hub name, twice."""
    Hub.folder, Hub.asked = folder, []
    server, here = (
        ThreadingHTTPServer(("127.0.0.1", 0), Hub),
        tmp_path_factory.mktemp("h"),
    )
    threading.Thread(target=server.serve_forever, daemon=True).start()
    place = f"http://127.0.0.1:{server.server_port}"
    env = os.environ | {"HF_ENDPOINT": place, "HF_HOME": str(here / "hub")}
    env |= {"HF_HUB_OFFLINE": "0", "TRANSFORMERS_OFFLINE": "0", "NO_PROXY": "*"}
    command = [sys.executable, "-c", FROM_THE_HUB, place]
    run = subprocess.run(command, cwd=here, env=env, capture_output=True, text=True)
    server.shutdown()
    server.server_close()
    assert (run.returncode, run.stdout, run.stderr) == (0, "", "")
    return torch.load(here / "out.pt")


def test_an_encoder_is_loaded_by_its_hub_name_quietly(from_the_hub, encoder):
    _, found = from_the_hub
    for tokens in found:
        torch.testing.assert_close(tokens, encoder.encode("water; river").tokens)


def test_it_is_fetched_once_and_then_found_in_the_cache(from_the_hub):
    before = Hub.asked[: Hub.asked.index("/loaded")]
    assert any("model.safetensors" in path for path in before)
    assert Hub.asked[-1] == "/loaded"


def test_the_module_is_imported_without_transformers(from_the_hub):
    was_imported, _ = from_the_hub
    assert not was_imported


# --- the encoder that comes with the book -----------------------------------------


@pytest.fixture(scope="module")
def shipped():
    return TextEncoder.load()


class TestShipped:
    def test_it_is_small_and_in_half_precision(self):
        stored = load_file(SHIPPED / "model.safetensors")
        assert {value.dtype for value in stored.values()} == {torch.float16}
        assert sum(path.stat().st_size for path in SHIPPED.iterdir()) < 13e6

    def test_transformers_alone_reads_it_the_same(self, shipped):
        tokenizer = T5Tokenizer.from_pretrained(SHIPPED)
        model = T5EncoderModel.from_pretrained(SHIPPED, dtype=torch.float32).eval()
        found = tokenizer(["water; river", "gold"], padding=True, return_tensors="pt")
        with torch.no_grad():
            expected = model(**found).last_hidden_state
        tokens, mask = shipped.encode(["water; river", "gold"])
        assert torch.equal(mask, found.attention_mask.bool())
        torch.testing.assert_close(tokens[mask], expected[mask])

    def test_its_tokenizer_makes_no_tokens_that_it_has_no_vectors_for(self, shipped):
        assert len(shipped.tokenizer) == shipped.model.config.vocab_size

    def test_a_prompt_does_not_depend_on_its_batch(self, shipped):
        captions = load_glyphs("test", 32).captions[:40]
        tokens, _ = shipped.encode(captions, length=60)
        for i, caption in enumerate(captions):
            alone = shipped.encode(caption).tokens[0]
            torch.testing.assert_close(
                tokens[i, : len(alone)], alone, rtol=1e-4, atol=1e-4
            )

    def test_few_captions_are_longer_than_what_is_read(self, shipped):
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            captions = load_glyphs("test", 32).captions
            lengths = shipped.encode(captions, max_tokens=200).mask.sum(1)
        assert (lengths > 40).float().mean() < 0.02

    def test_words_of_like_meaning_have_like_vectors(self, shipped):
        tokens, mask = shipped.encode(["gold", "silver metal", "to walk slowly"])
        mean = tokens.sum(1) / mask.sum(1, keepdim=True)
        gold, silver, walk = torch.nn.functional.normalize(mean, dim=1)
        assert gold @ silver > gold @ walk + 0.2


def numbered(*lengths):
    """Texts of so many tokens, each token its own number."""
    L = max(lengths)
    mask = torch.arange(L) < torch.tensor(lengths)[:, None]
    tokens = torch.arange(len(lengths) * L, dtype=torch.float32) + 1
    return TextCondition(tokens.reshape(len(lengths), L, 1) * mask[..., None], mask)


def test_texts_of_two_lengths_are_joined_by_padding_the_shorter():
    both = numbered(2, 3).cat(numbered(1, 5))
    assert both.tokens.shape == (4, 5, 1) and both.mask.sum(1).tolist() == [2, 3, 1, 5]
    assert not both.tokens[~both.mask].any()
    first = both.take(slice(2))
    assert torch.equal(first.tokens[:, :3], numbered(2, 3).tokens)


def test_a_mean_token_leaves_padding_out_in_half_precision_too(encoder):
    texts = ["gold", "water; river; a current of clear water"]
    for both, alone in (
        (encoder.encode(texts), encoder.encode(texts[0])),
        (encode_captions(encoder, texts), encode_captions(encoder, texts[:1])),
    ):
        found = both.mean_tokens()
        assert found.shape == (2, encoder.width) and found.dtype == torch.float32
        torch.testing.assert_close(found[:1], alone.mean_tokens())
        torch.testing.assert_close(found[0], alone.tokens[alone.mask].float().mean(0))


def test_one_text_serves_as_many_rows_as_are_wanted():
    one, two = numbered(3), numbered(1, 2)
    assert torch.equal(one.expand(4).tokens, one.tokens.repeat(4, 1, 1))
    assert two.expand(2).mask.shape == (2, 2)
    with pytest.raises(ValueError, match="2 texts must be one, or 3"):
        two.expand(3)


def test_words_that_no_token_stands_for_are_known(encoder):
    assert encoder.unknown_words("gold 水 water 🙂") == ["水", "🙂"]
    assert encoder.known_words("gold 水 water 🙂") == ["gold", "water"]
    assert encoder.unknown_words("") == []


def test_a_prompt_without_a_word_that_is_known_is_told_and_read_all_the_same(encoder):
    with pytest.warns(UserWarning, match="prompt '水 🙂': .* knows no word of it"):
        assert encoder.encode("水 🙂").mask.any()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        encoder.encode("gold 水")


def test_a_caption_falls_into_its_senses_and_brackets_stay_whole():
    assert senses("man; people; mankind") == ["man", "people", "mankind"]
    assert senses("water, liquid; juice,") == ["water", "liquid", "juice"]
    assert senses("to run (fast, far; away), swift") == [
        "to run (fast, far; away)",
        "swift",
    ]
    assert senses(" ; ,") == senses("") == []


def test_some_senses_keep_their_order_and_every_number_of_them_is_as_likely():
    generator, caption = torch.Generator().manual_seed(0), "a; b; c"
    drawn = Counter(some_senses(caption, generator) for _ in range(3000))
    assert set(drawn) == {"a", "b", "c", "a; b", "a; c", "b; c", caption}
    for num in (1, 2, 3):
        share = sum(n for text, n in drawn.items() if len(senses(text)) == num) / 3000
        assert share == pytest.approx(1 / 3, abs=0.04)
    assert some_senses("water, liquid, lotion", generator).count(";") == 0


def test_a_caption_of_one_sense_stays_as_it_is_and_draws_nothing():
    generator = torch.Generator().manual_seed(0)
    before = generator.get_state()
    for caption in ("gold", "", "to run (fast, far)", "gold;"):
        assert some_senses(caption, generator) == caption
    assert generator.get_state().equal(before)


def test_tellings_name_each_text_once_and_begin_with_the_whole_caption():
    captions = ["gold", "hand; to grasp", "gold", "heart; mind, soul"]
    texts, choices = tellings(captions, 5, torch.Generator().manual_seed(0))
    assert len(set(texts)) == len(texts) and choices.shape == (4, 6)
    assert [texts[row] for row in choices[:, 0]] == captions
    for caption, row in zip(captions, choices.tolist(), strict=True):
        for told in (texts[place] for place in row):
            assert set(senses(told)) <= set(senses(caption)) and senses(told)
    assert len({texts[place] for place in choices[1].tolist()}) > 1
    again = tellings(captions, 5, torch.Generator().manual_seed(0))
    assert again.texts == texts and again.choices.equal(choices)
    whole = tellings(captions, 0, torch.Generator())
    assert whole.choices.tolist() == [[0], [1], [0], [2]]


def test_content_words_leave_out_what_says_nothing_by_itself():
    caption = "(Cant.) to hold in the hand; a kind of sister-in-law's hand, 3 Hands"
    assert content_words(caption) == ["hold", "hand", "sister-in-law's", "Hands"]
    assert content_words("to be of; 3") == []


def test_each_word_of_a_caption_is_as_likely():
    generator = torch.Generator().manual_seed(0)
    drawn = Counter(one_word("to hold in one's hand", generator) for _ in range(2000))
    assert set(drawn) == {"hold", "hand"}
    assert drawn["hold"] / 2000 == pytest.approx(1 / 2, abs=0.05)
    before = generator.get_state()
    assert one_word("a hand;", generator) == "hand"
    assert one_word("to be", generator) == "to be" and one_word("", generator) == ""
    assert generator.get_state().equal(before)


def test_words_are_told_beside_the_caption_and_its_senses():
    captions = ["hand; to grasp", "heart", "to be"]
    generator = torch.Generator().manual_seed(0)
    texts, choices = tellings(captions, 1, generator, num_words=8)
    assert choices.shape == (3, 10)
    told = [{texts[place] for place in row[2:]} for row in choices.tolist()]
    assert told == [{"hand", "grasp"}, {"heart"}, {"to be"}]


@pytest.mark.parametrize(
    ("num_subsets", "num_words", "match"),
    [(-1, 0, "num_subsets -1"), (0, -2, "num_words -2")],
)
def test_fewer_than_no_tellings_are_refused(num_subsets, num_words, match):
    with pytest.raises(ValueError, match=f"{match} must be at least 0"):
        tellings(["gold"], num_subsets, torch.Generator(), num_words=num_words)
