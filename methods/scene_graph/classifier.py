"""The graph neural network that classifies scene graphs into places, and how it learns.

Paper 000, section II-B, and "compressively learned and recognized by a graph neural network"; which network, and how it
is trained, the paper leaves open.
"""

from __future__ import annotations

import copy
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from .graph import EDGE_FEATURES, SceneGraph

with warnings.catch_warnings():
    warnings.simplefilter("ignore", FutureWarning)  # of torch, at torch-geometric's own way of compiling
    from torch_geometric.nn import GINEConv, global_mean_pool

Array = NDArray[Any]

_HIDDEN = 64
_BATCH = 64
_LEARNING_RATE, _WEIGHT_DECAY = 3e-3, 1e-2
_PARTS_DROPPED = 0.3  # share of the parts that a training graph loses each time: queries are never segmented alike
_MOST_EPOCHS, _PATIENCE = 24, 4
_HELD_OUT = 5  # every so-manieth graph tells when to stop
_EPOCHS_WITHOUT_SYNTHESIS = 24  # one graph per class leaves none to hold out
_SMALLEST_RANK = 1e-3  # reciprocal, of which a logarithm is taken
#: How much of what the network learned counts beside the residual. It learned from graphs whose image is its own
#: prototype, at distance 0, and trusts ranks more than a query's deserve. In validation house 2000 (800 queries,
#: learned maps, 50 views) NBNN alone has an MRR of 45.3 %; shares of 0.1, 0.3, 0.5 and 1 gain 0.7, 2.3, 3.0 and 2.4 %
#: (with oracle maps 0.8, 2.2, 2.5 and 1.3 %), with 25 views 0.4, 1.2, 1.4 and 1.7 %. Training on less perfect ranks
#: instead (patches near a patch's own place left out; own distances raised at random) was no better: most trials ended
#: below NBNN, since the network knew the ranks of the other prototypes by heart.
_LEARNED_SHARE = 0.5


@dataclass(frozen=True, eq=False)
class GraphBatch:
    """B graphs side by side: ``nodes`` (N, K), ``edges`` (2, E), ``description`` (E, F), ``graph`` (N,) whose each node
    is, and ``whole`` (B,) which node is each graph's whole image."""

    nodes: Tensor
    edges: Tensor
    description: Tensor
    graph: Tensor
    whole: Tensor

    @classmethod
    def of(cls, graphs: Sequence[SceneGraph]) -> GraphBatch:
        """Put graphs side by side."""
        counts = np.array([len(graph.nodes) for graph in graphs])
        first = np.concatenate([[0], np.cumsum(counts)[:-1]])
        return cls(
            nodes=torch.from_numpy(np.concatenate([graph.nodes for graph in graphs])),
            edges=torch.from_numpy(
                np.concatenate([graph.edges + at for graph, at in zip(graphs, first, strict=True)], axis=1)
            ),
            description=torch.from_numpy(np.concatenate([graph.description for graph in graphs])),
            graph=torch.from_numpy(np.repeat(np.arange(len(graphs)), counts)),
            whole=torch.from_numpy(first),
        )


class GraphClassifier(nn.Module):
    """Two layers of messages of nodes and edges (GINE, Hu et al., ICLR 2020), and a residual from what the nodes
    say by themselves. In graph attention edges only weigh messages, and how parts lie hardly reached the answer.

    The residual, a learned multiple of the logarithm of the whole image's reciprocal ranks and of the mean of all
    nodes', makes the network start from Patch-NetVLAD's own ranking: what it learns is how to correct that. Without it,
    a few graphs per class teach less than the descriptors already know.
    """

    def __init__(self, places: int) -> None:
        super().__init__()
        self.enter = nn.Linear(places, _HIDDEN)
        self.layers = nn.ModuleList(
            GINEConv(nn.Linear(_HIDDEN, _HIDDEN), train_eps=True, edge_dim=EDGE_FEATURES, aggr="mean") for _ in range(2)
        )
        self.leave = nn.Linear(2 * _HIDDEN, places)
        self.residual = nn.Parameter(torch.ones(2))
        nn.init.zeros_(self.leave.weight)
        nn.init.zeros_(self.leave.bias)

    def forward(self, graphs: GraphBatch) -> Tensor:
        """Return logits (B, K)."""
        whole, count = graphs.whole, len(graphs.whole)
        hidden = functional.relu(self.enter(graphs.nodes))
        for layer in self.layers:
            hidden = functional.relu(layer(hidden, graphs.edges, graphs.description))
        pooled = torch.cat([hidden[whole], global_mean_pool(hidden, graphs.graph, count)], dim=1)
        alone = graphs.nodes[whole].clamp_min(_SMALLEST_RANK).log()
        together = global_mean_pool(graphs.nodes, graphs.graph, count)
        learned = self.leave(pooled) * (1.0 if self.training else _LEARNED_SHARE)
        return learned + self.residual[0] * alone + self.residual[1] * together

    def probabilities(self, graph: SceneGraph) -> Array:
        """Return the probability (K,) float32 of each class for one graph."""
        with torch.inference_mode():
            return self(GraphBatch.of([graph])).softmax(dim=1)[0].numpy()


