"""Shapes of models by name: the true one, and small ones for tests and for measuring on a CPU. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

__all__ = ["CONFIGS", "ModelShape", "mimi_config"]

_DELAYS: Final = (0, 0, *(1,) * 7, 0, *(1,) * 7)


@dataclass(frozen=True, slots=True)
class ModelShape:
    """Sizes of a four-stream model. `mimi_width` scales the codec; 1.0 is the released one."""

    dim: int
    heads: int
    layers: int
    depth_dim: int
    depth_heads: int
    depth_layers: int
    card: int
    text_card: int
    context: int
    mimi_width: float = 1.0

    def lm_config(self) -> dict[str, Any]:
        """The `config.json` of such a model."""
        return {
            "delays": list(_DELAYS),
            "n_q": 16,
            "dep_q": 8,
            "card": self.card,
            "text_card": self.text_card,
            "existing_text_padding_id": 3,
            "dim": self.dim,
            "num_heads": self.heads,
            "num_layers": self.layers,
            "hidden_scale": 4.125,
            "causal": True,
            "layer_scale": None,
            "context": self.context,
            "max_period": 10000,
            "gating": "silu",
            "norm": "rms_norm_f32",
            "positional_embedding": "rope",
            "depformer_dim": self.depth_dim,
            "depformer_dim_feedforward": int(4.125 * self.depth_dim),
            "depformer_num_heads": self.depth_heads,
            "depformer_num_layers": self.depth_layers,
            "depformer_multi_linear": True,
            "depformer_context": 8,
            "depformer_gating": "silu",
            "depformer_pos_emb": "none",
            "depformer_weights_per_step": True,
            "model_type": "moshi",
        }


CONFIGS: Final = {
    "7b": ModelShape(4096, 32, 32, 1024, 16, 6, 2048, 32000, 3000),
    "small": ModelShape(512, 8, 4, 256, 4, 2, 1024, 4000, 750, mimi_width=0.125),
    "tiny": ModelShape(64, 4, 2, 32, 2, 2, 64, 200, 96, mimi_width=0.0625),
    "least": ModelShape(32, 2, 1, 16, 1, 1, 64, 200, 60, mimi_width=0.03125),
}
"""`7b` is the released model. The others have its structure and none of its sense."""


def mimi_config(width: float, bins: int) -> dict[str, Any]:
    """Mimi's own configuration, its widths scaled. The frame rate is kept; the least has fewer stages."""
    dim = max(32, int(512 * width))
    return {
        "sample_rate": 24000,
        "channels": 1,
        "frame_rate": 12.5,
        "seanet": {
            "channels": 1,
            "dimension": dim,
            "causal": True,
            "n_filters": max(2, int(64 * width)),
            "n_residual_layers": 1,
            "activation": "ELU",
            "compress": 2,
            "dilation_base": 2,
            "disable_norm_outer_blocks": 0,
            "kernel_size": 7,
            "residual_kernel_size": 3,
            "last_kernel_size": 3,
            "norm": "none",
            "pad_mode": "constant",
            "ratios": [8, 6, 5, 4] if width > 0.05 else [40, 24],
            "true_skip": True,
        },
        "quantizer": {
            "dimension": max(16, dim // 2),
            "n_q": 32 if width >= 1 else 8,
            "bins": bins,
            "input_dimension": dim,
            "output_dimension": dim,
        },
        "transformer": {
            "d_model": dim,
            "num_heads": 8 if width >= 1 else 2,
            "num_layers": 8 if width >= 1 else 1,
            "causal": True,
            "layer_scale": 0.01,
            "context": 250,
            "conv_layout": True,
            "max_period": 10000,
            "gating": "none",
            "norm": "layer_norm",
            "positional_embedding": "rope",
            "dim_feedforward": 4 * dim,
            "input_dimension": dim,
            "output_dimensions": [dim],
        },
    }
