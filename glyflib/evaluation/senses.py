"""Words with two meanings, each in three short texts, to see whether context counts.

Invariant: in every triple the word stands in all three texts; in the first two it
means the same, in the third something else.
"""

from collections.abc import Callable, Sequence
from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn.functional import cosine_similarity


class Sense(NamedTuple):
    """One word in three texts: twice the same meaning, then another.

    Attributes:
        word: that stands in all three.
        text: it has its first meaning here.
        same: and here.
        other: it means something else here.
    """

    word: str
    text: str
    same: str
    other: str


SENSES = tuple(
    Sense(*row)
    for row in (
        (
            "element",
            "lithium, a chemical element",
            "sodium, an element that is a soft metal",
            "the heating element of a kettle",
        ),
        (
            "bank",
            "the bank of a river",
            "a muddy bank beside the stream",
            "a bank that lends money",
        ),
        (
            "bat",
            "a bat, a flying mammal",
            "the bat, an animal with wings",
            "a wooden bat to hit a ball",
        ),
        (
            "spring",
            "spring, the season after winter",
            "flowers of early spring",
            "a steel spring inside a watch",
        ),
        (
            "bark",
            "the bark of a tree",
            "rough bark on the trunk",
            "the bark of an angry dog",
        ),
        (
            "bow",
            "a bow to shoot arrows",
            "an archer with his bow",
            "the bow of a ship",
        ),
        (
            "light",
            "the light of a lamp",
            "bright light of the sun",
            "light, of little weight",
        ),
        (
            "seal",
            "a seal swimming in the sea",
            "a seal, a mammal that eats fish",
            "the seal of the emperor, stamped in wax",
        ),
        (
            "palm",
            "a palm with coconuts",
            "a tall palm, a tropical tree",
            "the palm of the hand",
        ),
        (
            "crane",
            "a crane, a bird with long legs",
            "the white crane flew to its nest",
            "a crane to lift heavy loads",
        ),
        (
            "plant",
            "a plant with green leaves",
            "to water a plant in a garden",
            "a plant where cars are made",
        ),
        (
            "scale",
            "the scale of a fish",
            "a snake's scale, part of its skin",
            "a scale for weighing flour",
        ),
        (
            "trunk",
            "the trunk of a tree",
            "a thick trunk under the branches",
            "the trunk of an elephant",
        ),
        (
            "nail",
            "to hammer a nail into wood",
            "an iron nail and a screw",
            "the nail of a finger",
        ),
        (
            "ring",
            "a gold ring on a finger",
            "a ring, a piece of jewellery",
            "the ring of a telephone",
        ),
        (
            "fly",
            "a fly, a small insect",
            "a fly buzzing over the food",
            "to fly through the air",
        ),
        (
            "date",
            "a date, a sweet fruit",
            "dried date and fig",
            "the date of a meeting",
        ),
        (
            "current",
            "the current of a river",
            "a swift current of water",
            "an electric current in a wire",
        ),
        (
            "mole",
            "a mole that digs in the ground",
            "a mole, a small blind animal",
            "a mole on the skin of the face",
        ),
        (
            "pen",
            "a pen to write with",
            "ink for a fountain pen",
            "a pen for pigs and sheep",
        ),
        (
            "lead",
            "lead, a heavy metal",
            "pipes made of lead and copper",
            "to lead an army",
        ),
        (
            "chest",
            "the chest of a man",
            "a pain in the chest near the heart",
            "a chest full of treasure",
        ),
        (
            "match",
            "to strike a match and light a fire",
            "a match, a stick that burns",
            "a match between two teams",
        ),
        (
            "wave",
            "a wave of the sea",
            "a high wave breaking on the shore",
            "to wave a hand in greeting",
        ),
        (
            "star",
            "a star in the night sky",
            "the pole star, seen from earth",
            "a star of many films",
        ),
        (
            "wood",
            "wood to make furniture",
            "a board of hard wood",
            "to walk in a wood among trees",
        ),
        (
            "sound",
            "the sound of a bell",
            "a loud sound heard far away",
            "sound, healthy and strong",
        ),
        (
            "tongue",
            "the tongue in the mouth",
            "to lick with the tongue",
            "a foreign tongue, spoken by few",
        ),
    )
)


def sense_margins(
    word_vector: Callable[[str, str], Tensor], senses: Sequence[Sense] = SENSES
) -> Tensor:
    """How much nearer a word is to its own meaning than to another, (N,).

    Args:
        word_vector: gives the vector (D,) of a word in a text.
        senses: N words in three texts each.

    Returns:
        Cosine with the same meaning minus cosine with the other, in [-2, 2]; 0 for
        vectors that do not heed the context.
    """
    margins = []
    for word, *texts in senses:
        here, same, other = (word_vector(word, text) for text in texts)
        near = cosine_similarity(here, same, dim=0)
        margins.append(near - cosine_similarity(here, other, dim=0))
    return torch.stack(margins)
