# SPDX-License-Identifier: MIT
"""The stream of batches that a training hears: made in data workers, each one mirrored a little later."""

from __future__ import annotations

import itertools
import signal
from collections import deque
from collections.abc import Iterable, Iterator

import torch

from models.training.data.batches import BatchMaker


class BatchStream(torch.utils.data.IterableDataset):
    """The share of one rank of the batches from `first` on, made in the data worker.

    It looks for new recordings every 40 batches.
    """

    def __init__(self, maker: BatchMaker, first: int, rank: int, num_ranks: int):
        self.maker = maker
        self.first = first
        self.rank = rank
        self.num_ranks = num_ranks

    def __iter__(self):
        torch.set_num_threads(1)
        info = torch.utils.data.get_worker_info()
        if info:  # a process of its own: the trainer's handler is not for it
            signal.signal(signal.SIGTERM, signal.SIG_DFL)
        worker, num_workers = (info.id, info.num_workers) if info else (0, 1)
        for count in itertools.count():
            if count % 40 == 0:
                self.maker.pool.refresh()
            index = self.first + (count * num_workers + worker) * self.num_ranks + self.rank
            batch = self.maker.make(index)
            yield tuple(torch.from_numpy(part) for part in batch.parts())


def with_mirrors(batches: Iterable[tuple[torch.Tensor, ...]], delay: int = 6) -> Iterator[tuple[torch.Tensor, ...]]:
    """Every batch, and some batches later the same with left and right exchanged: a new excerpt for nothing.

    Making a batch costs half as much as an update, so this is a sixth off the price of an update.
    """
    waiting: deque[tuple[torch.Tensor, ...]] = deque()
    for batch in batches:
        yield batch
        waiting.append(batch)
        if len(waiting) > delay:
            energy, cross, product, stem_energy, known = waiting.popleft()
            yield energy.flip(2), cross, product.flip(3), stem_energy.flip(2), known
