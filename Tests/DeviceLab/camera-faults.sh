#!/usr/bin/env bash
# Our own capture code on real kernel drivers: uvcvideo behind an emulated USB camera (MJPEG) and vivid (raw), with every
# fault that they can make.
#
#   swift build --build-tests && Tests/DeviceLab/camera-faults.sh [.build/debug]
#
# Boots the lab's VM (device-lab; set up on first use) and runs CameraLabTests in it. Exit status: that of the tests; 125
# if the lab itself failed.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)

if [ "${1:-}" != --inside ]; then
    build=$(realpath "${1:-.build/debug}")
    bundle=$(find "$build" -maxdepth 1 -name '*.xctest' -type f | head -n 1)
    [ -n "$bundle" ] || { echo "no test bundle in $build; run: swift build --build-tests" >&2; exit 125; }
    work=$(mktemp -d)
    trap 'rm -rf "$work"' EXIT
    # Three greys with noise, so that the JPEGs are as long as those of a camera.
    for level in 60 120 200; do
        { printf 'P5\n640 480\n255\n'; head -c 307200 /dev/urandom | tr '\000-\377' "\\$(printf %o $level)-\\$(printf %o $((level + 40)))"; } |
            cjpeg -quality 60 >"$work/$level.jpg"
    done
    "$here/device-lab" setup
    cd "$work" # writable in the VM
    status=0
    "$here/device-lab" run -v -d vivid,usbip -t "${LAB_SECONDS:-420}" ${LAB_ACCEL:+--accel "$LAB_ACCEL"} -- \
        "$here/camera-faults.sh" --inside "$bundle" "$work" || status=$?
    exit "$status"
fi

bundle=$2 work=$3
until [ -e /dev/video0 ]; do sleep 0.1; done # vivid's
export NARRATOR_LAB_VIVID=/dev/video0 NARRATOR_LAB_USB=/dev/video1
export NARRATOR_LAB_VIVID_OPTIONS='n_devs=1 node_types=0x1 num_inputs=1 input_types=0x00 no_error_inj=0' # device-lab's own
NARRATOR_LAB_FRAMES=$(echo "$work"/*.jpg)
export NARRATOR_LAB_FRAMES
export SWIFT_BACKTRACE=enable=no
"$bundle" --testing-library swift-testing --filter CameraLabTests
