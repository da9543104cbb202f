"""Which network: ExReNet of the paper, its small form, and every ablation, as values."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

from ..networks.backbone import BackboneName
from .angles import BINS

NetworkSize = Literal["small", "full"]
RotationForm = Literal["quaternion", "yaw"]
DirectionForm = Literal["vector", "azimuth"]


@dataclass(frozen=True)
class NetworkSettings:
    """What decides a relative-pose network; the defaults are the paper's ExReNet (section IV-B and Figure 2)."""

    side: int = 128
    """Pixels of the square images, a multiple of 32."""
    encoder: BackboneName = "resnet50"
    """The backbone; its features are taken up to a stride of 16."""
    neck: Literal["unet", "pyramid"] = "unet"
    """What makes the fine map of them: two U-Net steps upwards, or the feature pyramid of the package's other networks,
    which makes the coarse one too."""
    pyramid_channels: int = 128
    """Features per position inside the pyramid, and of its coarse map."""
    deepest: Literal[16, 32] = 16
    """The largest stride that the pyramid starts from."""
    fine_channels: int = 256
    """Features per position of the fine map."""
    matching: Literal["hierarchical", "single", "concatenation", "pooled"] = "hierarchical"
    """An extensive and a guided correlation layer; the extensive one alone (ExReNetClassic); in place of correlation,
    coarse features side by side, position by position or after averaging over the image."""
    border: float = 1.0
    """Of the guided layer's windows, in coarse cells."""
    softmax: bool = False
    """Whether the regression part sees, in place of dot products, how sure a match is: their softmax over what a
    position is compared with; behind the extensive layer, times their softmax the other way round (Rocco et al.,
    "Neighbourhood Consensus Networks", NeurIPS 2018). A short training learns from it much sooner."""
    regression: Literal["resnet18", "light", "stem", "essnet"] = "resnet18"
    """ResNet-18; a lighter residual network; the first convolution of ResNet-18 alone ("no ResNet blocks"); or that of
    EssNet, which has no hidden layers."""
    regression_side: int = 128
    """What correlation maps are enlarged to before the regression part."""
    hidden: int = 512
    """Features of the two hidden layers."""
    dropout: float = 0.1
    """Rate between the hidden layers, while training and for Monte Carlo samples."""
    scale: bool = True
    """Whether the length of the translation is an output too."""
    rotation: RotationForm = "quaternion"
    """The rotation as a quaternion, or as a distribution over the twist about the camera's vertical axis, in bins, with
    the swing that remains, see `angles`: a distance taught to quaternions makes large turns small."""
    direction: DirectionForm = "vector"
    """The direction as a vector, or as a distribution over its azimuth, in bins, with the elevation."""

    @property
    def direction_outputs(self) -> int:
        """A vector (3); or bins and the elevation."""
        return 3 if self.direction == "vector" else BINS + 1

    @property
    def rotation_outputs(self) -> int:
        """A quaternion (4); or bins and the swing (2)."""
        return 4 if self.rotation == "quaternion" else BINS + 2

    @property
    def outputs(self) -> int:
        """Direction, rotation, and the scale."""
        return self.direction_outputs + self.rotation_outputs + self.scale


FULL = NetworkSettings()
SMALL = NetworkSettings(
    encoder="efficientnet-lite0",
    neck="pyramid",
    fine_channels=64,
    softmax=True,
    regression="light",
    regression_side=32,
)

#: What the networks of Tables I to III change of FULL or SMALL, by the name under which they are trained.
VARIANTS: dict[str, dict[str, object]] = {
    "exrenet": {},
    "exrenet-unscaled": {"scale": False},
    "exrenet-classic": {"matching": "single"},
    "exrenet-classic-stem": {"matching": "single", "regression": "stem"},
    "exrenet-concatenation": {"matching": "concatenation"},
    "exrenet-pooled": {"matching": "pooled"},
    "essnet": {"matching": "single", "regression": "essnet", "scale": False},
    "essnet-scale": {"matching": "single", "regression": "essnet"},
}


def settings_of(name: str, size: NetworkSize) -> NetworkSettings:
    """Return the settings of one of ``VARIANTS`` in a size."""
    return replace(FULL if size == "full" else SMALL, **VARIANTS[name])  # type: ignore[arg-type]