def train_classifier(
    graphs: Sequence[SceneGraph], labels: Array, places: int, *, synthesized: bool, seed: int
) -> GraphClassifier:
    """Train on graphs with their classes (N,); with the same arguments, the same network.

    Where graphs were ``synthesized``, a fifth of them is held out and training stops when they are no longer recognized
    better; views that anybody took are never used. Without them there is one graph per class, and training stops after
    a fixed number of epochs.
    """
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        network = GraphClassifier(places)
        examples = _Examples(graphs, torch.from_numpy(np.asarray(labels, dtype=np.int64)))
        rng = np.random.default_rng(seed)
        if synthesized:
            _train_until_it_stops_helping(network, examples, rng)
        else:
            _train_epochs(network, examples, rng)
    network.eval().requires_grad_(False)
    return network


@dataclass(frozen=True, eq=False)
class _Examples:
    graphs: Sequence[SceneGraph]
    labels: Tensor

    def __getitem__(self, chosen: Array) -> _Examples:
        return _Examples([self.graphs[index] for index in chosen], self.labels[torch.from_numpy(chosen)])

    def __len__(self) -> int:
        return len(self.graphs)


def _optimizer(network: nn.Module) -> torch.optim.Optimizer:
    return torch.optim.AdamW(network.parameters(), lr=_LEARNING_RATE, weight_decay=_WEIGHT_DECAY)


def _train_epochs(network: GraphClassifier, examples: _Examples, rng: np.random.Generator) -> None:
    optimizer = _optimizer(network)
    for _ in range(_EPOCHS_WITHOUT_SYNTHESIS):
        _train_epoch(network, examples, optimizer, rng)


def _train_until_it_stops_helping(network: GraphClassifier, examples: _Examples, rng: np.random.Generator) -> None:
    order = rng.permutation(len(examples))
    share = max(len(examples) // _HELD_OUT, 1)
    held_out, kept = examples[order[:share]], examples[order[share:] if len(order) > share else order]
    optimizer = _optimizer(network)
    best, since, weights = np.inf, 0, copy.deepcopy(network.state_dict())
    for _ in range(_MOST_EPOCHS):
        _train_epoch(network, kept, optimizer, rng)
        loss, since = _loss_of(network, held_out), since + 1
        if loss < best:
            best, since, weights = loss, 0, copy.deepcopy(network.state_dict())
        if since == _PATIENCE:
            break
    network.load_state_dict(weights)


def _train_epoch(
    network: GraphClassifier, examples: _Examples, optimizer: torch.optim.Optimizer, rng: np.random.Generator
) -> None:
    network.train()
    order = rng.permutation(len(examples))
    for start in range(0, len(order), _BATCH):
        batch = examples[order[start : start + _BATCH]]
        graphs = GraphBatch.of([without_some_parts(graph, rng) for graph in batch.graphs])
        loss = functional.cross_entropy(network(graphs), batch.labels)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()


def without_some_parts(graph: SceneGraph, rng: np.random.Generator) -> SceneGraph:
    """Return the graph without a random share of its parts and their edges; the whole image stays, as node 0."""
    keep = rng.random(len(graph.nodes)) >= _PARTS_DROPPED
    keep[0] = True
    number = np.cumsum(keep) - 1
    edges = keep[graph.edges].all(axis=0)
    return SceneGraph(graph.nodes[keep], number[graph.edges[:, edges]], graph.description[edges])


def _loss_of(network: GraphClassifier, examples: _Examples) -> float:
    network.eval()
    with torch.no_grad():
        return float(functional.cross_entropy(network(GraphBatch.of(examples.graphs)), examples.labels))
