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
. "$here/in-lab"

if [ "${1:-}" != --inside ]; then
    pictures=$(mktemp -d)
    trap 'rm -rf "$pictures"' EXIT
    # Noise in three levels of brightness, in colour: about as long as the pictures of a camera, and libv4l2 can convert
    # them, which it refuses for grey JPEGs.
    for level in 60 120 200; do
        { printf 'P6\n640 480\n255\n'; head -c 921600 /dev/urandom | tr '\000-\377' "\\$(printf %o $level)-\\$(printf %o $((level + 40)))"; } |
            cjpeg -quality 40 >"$pictures/$level.jpg"
    done
    status=0
    in_lab "$here/camera-faults.sh" "${1:-.build/debug}" vivid,usbip 420 "$pictures"/*.jpg || status=$?
    exit "$status"
fi

until [ -e /dev/video0 ]; do sleep 0.1; done # vivid's
export NARRATOR_LAB_VIVID=/dev/video0 NARRATOR_LAB_USB=/dev/video1
NARRATOR_LAB_FRAMES=$(echo "$3"/*.jpg)
export NARRATOR_LAB_FRAMES
run_suite "$2" CameraLabTests
