"""Vectors of words from the `embeddings` extra, where it is installed.

The wheel of wordllama holds 32,000 pieces of words with 256 numbers each, and the tokenizer that cuts words into them.
Only these two files are read: the package's own loader looks for the tokenizer elsewhere and would fetch it.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

_WEIGHTS = Path("weights", "l2_supercat_256.safetensors")
_TOKENIZER = Path("tokenizers", "l2_supercat_tokenizer_config.json")
_AT_ONCE = 20_000  # words


class WordPieces:
    """A word is the mean of its pieces."""

    def __init__(self, folder: Path) -> None:
        from safetensors.numpy import load_file
        from tokenizers import Tokenizer

        os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
        self._pieces: NDArray[np.float32] = load_file(folder / _WEIGHTS)["embedding.weight"].astype(np.float32)
        self._tokenizer: Any = Tokenizer.from_file(str(folder / _TOKENIZER))

    def of(self, words: Sequence[str]) -> NDArray[np.float32]:
        found = np.zeros((len(words), self._pieces.shape[1]), dtype=np.float32)
        for start in range(0, len(words), _AT_ONCE):
            some = list(words[start : start + _AT_ONCE])
            for at, cut in enumerate(self._tokenizer.encode_batch(some, add_special_tokens=False), start):
                if cut.ids:
                    found[at] = self._pieces[cut.ids].mean(axis=0)
        return found


@lru_cache(maxsize=1)
def word_vectors() -> WordPieces | None:
    """None where the extra is not installed. Takes 60 MB and a quarter of a second; kept for the process."""
    try:
        spec = find_spec("wordllama")
    except (ImportError, ValueError):
        spec = None
    for folder in spec.submodule_search_locations or () if spec else ():
        if (Path(folder) / _WEIGHTS).is_file() and (Path(folder) / _TOKENIZER).is_file():
            return WordPieces(Path(folder))
    return None
