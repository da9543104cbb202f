"""Depth and categories by name: the truth, our networks, and public models in the form in which they are published."""

from pathlib import Path

import numpy as np
import pytest
import torch
import transformers
from relocbench.errors import InputError
from relocbench.methods.box_room import CAMERA, box_maps, random_poses, write_views
from relocbench.methods.method import PrivilegedQuery, Query
from relocbench.methods.networks.checkpoints import save_network
from relocbench.methods.networks.feature_pyramid import PyramidConfig
from relocbench.methods.perception.depth import metric_depth, open_depth
from relocbench.methods.perception.networks import DepthNetwork, SegmentationNetwork
from relocbench.methods.perception.segmentation import open_segmentation
from relocbench.sim.geometry import Camera, Pose
from relocbench.sim.scenes.categories import CATEGORIES


@pytest.fixture(scope="module")
def view(tmp_path_factory):
    pose = Pose.from_planar(np.array([[2.0, 2.0]]), height=np.array([1.4]), yaw=np.array([0.3]))
    return write_views(tmp_path_factory.mktemp("views"), pose, seed=1, role="reference", name="views")[0]


def test_the_oracle_reads_the_simulators_maps(view):
    depth, semantic = box_maps(view.pose, view.camera)
    np.testing.assert_allclose(open_depth("oracle").of_view(view), depth, atol=1e-3)
    segmenter = open_segmentation("oracle")
    np.testing.assert_array_equal(segmenter.of_view(view), semantic)
    query = PrivilegedQuery(view.image(), view.camera, semantic=semantic)
    np.testing.assert_array_equal(segmenter.of_query(query), semantic)
    with pytest.raises(TypeError, match="semantic map"):
        segmenter.of_query(Query(view.image(), view.camera))


def test_our_networks_answer_at_the_images_resolution(view, tmp_path):
    torch.manual_seed(0)
    for network, task in (
        (DepthNetwork(PyramidConfig()), "depth"),
        (SegmentationNetwork(PyramidConfig()), "segmentation"),
    ):
        save_network(network, tmp_path / f"{task}.safetensors", about={})
    depth = open_depth("learned", str(tmp_path / "depth.safetensors")).of_view(view)
    assert depth.shape == (CAMERA.height, CAMERA.width)
    assert (depth > 0).all()
    segmenter = open_segmentation("learned", str(tmp_path / "segmentation.safetensors"))
    categories = segmenter.of_view(view)
    assert categories.shape == depth.shape
    assert categories.max() < len(CATEGORIES)
    np.testing.assert_array_equal(categories, segmenter.of_query(Query(view.image(), view.camera)))


def test_categories_are_known_by_their_names_whatever_their_number(view, tmp_path):
    """A network of before a category was added, and of before another was dropped, in another order."""
    torch.manual_seed(0)
    names = ("unknown", "door", "hitching post", "wall")
    network = SegmentationNetwork(PyramidConfig(), names)
    ids = []
    for channel in range(len(names)):
        network.head.bias.data = 1e3 * torch.eye(len(names))[channel]
        save_network(network, tmp_path / "few.safetensors", about={"categories": names})
        ids += list(np.unique(open_segmentation("learned", str(tmp_path / "few.safetensors")).of_view(view)))
    assert ids == [0, CATEGORIES.index("door"), 0, CATEGORIES.index("wall")]


def test_a_longer_lens_sees_the_same_picture_farther_away(tmp_path):
    save_network(DepthNetwork(PyramidConfig()), tmp_path / "depth.safetensors", about={})
    estimator = open_depth("learned", str(tmp_path / "depth.safetensors"))
    pose = random_poses(np.random.default_rng(0), 1)
    depths = []
    for fov in (90.0, 60.0):
        camera = Camera.from_fov(160, 120, fov)
        (seen,) = write_views(tmp_path, pose, seed=1, role="reference", name=f"fov{fov:g}", camera=camera)
        wide = write_views(tmp_path, pose, seed=1, role="reference", name="wide")[0]
        (tmp_path / seen.files["image"]).write_bytes((tmp_path / wide.files["image"]).read_bytes())
        depths.append(estimator.of_view(seen))
    np.testing.assert_allclose(depths[1], depths[0] / np.tan(np.radians(30)), rtol=1e-4)


def test_relative_inverse_depth_becomes_metric_by_the_floor(view):
    truth, _ = box_maps(view.pose, view.camera)
    np.testing.assert_allclose(metric_depth(7.3 / truth, view), truth, rtol=0.02)


def small_dpt(folder: Path) -> str:
    config = transformers.DPTConfig(
        image_size=32, patch_size=8, hidden_size=16, num_hidden_layers=4, num_attention_heads=2, intermediate_size=16,
        backbone_out_indices=[0, 1, 2, 3], neck_hidden_sizes=[8, 8, 8, 8], fusion_hidden_size=8,
    )  # fmt: skip
    transformers.DPTForDepthEstimation(config).save_pretrained(folder)
    transformers.DPTImageProcessor(size={"height": 32, "width": 32}).save_pretrained(folder)
    return str(folder)


def small_segformer(folder: Path, labels: int) -> str:
    config = transformers.SegformerConfig(
        depths=[1, 1, 1, 1], hidden_sizes=[8, 8, 16, 16], decoder_hidden_size=16, num_labels=labels
    )
    transformers.SegformerForSemanticSegmentation(config).save_pretrained(folder)
    transformers.SegformerImageProcessor(size={"height": 64, "width": 64}).save_pretrained(folder)
    return str(folder)


def test_public_models_are_loaded_from_their_folders(view, tmp_path):
    torch.manual_seed(0)
    depth = open_depth("midas", small_dpt(tmp_path / "dpt")).of_view(view)
    assert depth.shape == (CAMERA.height, CAMERA.width)
    assert (depth > 0).all()
    segmenter = open_segmentation("ade20k", small_segformer(tmp_path / "segformer", labels=150))
    categories = segmenter.of_view(view)
    assert categories.shape == depth.shape
    assert 1 <= categories.min() <= categories.max() <= 150  # "unknown" is none of a public model's answers


def test_what_cannot_be_had_is_one_clear_line(tmp_path, monkeypatch):
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    with pytest.raises(InputError, match=r"cannot be loaded .* give its path as weights"):
        open_depth("midas", str(tmp_path / "nothing"))
    with pytest.raises(InputError, match="tells 3 categories apart, not the 150"):
        open_segmentation("ade20k", small_segformer(tmp_path / "three", labels=3))
    with pytest.raises(InputError, match="no depth 'sonar'"):
        open_depth("sonar")
