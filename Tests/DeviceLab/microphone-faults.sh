#!/usr/bin/env bash
# Our own capture code on real kernel sound cards: snd-aloop and snd-usb-audio behind an emulated USB microphone, with
# every fault that they can have.
#
#   swift build --build-tests && Tests/DeviceLab/microphone-faults.sh [.build/debug]
#
# Boots the lab's VM (device-lab; set up on first use) and runs MicrophoneLabTests in it, which print how long each fault
# took to be told and each return to deliver: LAB_ACCEL=uml gives figures at native speed. Exit status: that of the tests;
# 125 if the lab itself failed.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)

if [ "${1:-}" != --inside ]; then
    build=$(realpath "${1:-.build/debug}")
    bundle=$(find "$build" -maxdepth 1 -name '*.xctest' -type f | head -n 1)
    [ -n "$bundle" ] || { echo "no test bundle in $build; run: swift build --build-tests" >&2; exit 125; }
    work=$(mktemp -d)
    trap 'rm -rf "$work"' EXIT
    "$here/device-lab" setup
    cd "$work" # writable in the VM
    status=0
    "$here/device-lab" run -v -d aloop,usbip -t "${LAB_SECONDS:-280}" ${LAB_ACCEL:+--accel "$LAB_ACCEL"} -- \
        "$here/microphone-faults.sh" --inside "$bundle" || status=$?
    exit "$status"
fi

bundle=$2
until [ -e /proc/asound/Loopback ]; do sleep 0.1; done
export NARRATOR_LAB_SOUND=1 SWIFT_BACKTRACE=enable=no
"$bundle" --testing-library swift-testing --filter MicrophoneLabTests
