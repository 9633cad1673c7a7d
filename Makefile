# make run: from a fresh clone to a live transcript of what is heard and seen. make test: everything that can be tested here.
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.ONESHELL:

PACKAGES := libasound2-dev libv4l-dev libjpeg-dev libsndfile1-dev libsoxr-dev python3 python3-pip
SWIFT_FLAGS := --explicit-target-dependency-import-check error
NARRATOR := .build/release/narrator
MODELS := whisper-tiny.en efficientnet-lite0

.PHONY: build run test test-build models setup lint format sanitize asan tsan fuzz clean

build: setup
	swift build -c release $(SWIFT_FLAGS)

# Installs the apt packages that are missing; needs root or sudo only then.
setup:
	@command -v swift >/dev/null || { echo "No Swift toolchain found. Install Swift 6.2 or later from swift.org/install." >&2; exit 1; }
	missing=""
	for package in $(PACKAGES); do
	    [ "$$(dpkg-query -W -f '$${db:Status-Status}' $$package 2>/dev/null)" = installed ] || missing="$$missing $$package"
	done
	[ -n "$$missing" ] || exit 0
	echo "Installing$$missing"
	as_root=""
	if [ "$$(id -u)" != 0 ]; then
	    command -v sudo >/dev/null || { echo "Not root and no sudo. Run as root: apt-get install$$missing" >&2; exit 1; }
	    as_root=sudo
	fi
	$$as_root apt-get update -q
	$$as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends $$missing

models: build
	for model in $(MODELS); do $(NARRATOR) models pull $$model; done

# The daemon plays samples/ at the pace of a microphone and a camera; a subscriber shows what it tells. First digits, by the tiny
# Gemma 3n of samples/, then speech and photographs.
run: models
	@folder=$$(mktemp -d)
	trap 'kill $$daemon 2>/dev/null || true; rm -rf $$folder' EXIT
	play() {
	    echo; echo "$$2"; echo
	    $(NARRATOR) run $$1 --once --wait-clients 1 --socket $$folder/narrator.sock 2>$$folder/log & daemon=$$!
	    for _ in $$(seq 100); do [ -S $$folder/narrator.sock ] && break; kill -0 $$daemon || { cat $$folder/log >&2; exit 1; }; sleep 0.1; done
	    $(NARRATOR) listen --socket $$folder/narrator.sock
	    wait $$daemon || { cat $$folder/log >&2; exit 1; }
	}
	play Pipelines/digits.yaml "A tiny Gemma 3n that knows digits only hears and sees:"
	play Pipelines/demo.yaml "Whisper and EfficientNet hear a recording and see photographs:"

test-build: build
	swift build -c release --build-tests $(SWIFT_FLAGS)

test: MODELS := whisper-tiny.en whisper-base efficientnet-lite0 efficientnet-lite2
test: test-build models
	Tests/run

lint:
	swift format lint --strict -r Sources Tests Package.swift

format:
	swift format -i -r Sources Tests Package.swift

# The tests with the address sanitizer, then with that for threads, module by module; each builds everything once.
sanitize: asan tsan

asan:
	Tests/sanitize address

tsan:
	Tests/sanitize thread

# Damaged checkpoint headers for ten minutes each, with the address sanitizer. FUZZ=60 make fuzz is shorter.
fuzz:
	FUZZ=$${FUZZ:-600} SWIFT_BACKTRACE=enable=no ASAN_OPTIONS=quarantine_size_mb=16 swift test -c release \
	    --sanitize=address --disable-xctest --scratch-path .build-address --filter FuzzTests

clean:
	rm -rf .build .build-*
