"""Correlation layers and their auxiliary loss against the equations of paper 002, term by term."""

import numpy as np
import pytest
import torch
from relocbench.methods.exrenet.correlation import (
    correct_share,
    cross_entropy,
    extensive_correlation,
    extensive_counts,
    guided_correlation,
    guided_counts,
    matches,
    open_windows,
    triplet_loss,
)


def features(seed: int, *shape: int) -> torch.Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def guided_by_loops(first, second, coarse, upscale, border):
    """Equations 2 to 4 as they are written; 0 where a window reaches beyond the map."""
    batch, _, height, width = first.shape
    rows, side = height // upscale, round(upscale * (1 + 2 * border))
    result = torch.zeros(batch, side * side, height, width, dtype=first.dtype)
    for b in range(batch):
        for y1 in range(height):
            for x1 in range(width):
                best = int(coarse[b, :, y1 // upscale, x1 // upscale].argmax())
                match_y, match_x = best % rows, best // rows
                for y2 in range(side):
                    for x2 in range(side):
                        y = round((match_y - border) * upscale) + y2
                        x = round((match_x - border) * upscale) + x2
                        if 0 <= y < height and 0 <= x < width:
                            result[b, x2 * side + y2, y1, x1] = first[b, :, y1, x1] @ second[b, :, y, x]
    return result


def loss_by_loops(correlation, counts, inside):
    """Equations 5 to 7 as they are written, and the mean over combinations for which they are defined."""
    batch, channels, height, width = correlation.shape
    terms = []
    for b in range(batch):
        for y in range(height):
            for x in range(width):
                for w in range(channels):
                    total, number = 0.0, 0
                    for q in range(channels):
                        if counts[b, w, y, x] > 0 and counts[b, q, y, x] == 0 and inside[b, q, y, x]:
                            total += max(0.0, float(correlation[b, q, y, x] - correlation[b, w, y, x]) + 1)
                            number += 1
                    if number:
                        terms.append(total / number)
    return float(np.mean(terms)) if terms else 0.0


def test_extensive_correlation_is_every_dot_product_in_the_papers_order():
    first, second = features(0, 2, 3, 4, 5), features(1, 2, 3, 4, 5)
    correlation = extensive_correlation(first, second)
    assert correlation.shape == (2, 20, 4, 5)
    for y2 in range(4):
        for x2 in range(5):
            expected = (first * second[:, :, y2, x2, None, None]).sum(dim=1)
            torch.testing.assert_close(correlation[:, x2 * 4 + y2], expected)


@pytest.mark.parametrize(
    ("rows", "columns", "upscale", "border"),
    [(3, 3, 4, 1), (2, 3, 2, 0.5), (3, 2, 3, 0), (2, 2, 4, 1.25), (1, 1, 2, 2)],
)
def test_guided_correlation_is_that_of_a_loop(rows, columns, upscale, border):
    first, second = (features(seed, 2, 3, rows * upscale, columns * upscale) for seed in (2, 3))
    coarse = features(4, 2, rows * columns, rows, columns)
    windows = open_windows(*matches(coarse, rows), upscale=upscale, border=border)
    correlation = guided_correlation(first, second, windows)
    torch.testing.assert_close(correlation, guided_by_loops(first, second, coarse, upscale, border))
    outside = ~windows.inside(rows * upscale, columns * upscale)
    assert (correlation[outside] == 0).all()
    assert (correlation[~outside] != 0).all()


def test_a_border_that_cuts_features_and_maps_that_do_not_divide_are_refused():
    match = torch.zeros(1, 2, 2, dtype=torch.long)
    with pytest.raises(ValueError, match="not a whole number"):
        open_windows(match, match, upscale=4, border=0.3)
    windows = open_windows(match, match, upscale=4, border=1)
    with pytest.raises(ValueError, match="do not divide"):
        guided_correlation(features(0, 1, 2, 9, 8), features(1, 1, 2, 9, 8), windows)


def test_identical_images_match_themselves_and_the_guided_layer_finds_every_position():
    fine = torch.nn.functional.normalize(features(5, 1, 32, 8, 8), dim=1)
    coarse = torch.nn.functional.normalize(features(6, 1, 32, 2, 2), dim=1)
    windows = open_windows(*matches(extensive_correlation(coarse, coarse), 2), upscale=4, border=1)
    best = guided_correlation(fine, fine, windows).argmax(dim=1)[0]
    for y in range(8):
        for x in range(8):
            column, row = divmod(int(best[y, x]), windows.side)
            top, left = int(windows.top[0, y // 4, x // 4]), int(windows.left[0, y // 4, x // 4])
            assert (top + row, left + column) == (y, x)


@pytest.mark.parametrize("seed", range(4))
def test_counts_are_those_of_pixels_one_by_one(seed):
    rng = np.random.default_rng(seed)
    source, target = (torch.from_numpy(rng.random((2, 200, 2))) for _ in range(2))
    valid = torch.from_numpy(rng.random((2, 200)) < 0.7)
    coarse = extensive_counts(source, target, valid, 2, 3)
    match = [torch.from_numpy(rng.integers(0, size, (2, 2, 3))) for size in (2, 3)]
    windows = open_windows(*match, upscale=4, border=0.5)
    fine = guided_counts(source, target, valid, 8, 12, windows)
    expected, guided = torch.zeros_like(coarse), torch.zeros_like(fine)
    for b in range(2):
        for (x1, y1), (x2, y2), known in zip(source[b].tolist(), target[b].tolist(), valid[b].tolist(), strict=True):
            if known:
                expected[b, int(x2 * 3) * 2 + int(y2 * 2), int(y1 * 2), int(x1 * 3)] += 1
                row = int(y2 * 8) - int(windows.top[b, int(y1 * 2), int(x1 * 3)])
                column = int(x2 * 12) - int(windows.left[b, int(y1 * 2), int(x1 * 3)])
                if 0 <= row < windows.side and 0 <= column < windows.side:
                    guided[b, column * windows.side + row, int(y1 * 8), int(x1 * 12)] += 1
    assert torch.equal(coarse, expected)
    assert torch.equal(fine, guided)
    assert 0 < guided.sum() < expected.sum() == valid.sum()


@pytest.mark.parametrize("seed", range(4))
def test_the_auxiliary_loss_is_equations_5_to_7(seed):
    rng = np.random.default_rng(seed)
    correlation = features(seed, 2, 9, 3, 2)
    counts = torch.from_numpy(rng.integers(0, 3, (2, 9, 3, 2)) * (rng.random((2, 9, 3, 2)) < 0.4))
    inside = torch.from_numpy(rng.random((2, 9, 3, 2)) < 0.8) | (counts > 0)
    assert float(triplet_loss(correlation, counts, inside)) == pytest.approx(loss_by_loops(correlation, counts, inside))
    everywhere = torch.ones_like(inside)
    assert float(triplet_loss(correlation, counts)) == pytest.approx(loss_by_loops(correlation, counts, everywhere))


def test_the_auxiliary_loss_is_0_where_matches_are_clear_and_pulls_them_up_where_not():
    counts = torch.zeros(1, 4, 1, 1, dtype=torch.long)
    counts[0, 2] = 5
    clear = torch.tensor([0.0, 0.5, 2.0, -1.0]).view(1, 4, 1, 1)
    assert float(triplet_loss(clear, counts)) == 0
    assert float(triplet_loss(clear, torch.zeros_like(counts))) == 0
    unclear = torch.zeros(1, 4, 1, 1, requires_grad=True)
    triplet_loss(unclear, counts).backward()
    slope = unclear.grad.flatten()
    assert slope[2] < 0
    assert (slope[[0, 1, 3]] > 0).all()


@pytest.mark.parametrize("seed", range(3))
def test_cross_entropy_is_that_of_the_true_matches_among_what_exists(seed):
    scores = features(seed, 2, 12, 3, 4)
    generator = torch.Generator().manual_seed(seed + 1)
    counts = torch.randint(0, 4, scores.shape, generator=generator) * (
        torch.rand(scores.shape, generator=generator) < 0.2
    )
    inside = (torch.rand(scores.shape, generator=generator) < 0.7) | (counts > 0)
    wrong = []
    for b, y, x in np.ndindex(2, 3, 4):
        number = counts[b, :, y, x]
        if number.sum():
            exists = scores[b, :, y, x][inside[b, :, y, x]].exp().sum()
            wrong.append(float(-(number * (scores[b, :, y, x].exp() / exists).log()).sum() / number.sum()))
    assert float(cross_entropy(scores, counts, inside)) == pytest.approx(np.mean(wrong))
    assert float(cross_entropy(scores, torch.zeros_like(counts))) == 0


def test_cross_entropy_pulls_true_matches_up_and_passes_nothing_to_what_has_none():
    scores = torch.zeros(1, 3, 1, 2, requires_grad=True)
    counts = torch.zeros(1, 3, 1, 2, dtype=torch.long)
    counts[0, 1, 0, 0] = 5
    inside = torch.ones(1, 3, 1, 2, dtype=torch.bool)
    inside[0, 2, 0, 0] = False
    cross_entropy(scores, counts, inside).backward()
    torch.testing.assert_close(scores.grad[0, :, 0], torch.tensor([[0.5, 0.0], [-0.5, 0.0], [0.0, 0.0]]))


def test_matches_are_counted_where_there_is_something_to_match():
    scores = torch.tensor([[3.0, 0.0, 0.0], [1.0, 2.0, 9.0]])[None, :, None]
    counts = torch.tensor([[1, 1, 0], [0, 0, 0]])[None, :, None]
    assert correct_share(scores, counts) == 0.5  # of two positions; the third has no match
    assert correct_share(scores, torch.zeros_like(counts)) == 0
