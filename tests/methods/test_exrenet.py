"""ExReNet from its layers to the pose of a query; weights are random here, and nothing that they say is judged."""

from __future__ import annotations

from dataclasses import asdict, replace

import numpy as np
import pytest
import torch
from relocbench.errors import InputError
from relocbench.methods.conformance import check_method
from relocbench.methods.essnet.essnet import EssNet, EssNetScale
from relocbench.methods.exrenet.certainty import CertaintyConfig
from relocbench.methods.exrenet.exrenet import ExReNetConfig, ExReNetMethod
from relocbench.methods.exrenet.input import as_taken_by, network_camera, network_image
from relocbench.methods.exrenet.network import ExReNet
from relocbench.methods.exrenet.outputs import relative_poses
from relocbench.methods.exrenet.regression import HiddenLayers
from relocbench.methods.exrenet.settings import SMALL, VARIANTS, settings_of
from relocbench.methods.method import Query
from relocbench.methods.networks.checkpoints import save_network
from relocbench.methods.registry import make_method
from relocbench.methods.solvers.triangulation import triangulate_pose
from relocbench.sim.geometry import Camera, Pose, rotation_error, translation_error
from scipy.spatial.transform import Rotation

RETRIEVAL = {"words": 32}


def network(name: str = "exrenet", seed: int = 0, **changes: object) -> ExReNet:
    torch.manual_seed(seed)
    net = ExReNet(replace(settings_of(name, "small"), **changes)).requires_grad_(False)
    for layer in net.modules():
        if isinstance(layer, torch.nn.BatchNorm2d):
            layer.momentum = None
    for step in range(4):  # in training mode: the statistics of the layers, without which all answers are the same
        net(images(10 + step, 4), images(20 + step, 4))
    return net.eval()


def images(seed: int, count: int = 2) -> torch.Tensor:
    """Images of patches of colour."""
    patches = torch.rand(count, 3, 16, 16, generator=torch.Generator().manual_seed(seed))
    return torch.nn.functional.interpolate(patches, size=(128, 128), mode="nearest")


