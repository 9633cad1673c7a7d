#!/usr/bin/env bash
# The daemon on a PulseAudio monitor: a recording that is played into a null sink is transcribed, and a sound server that
# dies is told, waited for and heard again.
#
#   swift build -c release && Tests/DeviceLab/pulse-monitor.sh [.build/release]
#
# Runs on this machine, at its own speed, and needs no sound card. Prints how long death and return took to be told.
set -euo pipefail
cd "$(dirname "$0")/../.."
narrator=$(realpath "${1:-.build/release}")/narrator

folder=$(mktemp -d)
pids=()
stop() {
    kill "${pids[@]}" 2>/dev/null || true
    wait
    rm -rf "$folder"
}
trap stop EXIT
export XDG_RUNTIME_DIR=$folder HOME=$folder PULSE_SERVER=unix:$folder/pulse/native
export ALSA_CONFIG_PATH=$folder/asound.conf
export NARRATOR_MODELS=${NARRATOR_MODELS:-${XDG_CACHE_HOME:-$(getent passwd "$(id -u)" | cut -d: -f6)/.cache}/narrator/models}
mkdir "$folder/pulse"
# Without norewinds a null sink's monitor gives its first sound 2 s late.
cat >"$folder/pulse.conf" <<PULSE
load-module module-native-protocol-unix socket=$folder/pulse/native auth-anonymous=1
load-module module-null-sink sink_name=lab rate=48000 channels=2 format=s16le norewinds=1
PULSE
cat >"$folder/asound.conf" <<ALSA
</usr/share/alsa/alsa.conf>
pcm.labmic { type pulse device "lab.monitor" }
ALSA
cat >"$folder/pipeline.yaml" <<PIPELINE
name: monitor
stages:
  desk:       { kind: alsa, device: labmic }
  speech:     { kind: resample, from: desk }
  utterances: { kind: endpoint, from: speech }
  transcript: { kind: transcribe, from: utterances, model: whisper-tiny.en }
  events:     { kind: events, from: transcript }
PIPELINE
sox samples/two_cities.flac "$folder/speech.wav" trim 0 12

server() {
    pulseaudio -n --daemonize=no --exit-idle-time=-1 --use-pid-file=no -F "$folder/pulse.conf" 2>"$folder/pulse.log" &
    pulse=$!
    pids+=("$pulse")
}

# expect COUNT PATTERN WHAT: waits until so many lines of the events match; `line` is the last of them.
expect() {
    for _ in $(seq 600); do
        line=$(grep -E "$2" "$folder/events" | sed -n "$1p" || true)
        [ -z "$line" ] || { echo "$3: $line"; return 0; }
        kill -0 "$daemon" 2>/dev/null || break
        sleep 0.1
    done
    echo "missing: $3" >&2
    cat "$folder/log" "$folder/events" "$folder/pulse.log" >&2
    exit 1
}

# since START: milliseconds from START to the time that the event in `line` bears.
since() {
    local stamp
    stamp=$(sed -E 's/.*"ts":"([^"]*)".*/\1/' <<<"$line")
    echo "measured: $2: $(($(date -d "$stamp" +%s%3N) - $1)) ms"
}

# Before its server: it is waited for.
"$narrator" run "$folder/pipeline.yaml" --wait-clients 1 --socket "$folder/n.sock" 2>"$folder/log" &
daemon=$!
pids+=("$daemon")
until [ -S "$folder/n.sock" ]; do kill -0 "$daemon" || { cat "$folder/log" >&2; exit 1; }; sleep 0.1; done
: >"$folder/events"
"$narrator" listen --format json --socket "$folder/n.sock" >"$folder/events" &
pids+=("$!")
expect 1 '"event":"device.lost"' "no server"
server
expect 1 '"event":"device.restored"' "the server has come"

paplay --device=lab "$folder/speech.wav"
expect 1 '"event":"transcript.final".*best of times' "heard"

start=$(date +%s%3N)
kill -9 "$pulse"
expect 2 '"event":"device.lost"' "the server died"
since "$start" "server killed -> lost"
sleep 2
start=$(date +%s%3N)
server
expect 2 '"event":"device.restored"' "the server is back"
since "$start" "server started -> restored"
paplay --device=lab "$folder/speech.wav"
expect 2 '"event":"transcript.final".*best of times' "heard again"

status=$("$narrator" status --json --socket "$folder/n.sock")
grep -q '"period_ms":' <<<"$status" || { echo "status says nothing of the device: $status" >&2; exit 1; }
echo "status: $(sed -E 's/.*("devices":\[[^]]*\]).*/\1/' <<<"$status")"
"$narrator" devices
kill -TERM "$daemon"
wait "$daemon"
echo "PulseAudio monitor: passed"
