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
. "$here/in-lab"

if [ "${1:-}" != --inside ]; then
    status=0
    in_lab "$here/microphone-faults.sh" "${1:-.build/debug}" aloop,usbip 280 || status=$?
    exit "$status"
fi

until [ -e /proc/asound/Loopback ]; do sleep 0.1; done
export NARRATOR_LAB_SOUND=1
# User Mode Linux can pretend to sleep, if it need not wait in it: its busy waits do not end. Elsewhere the root is on 9p over
# virtio, which does not come back from sleep.
if grep -q 'User Mode Linux' /proc/cpuinfo && echo 0 >/sys/module/suspend/parameters/pm_test_delay; then
    export LAB_SUSPEND=1
fi
run_suite "$2" MicrophoneLabTests
