#!/usr/bin/env python3
"""Pictures through narrator and the reference network in torch, in turn, on the same weights and threads.

    efficientnet.py --reference FOLDER [--runs N] [--threads N] [--model efficientnet-lite0] PICTURE...

FOLDER holds efficientnet-lite-pytorch 0.1.0, unpacked: pip download --no-deps efficientnet-lite-pytorch==0.1.0.
Needs: pip install torch torchvision pillow. Both times are from the picture's bytes to its probabilities, model loading
excluded; of torch also the network's share. Absolute times drift with the machine; compare the medians of one call.
"""
import argparse
import json
import os
import statistics
import subprocess
import sys
import time

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))


def store():
    cache = os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")
    return os.environ.get("NARRATOR_MODELS") or os.path.join(cache, "narrator", "models")


def narrator(a):
    command = [a.binary, "describe", "--format", "json", "--model", a.model, "--threads", str(a.threads), *a.pictures]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return [json.loads(line)["compute_s"] for line in done.stdout.splitlines()]


def reference(a):
    """A function that gives the times of all pictures, and of their passes through the network alone."""
    sys.path.insert(0, a.reference)
    import torch
    from PIL import Image
    from torchvision import transforms
    from efficientnet_lite_pytorch import EfficientNet
    torch.set_num_threads(a.threads)
    checkpoint = os.path.join(store(), a.model, a.model + ".pth")
    network = EfficientNet.from_pretrained(a.model, weights_path=checkpoint).eval()
    size = network.input_image_size
    prepare = transforms.Compose([
        transforms.Resize(size), transforms.CenterCrop(size), transforms.ToTensor(),
        transforms.Normalize([0.485, 0.456, 0.406], [0.229, 0.224, 0.225])])

    def run():
        whole, alone = [], []
        for path in a.pictures:
            start = time.perf_counter()
            pixels = prepare(Image.open(path).convert("RGB")).unsqueeze(0)
            prepared = time.perf_counter()
            with torch.inference_mode():
                torch.softmax(network(pixels), dim=1)
            end = time.perf_counter()
            whole.append(end - start)
            alone.append(end - prepared)
        return whole, alone

    return run


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("pictures", nargs="+")
    parser.add_argument("--reference", required=True)
    parser.add_argument("--runs", type=int, default=10)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--model", default="efficientnet-lite0")
    parser.add_argument("--binary", default=os.path.join(ROOT, ".build", "release", "narrator"))
    a = parser.parse_args()
    torch_run = reference(a)
    torch_run()  # its first pass plans and allocates
    ours, theirs, network = [], [], []
    for _ in range(a.runs):
        ours += narrator(a)
        whole, alone = torch_run()
        theirs += whole
        network += alone
    for name, times in (("narrator", ours), ("torch", theirs), ("torch, network alone", network)):
        print(f"{name:22} {1e3 * statistics.median(times):8.2f} ms (best {1e3 * min(times):.2f})")


if __name__ == "__main__":
    main()
