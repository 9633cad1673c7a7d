#!/usr/bin/env bash
# Captures from a real kernel sound card what is played into it, with our own code.
#
#   swift build --build-tests && Tests/DeviceLab/alsa-loopback.sh [.build/debug]
#
# Boots the lab's VM (device-lab; set up on first use), plays a recording into one end of snd-aloop over and over, and
# runs LoopbackTests on the other end. Exit status: that of the tests; 125 if the lab itself failed.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)

if [ "${1:-}" != --inside ]; then
    build=$(realpath "${1:-.build/debug}")
    bundle=$(find "$build" -maxdepth 1 -name '*.xctest' -type f | head -n 1)
    [ -n "$bundle" ] || { echo "no test bundle in $build; run: swift build --build-tests" >&2; exit 125; }
    work=$(mktemp -d)
    trap 'rm -rf "$work"' EXIT
    # Seven seconds of noise on two different channels: no stretch occurs twice.
    sox -R -n -r 48000 -c 2 -b 16 "$work/reference.wav" synth 7 whitenoise whitenoise gain -3
    "$here/device-lab" setup
    cd "$work" # writable in the VM
    status=0
    "$here/device-lab" run -v -d aloop -t "${LAB_SECONDS:-280}" ${LAB_ACCEL:+--accel "$LAB_ACCEL"} -- \
        "$here/alsa-loopback.sh" --inside "$bundle" "$work" || status=$?
    exit "$status"
fi

bundle=$2 work=$3
sox "$work/reference.wav" -t raw /tmp/reference.raw
(while cat /tmp/reference.raw; do :; done) |
    aplay -q -D hw:Loopback,0,0 -t raw -f S16_LE -r 48000 -c 2 --buffer-time=2000000 &
until grep -q RUNNING /proc/asound/Loopback/pcm0p/sub0/status 2>/dev/null; do sleep 0.1; done
echo "playing" >&2

export NARRATOR_LAB_ALSA=hw:Loopback,1,0 NARRATOR_LAB_REFERENCE=$work/reference.wav
export SWIFT_BACKTRACE=enable=no
"$bundle" --testing-library swift-testing --filter LoopbackTests
