"""A decoder-only transformer over bytes, with a KV cache and seeded random weights.

It reads UTF-8 bytes and writes printable ASCII, one byte a token: nonsense, at the honest cost of a
language model of its size.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate

from chat_service.backend import Array, Backend

END = 127
"""The token that ends a text, ASCII's DEL."""

FIRST = 32
"""The first token that the model can write: it writes FIRST to END."""


@dataclass(frozen=True, slots=True)
class Shape:
    """How large a model is; ``context`` is the most tokens, read and written, of one text."""

    name: str
    layers: int
    heads: int
    width: int
    context: int = 4096


SHAPES = {
    # 3 million weights: 1 to 2 ms for a token on a CPU core.
    "chat-small": Shape("chat-small", layers=4, heads=4, width=256),
    # 1.6 billion weights, 6.5 GB: a token reads them all, which loads a data-centre GPU.
    "chat-large": Shape("chat-large", layers=8, heads=32, width=4096),
}


class Cache:
    """The keys and values of the tokens of one text that the model has read so far."""

    def __init__(self, shape: Shape, backend: Backend, capacity: int) -> None:
        self.length = 0
        self._xp, self._device = backend.xp, backend.device
        size = (2, shape.layers, shape.heads, capacity, shape.width // shape.heads)
        self._keys, self._values = self._xp.zeros(size, dtype=self._xp.float32, device=self._device)

    def attend(self, layer: int, queries: Array, keys: Array, values: Array) -> Array:
        """What new tokens see in those before them and in themselves; all are heads x tokens x size."""
        start, end = self.length, self.length + queries.shape[1]
        self._keys[layer, :, start:end] = keys
        self._values[layer, :, start:end] = values
        scores = queries @ self._keys[layer, :, :end].swapaxes(1, 2) * queries.shape[2] ** -0.5
        if end - start > 1:
            positions = self._xp.arange(end, device=self._device)
            scores = self._xp.where(positions > positions[start:, None], float("-inf"), scores)
        weights = self._xp.exp(scores - self._xp.amax(scores, axis=-1, keepdims=True))
        return weights / weights.sum(axis=-1, keepdims=True) @ self._values[layer, :, :end]


class Transformer:
    """A model of ``shape`` with the weights that ``backend`` draws."""

    def __init__(self, shape: Shape, backend: Backend) -> None:
        self.shape = shape
        self._backend = backend
        width = shape.width
        self._embedding = backend.normal((256, width))
        self._positions = backend.normal((shape.context, width))
        self._layers = [
            [
                backend.normal(size) * size[0] ** -0.5
                for size in ((width, 3 * width), (width, width), (width, 4 * width), (4 * width, width))
            ]
            for _ in range(shape.layers)
        ]
        self._head = backend.normal((width, END - FIRST + 1)) * width**-0.5

    def new_cache(self, capacity: int) -> Cache:
        """An empty cache with room for ``capacity`` tokens."""
        return Cache(self.shape, self._backend, capacity)

    def forward(self, batch: Sequence[tuple[Sequence[int], Cache]]) -> Array:
        """Read each text's new tokens into its cache; the logits of what follows, texts x (FIRST to END)."""
        xp, device = self._backend.xp, self._backend.device
        ends = list(accumulate(len(tokens) for tokens, _ in batch))
        spans = [slice(end - len(tokens), end) for end, (tokens, _) in zip(ends, batch, strict=True)]
        ids = [token for tokens, _ in batch for token in tokens]
        positions = [cache.length + offset for tokens, cache in batch for offset in range(len(tokens))]

        x = self._embedding[xp.asarray(ids, device=device)]
        x = x + self._positions[xp.asarray(positions, device=device)]
        for layer, (mix, out, up, down) in enumerate(self._layers):
            # The weights work on all texts at once; only attention is each text's own.
            heads = (_norm(x) @ mix).reshape(len(ids), 3 * self.shape.heads, -1).swapaxes(0, 1)
            queries, keys, values = heads.reshape(3, self.shape.heads, len(ids), -1)
            seen = [
                cache.attend(layer, queries[:, span], keys[:, span], values[:, span])
                for span, (_, cache) in zip(spans, batch, strict=True)
            ]
            x = x + xp.concatenate(seen, axis=1).swapaxes(0, 1).reshape(len(ids), -1) @ out
            x = x + (_norm(x) @ up).clip(min=0) @ down
        for tokens, cache in batch:
            cache.length += len(tokens)
        return _norm(x[[end - 1 for end in ends]]) @ self._head


def _norm(x: Array) -> Array:
    return x * ((x * x).mean(axis=-1, keepdims=True) + 1e-5) ** -0.5