@pytest.fixture(scope="module")
def checkpoints(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Random networks by the name of their variant."""
    folder = tmp_path_factory.mktemp("exrenet")
    for name in ("exrenet", "exrenet-unscaled", "exrenet-classic", "essnet", "essnet-scale"):
        about = {"network": asdict(settings_of(name, "small"))}
        save_network(network(name), folder / f"{name}.safetensors", about=about)
    bins = {"rotation": "yaw", "direction": "azimuth"}
    about = {"network": asdict(replace(settings_of("exrenet", "small"), **bins))}
    save_network(network(**bins), folder / "exrenet-bins.safetensors", about=about)
    return {path.stem: str(path) for path in folder.iterdir()}


@pytest.mark.parametrize("name", VARIANTS)
def test_every_network_of_the_tables_answers_pairs_one_by_one_as_in_a_batch(name):
    net = network(name)
    together = net(images(1), images(2))
    assert together.shape == (2, 7 if name in ("exrenet-unscaled", "essnet") else 8)
    torch.testing.assert_close(net(images(1)[1:], images(2)[1:]), together[1:], rtol=1e-4, atol=1e-5)
    assert not torch.allclose(net(images(1), images(3)), together)  # the query matters
    assert not torch.allclose(net(images(3), images(2)), together)  # the reference matters


def test_the_papers_network_has_its_shapes():
    torch.manual_seed(0)
    net = ExReNet(settings_of("exrenet", "full")).eval()
    with torch.no_grad():
        features = net.features(images(0))
        matched = net.match(features, features)
    assert features.coarse.shape == (2, 1024, 8, 8)
    assert features.fine.shape == (2, 256, 32, 32)
    assert matched.extensive.shape == (2, 64, 8, 8)
    assert matched.guided.shape == (2, 144, 32, 32)
    assert net.summarise(matched).shape == (2, 512)


def test_with_softmax_what_is_compared_with_nothing_weighs_nothing():
    matched = network().match(*(network().features(images(seed)) for seed in (1, 2)))
    _, fine = matched.entering
    torch.testing.assert_close(fine.sum(dim=1), torch.ones(2, 32, 32))
    inside = matched.windows.inside(32, 32)
    assert 0 < inside.float().mean() < 1
    assert (fine[~inside] == 0).all()


def test_a_coarse_match_counts_where_it_is_one_both_ways():
    net = network()
    one, other = (net.features(images(seed)) for seed in (1, 2))
    there, back = net.match(one, other).entering[0], net.match(other, one).entering[0]
    torch.testing.assert_close(there.view(2, 8, 8, 8, 8), back.view(2, 8, 8, 8, 8).permute(0, 4, 3, 2, 1))
    assert (there >= 0).all()
    assert (there.sum(dim=1) <= 1 + 1e-5).all()
    shares = (net.sharpness[0] * net.match(one, other).extensive).softmax(dim=1)
    assert (there <= shares + 1e-6).all()


def test_dropout_samples_scatter_around_the_answer_without_it():
    torch.manual_seed(0)
    head = HiddenLayers(16, 64, 3, 0.1).eval().requires_grad_(False)
    vectors = torch.randn(4, 16)
    samples = head.sample(vectors, 4000, torch.Generator().manual_seed(1))
    assert samples.shape == (4000, 4, 3)
    torch.testing.assert_close(samples.mean(dim=0), head(vectors), atol=0.02, rtol=0.05)
    assert (samples.std(dim=0) > 0.005).all()
    again = head.sample(vectors, 4000, torch.Generator().manual_seed(1))
    assert torch.equal(samples, again)
    head.dropout = 0.0
    assert torch.allclose(head.sample(vectors, 3, torch.Generator()), head(vectors))


def test_outputs_are_poses_whatever_their_length_and_sign():
    rotation = Rotation.random(20, rng=np.random.default_rng(0))
    quaternion = rotation.as_quat(scalar_first=True)
    direction = np.random.default_rng(1).normal(size=(20, 3))
    outputs = np.concatenate([3 * direction, -0.2 * quaternion, np.linspace(-1, 5, 20)[:, None]], axis=1)
    poses, scales = relative_poses(outputs)
    np.testing.assert_allclose(poses.rotation, rotation.as_matrix(), atol=1e-9)
    np.testing.assert_allclose(np.cross(poses.translation, direction), 0, atol=1e-9)
    assert (scales > 0).all()
    assert scales[-1] == 5
    nothing, missing = relative_poses(np.zeros((1, 7)))
    assert missing is None
    np.testing.assert_array_equal(nothing.rotation[0], np.eye(3))


@pytest.mark.parametrize(
    "camera", [Camera.from_fov(256, 256, 90), Camera.from_fov(320, 240, 60), Camera(300, 200, 110, 120, 140, 95)]
)
def test_a_point_of_the_scene_lies_where_the_networks_camera_sees_it(camera):
    other = network_camera(128)
    rays = np.array([[0.0, 0.0, 1.0], [0.3, -0.2, 1.0], [-0.35, 0.3, 1.0]])
    rows, columns = np.mgrid[: camera.height, : camera.width] + 0.5
    image = np.zeros((camera.height, camera.width, 3), np.uint8)
    for channel, (u, v) in enumerate(camera.project(rays)):
        blob = np.exp(-((columns - u) ** 2 + (rows - v) ** 2) / (2 * 5.0**2))
        image[..., channel] = np.round(255 * blob)
    seen = as_taken_by(image, camera, other).astype(float)
    assert seen.shape == (128, 128, 3)
    at_rows, at_columns = np.mgrid[:128, :128] + 0.5
    for channel, (u, v) in enumerate(other.project(rays)):
        weight = seen[..., channel] / seen[..., channel].sum()
        np.testing.assert_allclose([(weight * at_columns).sum(), (weight * at_rows).sum()], [u, v], atol=0.3)
    assert network_image(image, camera, 128).shape == (1, 3, 128, 128)


class Truthful(ExReNetMethod):
    """Answers with the true relative poses in place of a network's, so that all else can be held against the truth."""

    query: Pose

    def _outputs(self, features, selected, seed):
        relative = self.query.relative_to(self._retrieval.poses[selected])
        length = np.linalg.norm(relative.translation, axis=1, keepdims=True)
        outputs = np.concatenate([relative.translation / length, relative.quaternion, length], axis=1)
        return outputs[None]


@pytest.mark.parametrize("fusion", ["certainty", "pairs"])
def test_true_relative_poses_give_the_true_pose(fusion, checkpoints, fitted_folder, box_references, box_queries):
    method = Truthful(ExReNetConfig(weights=checkpoints["exrenet"], fusion=fusion, retrieval=RETRIEVAL))
    method.load(fitted_folder)
    method.build_map(box_references)
    for view in box_queries:
        method.query = view.pose
        answer = method.localize(Query(view.image(), view.camera))
        assert translation_error(answer.pose, view.pose) < 1e-6
        assert rotation_error(answer.pose, view.pose) < 1e-5
        assert answer.flags == ()
        if fusion == "pairs":
            assert answer.confidence == 5
        else:
            assert answer.confidence > 0


def test_fusion_by_pairs_is_triangulation_of_the_mean_of_all_samples(
    checkpoints, fitted_folder, box_references, box_queries
):
    method = ExReNetMethod(
        ExReNetConfig(weights=checkpoints["exrenet"], fusion="pairs", samples=9, retrieval=RETRIEVAL)
    )
    method.load(fitted_folder)
    method.build_map(box_references)
    outputs, selected = recorded(method)
    for number, view in enumerate(box_queries):
        answer = method.localize(Query(view.image(), view.camera, seed=number))
        relative, scales = relative_poses(outputs[-1].mean(axis=0))
        lengths = np.maximum(outputs[-1][..., 7:], 0.01)
        directions = outputs[-1][..., :3].astype(float)
        centres = lengths * directions / np.linalg.norm(directions, axis=-1, keepdims=True)
        found = triangulate_pose(
            box_references.poses[selected[-1]],
            relative,
            scales=scales,
            uncertainties=centres.var(axis=0).sum(axis=-1),
            strict=False,
        )
        np.testing.assert_array_equal(answer.pose.matrix, found.pose.matrix)
        assert answer.confidence == found.inliers.sum()


def recorded(method):
    """Return lists that fill with what the network answers of every query, and with the references asked about."""
    outputs, references = [], []
    answer = method._outputs

    def recording(features, selected, seed):
        outputs.append(answer(features, selected, seed))
        references.append(selected)
        return outputs[-1]

    method._outputs = recording
    return outputs, references


def test_an_answer_is_the_surer_the_longer_its_quaternion_and_the_more_alike_its_reference():
    certainty = CertaintyConfig().for_form("quaternion")
    scores = np.array([0.1, 0.5, 0.2, 0.3])
    by_length = certainty.of(np.array([0.7, 0.8, 0.9, 1.0]), np.zeros(4), [0, 1, 2, 3])
    assert (np.diff(by_length) > 0).all()
    assert ((by_length > 0) & (by_length < 1)).all()
    by_likeness = certainty.of(np.full(3, 0.9), scores, [1, 3, 0])
    assert (np.diff(by_likeness) < 0).all()
    np.testing.assert_allclose(certainty.of(np.full(3, 0.9), 7 * scores - 3, [1, 3, 0]), by_likeness)
    assert certainty.of(np.full(1, 0.9), np.array([0.4]), [0]) == pytest.approx(1 / (1 + np.exp(-certainty.offset)))
    changed = CertaintyConfig(per_length=0).for_form("yaw")
    assert changed == replace(CertaintyConfig().for_form("yaw"), per_length=0)


def test_sure_references_decide_and_others_do_not(checkpoints, fitted_folder, box_references, box_queries):
    """Of five answers, two are true and three the same wrong turn, from quaternions that are shorter."""
    method = Truthful(ExReNetConfig(weights=checkpoints["exrenet"], retrieval=RETRIEVAL))
    method.load(fitted_folder)
    method.build_map(box_references)
    truthful = method._outputs
    turn = Pose.from_quaternion([0, 0, 1, 0], [0, 0, 0])

    def partly(features, selected, seed):
        outputs = truthful(features, selected, seed)
        poses = Pose.from_quaternion(outputs[0, :, 3:7], np.zeros((len(selected), 3)))
        outputs[0, 2:, 3:7] = 0.6 * (poses @ turn).quaternion[2:]
        return outputs

    method._outputs = partly
    for view in box_queries:
        method.query = view.pose
        answer = method.localize(Query(view.image(), view.camera))
        assert rotation_error(answer.pose, view.pose) < 1
        assert translation_error(answer.pose, view.pose) < 1e-6


def test_one_reference_is_enough_where_the_scale_is_known(checkpoints, fitted_folder, box_references, box_queries):
    for use_scale in (True, False):
        config = ExReNetConfig(weights=checkpoints["exrenet"], use_scale=use_scale, retrieval=RETRIEVAL)
        method = Truthful(config)
        method.load(fitted_folder)
        method.build_map(box_references[:1])
        view = box_queries[0]
        method.query = view.pose
        answer = method.localize(Query(view.image(), view.camera))
        assert answer.flags == ("single",)
        assert rotation_error(answer.pose, view.pose) < 1e-5
        expected = view.pose if use_scale else box_references.poses[0]
        assert translation_error(answer.pose, expected) < 1e-6


@pytest.mark.parametrize(
    ("method", "name", "config"),
    [
        (ExReNetMethod, "exrenet", {}),
        (ExReNetMethod, "exrenet", {"fusion": "pairs"}),
        (ExReNetMethod, "exrenet-bins", {"samples": 7}),
        (ExReNetMethod, "exrenet-bins", {"fusion": "pairs"}),
        (ExReNetMethod, "exrenet-unscaled", {"samples": 7}),
        (ExReNetMethod, "exrenet", {"samples": 0, "use_scale": False}),
        (ExReNetMethod, "exrenet-classic", {}),
        (EssNet, "essnet", {}),
        (EssNet, "essnet", {"fusion": "certainty"}),
        (EssNetScale, "essnet-scale", {}),
    ],
)
def test_methods_keep_the_contract(method, name, config, checkpoints):
    check_method(method, method.Config(weights=checkpoints[name], retrieval=RETRIEVAL, **config))


def test_essnet_has_no_scale_even_where_its_weights_do(box_references, box_queries, checkpoints):
    """From one reference it knows the direction of a query and not how far: it answers with the reference's place."""
    query = Query(box_queries[0].image(), box_queries[0].camera)
    reference = box_references[:1]

    def distance(method, weights):
        localizer = method(method.Config(weights=checkpoints[weights], retrieval=RETRIEVAL))
        localizer.learning_part.fit(box_references)
        localizer.build_map(reference)
        answer = localizer.localize(query)
        assert answer.flags == ("single",)
        return translation_error(answer.pose, reference.poses[0])

    assert distance(EssNet, "essnet") == distance(EssNet, "essnet-scale") == 0
    assert distance(EssNetScale, "essnet-scale") > 0
    with pytest.raises(InputError, match="configuration key 'use_scale'"):
        make_method("essnet", {"use_scale": True})


def test_a_state_dict_is_read_without_running_code_from_it(tmp_path, checkpoints):
    torch.save(network().state_dict(), tmp_path / "weights.pt")
    ExReNetMethod(ExReNetConfig(weights=str(tmp_path / "weights.pt")))
    with pytest.raises(InputError, match="not a checkpoint of essnet-small"):
        EssNet(ExReNetConfig(weights=str(tmp_path / "weights.pt")))
    torch.save(network(), tmp_path / "network.pt")
    with pytest.raises(InputError, match="without running code"):
        ExReNetMethod(ExReNetConfig(weights=str(tmp_path / "network.pt")))
    torch.save([1, 2], tmp_path / "list.pt")
    with pytest.raises(InputError, match="no state dict"):
        ExReNetMethod(ExReNetConfig(weights=str(tmp_path / "list.pt")))
    save_network(network(), tmp_path / "odd.safetensors", about={"network": {"colour": "blue"}})
    with pytest.raises(InputError, match="does not know"):
        ExReNetMethod(ExReNetConfig(weights=str(tmp_path / "odd.safetensors")))
    with pytest.raises(InputError, match="no such checkpoint; 'relocbench train exrenet --size small'"):
        ExReNetMethod(ExReNetConfig(weights=str(tmp_path / "none.safetensors")))


def test_a_checkpoint_says_which_network_it_is(checkpoints):
    """Ablations are tried as weights of `exrenet`, whose own network is another."""
    method = ExReNetMethod(ExReNetConfig(weights=checkpoints["exrenet-classic"]))
    assert method._network.settings == replace(SMALL, matching="single")
