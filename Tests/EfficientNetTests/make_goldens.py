"""Goldens of EfficientNet-Lite: the reference network of efficientnet-lite-pytorch 0.1.0 in torch, its documented
preprocessing in torchvision and Pillow.

    pip install torch torchvision pillow
    pip download --no-deps efficientnet-lite-pytorch==0.1.0 && unzip efficientnet_lite_pytorch-*.whl -d reference
    python make_goldens.py --reference reference --models ~/.cache/narrator/models --pictures ../../../shared/data/images
"""
import argparse
import pathlib
import sys

import PIL
import torch
import torchvision
from PIL import Image
from torchvision import transforms

here = pathlib.Path(__file__).parent / "Golden"
arguments = argparse.ArgumentParser()
for name in ("reference", "models", "pictures"):
    arguments.add_argument("--" + name, type=pathlib.Path, required=True)
arguments = arguments.parse_args()
sys.path.insert(0, str(arguments.reference))
from efficientnet_lite_pytorch import BlockDecoder, EfficientNet, GlobalParams  # noqa: E402

torch.manual_seed(1)
print("torch", torch.__version__, "torchvision", torchvision.__version__, "Pillow", PIL.__version__)


def preprocessing(size):
    return transforms.Compose([
        transforms.Resize(size), transforms.CenterCrop(size), transforms.ToTensor(),
        transforms.Normalize([0.485, 0.456, 0.406], [0.229, 0.224, 0.225])])


def probabilities(network, pixels):
    with torch.no_grad():
        return torch.softmax(network(pixels.unsqueeze(0)), dim=1)[0]


def real(name):
    """Top 5, then eight of the network's inputs (channels last), of every shared photograph."""
    checkpoint = arguments.models / name / f"{name}.pth"
    network = EfficientNet.from_pretrained(name, weights_path=str(checkpoint)).eval()
    prepare = preprocessing(network.input_image_size)
    with open(here / f"{name}.tsv", "w") as out:
        for path in sorted(arguments.pictures.glob("*.jpg")):
            pixels = prepare(Image.open(path).convert("RGB"))
            top = torch.topk(probabilities(network, pixels), 5)
            flat = pixels.permute(1, 2, 0).flatten()
            samples = [f"{flat[i * 14_983 % len(flat)]:.6f}" for i in range(8)]
            best = [f"{i}:{p:.7f}" for i, p in zip(top.indices.tolist(), top.values.tolist())]
            out.write("\t".join([path.name, " ".join(best), " ".join(samples)]) + "\n")


def tiny():
    """A random network of three blocks: every kind of block, an odd size, saved in both forms of torch.

    No stage begins with a block of equal widths: the reference never adds the input there, as in its published networks.
    """
    blocks = BlockDecoder.decode(["r1_k5_s11_e1_i32_o160", "r2_k3_s22_e6_i160_o80"])
    network = EfficientNet(blocks, GlobalParams(
        width_coefficient=0.1, depth_coefficient=1.0, image_size=33, dropout_rate=0.2, num_classes=10,
        batch_norm_momentum=0.99, batch_norm_epsilon=1e-3, drop_connect_rate=0.2, depth_divisor=8, min_depth=None,
        relu_fn="relu6", fix_head_stem=False, local_pooling=False, use_se=False)).eval()
    for module in network.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            torch.nn.init.uniform_(module.running_mean, -0.5, 0.5)
            torch.nn.init.uniform_(module.running_var, 0.2, 2)
            torch.nn.init.uniform_(module.weight, 0.5, 2)
            torch.nn.init.uniform_(module.bias, -0.5, 1)
    # As in the published files, a filter's outputs are its last axis in memory.
    state = network.state_dict()
    for name, tensor in state.items():
        if tensor.dim() == 4:
            state[name] = tensor.permute(2, 3, 1, 0).contiguous().permute(3, 2, 0, 1)
    torch.save(state, here / "tiny-legacy.pth", _use_new_zipfile_serialization=False)
    torch.save(state, here / "tiny-zip.pth")
    picture = Image.frombytes("RGB", (33, 33), bytes(i * 7_919 % 251 for i in range(33 * 33 * 3)))
    values = probabilities(network, preprocessing(33)(picture))
    (here / "tiny.txt").write_text(" ".join(f"{p:.8f}" for p in values.tolist()) + "\n")


here.mkdir(exist_ok=True)
tiny()
for name in ("efficientnet-lite0", "efficientnet-lite2"):
    real(name)
